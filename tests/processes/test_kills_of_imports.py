"""SIGKILL at random moments of imports and of orders for many models; then start again.

Every row and photo arrives once, and each part of an order gets one task at the engine.
"""

from __future__ import annotations

import io
import random
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image

from acr3d import settings
from acr3d.app import create_app
from acr3d.batches import actions
from acr3d.db.models import Batch, Import, ImportPhoto, ImportRow, Part, PartImage, User
from acr3d.db.types import utc_now
from acr3d.storage.index import references
from tests.support.databases import BOTH, close
from tests.support.factories import picture
from tests.support.kills import PATIENCE, Place, running_place, server_for
from tests.support.proof import dose

KILLS, KILLS_OF_ORDERS = dose(20, small=3), dose(10, small=2)  # for each database
ROWS, PARTS_WITH_PHOTOS, PHOTOS = 800, 10, 3
LONGEST = 4.0
"""Seconds from the server's start to its kill: an import and its process take about as long."""
_SECONDS_A_MODEL = 40

pytestmark = pytest.mark.proof


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    environ = {"ACR3D_POLLER": "web", "ACR3D_UNKNOWN_WAIT_SECONDS": "10"}
    with running_place(tmp_path_factory.mktemp("imports"), server_for(request), environ) as place:
        yield place


@pytest.mark.timeout(900)
def test_imports_killed_at_random_moments_bring_each_row_and_photo_once(place: Place) -> None:
    moments, done = random.Random(20_26), list[str]()
    import_id = begin(place, 0)
    for _kill in range(KILLS):
        time.sleep(moments.uniform(0, LONGEST))
        place.site.kill_everything()
        let_claims_run_out(place)
        place.site.start()
        if state(place, import_id) == "done":
            done.append(import_id)
            import_id = begin(place, len(done))
    done.append(until_done(place, import_id))

    with place.database.connect() as connection:
        skus = Counter(connection.scalars(sa.select(Part.sku)))
        rows = Counter(row for row in connection.execute(sa.select(ImportRow.import_id, ImportRow.action)))
        photos = Counter(connection.scalars(sa.select(ImportPhoto.action)))
        stored = Counter(
            connection.scalars(sa.select(Part.sku).join(PartImage, PartImage.part_id == Part.id))
        )
        known = {one.key for one in references(connection)}
    with_photos = [f"R{n}-{row:04}" for n in range(len(done)) for row in range(PARTS_WITH_PHOTOS)]
    assert skus == Counter(f"R{n}-{row:04}" for n in range(len(done)) for row in range(ROWS))
    assert rows == {(one, "new"): ROWS for one in done}
    assert photos == {"added": len(done) * PARTS_WITH_PHOTOS * PHOTOS}
    assert stored == dict.fromkeys(with_photos, PHOTOS)
    assert all((place.storage / key).is_file() for key in known)


@pytest.mark.timeout(900)
def test_orders_for_many_models_killed_at_random_moments_order_each_part_once(place: Place) -> None:
    moments = random.Random(20_26)
    count = KILLS_OF_ORDERS + 2
    batch_id = order(place, count)
    for _kill in range(KILLS_OF_ORDERS):
        time.sleep(moments.uniform(0, LONGEST))
        place.site.kill_everything()
        place.let_leases_run_out()
        place.site.start()
    end = time.monotonic() + _SECONDS_A_MODEL * count
    while batch_state(place, batch_id) != "done" or place.live_jobs():
        assert time.monotonic() < end, place.site.log.read_text()[-3000:]
        place.let_waits_pass()
        time.sleep(0.2)

    assert place.end_states() == {"complete": count}
    assert place.engine.made() == count


def begin(place: Place, number: int) -> str:
    """An import of `ROWS` parts, some of them with photos."""
    lines = ["sku,name,brand", *(f"R{number}-{row:04},Part {row},ACME" for row in range(ROWS))]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for row in range(PARTS_WITH_PHOTOS):
            for place_of in range(PHOTOS):
                noise = io.BytesIO()
                Image.effect_noise((400, 300), 10 + place_of).convert("RGB").save(noise, "JPEG")
                packed.writestr(f"R{number}-{row:04}_{place_of + 1}.jpg", noise.getvalue())
    files = {"table": ("parts.csv", "\n".join(lines)), "photos": ("photos.zip", archive.getvalue())}
    with place.api() as api:
        return str(api.post("/api/admin/imports", files=files).raise_for_status().json()["importId"])


def state(place: Place, import_id: str) -> str:
    with place.database.connect() as connection:
        return str(connection.scalar(sa.select(Import.state).where(Import.id == import_id)))


def until_done(place: Place, import_id: str) -> str:
    end = time.monotonic() + PATIENCE
    while state(place, import_id) != "done":
        assert time.monotonic() < end, place.site.log.read_text()[-3000:]
        time.sleep(0.2)
    return import_id


def let_claims_run_out(place: Place) -> None:
    """As if the killed server had begun its work long ago."""
    with place.database.begin() as connection:
        waiting = sa.update(Import).where(Import.due_at.is_not(None))
        connection.execute(waiting.values(due_at=utc_now() - timedelta(seconds=1)))


def order(place: Place, count: int) -> str:
    """Order a model of each of so many parts, as the page does it."""
    with place.api() as api:
        parts = [_part_with_photos(api, f"MANY-{number}") for number in range(count)]
    app = create_app(settings.from_environment(place.site.environ))
    with app.app_context():
        user = app.extensions["sqlalchemy"].session.scalars(sa.select(User)).first()
        batch = actions.prepare(parts, user, "en")
        price = actions.quote(batch, "meshy", {}, skips_doubtful=False, actor=user)
        actions.start(batch.id, "meshy", {}, user, skips_doubtful=False, agreed=price.total)
        batch_id = batch.id
    close(app)
    return str(batch_id)


def _part_with_photos(api: httpx.Client, sku: str) -> str:
    part = api.post("/api/admin/parts", json={"sku": sku, "name": f"Part {sku}"}).json()["id"]
    files = {
        f"image{number}": (f"{side}.jpg", picture(), "image/jpeg")
        for number, side in enumerate(("front", "right", "back"))
    }
    sent = api.post("/api/admin/3d-models/upload-images", data={"partId": part}, files=files)
    sent.raise_for_status()
    return str(part)


def batch_state(place: Place, batch_id: str) -> str:
    with place.database.connect() as connection:
        return str(connection.scalar(sa.select(Batch.state).where(Batch.id == batch_id)))

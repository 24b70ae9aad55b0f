"""Outlines are found in the background, once for each photo and method, and kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Part, PhotoOutline
from acr3d.db.session import end_read, transaction
from acr3d.db.types import utc_now
from acr3d.outlines import method
from acr3d.outlines.method import COLOUR
from acr3d.parts.photos import add_photos, images_of, label_photo
from acr3d.photos import sanitize
from acr3d.settings import Settings
from acr3d.storage import cleanup
from acr3d.storage.blobs import storage
from acr3d.storage.index import find_blob
from acr3d.worker.loop import JobPoller
from tests.support import fake_network
from tests.support.accounts import browser
from tests.support.factories import make_part
from tests.support.fake_network import FakeNetwork
from tests.support.photographed import PLATE, STEEL, alpha_of, as_file, disc, in_clutter, on_paper


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """On one database: the children take most of the time."""
    return sqlite_config


@pytest.fixture
def staff(in_app: Flask) -> FlaskClient:
    return browser(in_app)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    return fake_network.install(monkeypatch, lambda pixels: alpha_of(PLATE))


def part_with(*pictures: np.ndarray) -> Part:
    part = make_part()
    for angle, picture in zip(("front", "right", "top"), pictures, strict=False):
        add_photos(part.id, [sanitize.clean(as_file(picture))], {"angle_label": angle})
    return part


def check(app: Flask, part: Part) -> None:
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(check_due_at=utc_now()))
    JobPoller(app).run_once()
    db.session.expire_all()


def outlines(part: Part) -> list[PhotoOutline]:
    rows = list(db.session.scalars(select(PhotoOutline).where(PhotoOutline.part_id == part.id)))
    end_read()
    return rows


def found(staff: FlaskClient, part: Part) -> int:
    """How many photos the API shows an outline for."""
    shown = json_of(staff, part)["images"]
    return sum(image["preflight"]["outline"] is not None for image in shown)


def json_of(staff: FlaskClient, part: Part) -> Any:
    return staff.get(f"/api/admin/parts/{part.id}").json


def test_a_part_in_clutter_is_found_in_the_background_and_shown_on_its_tile(
    in_app: Flask, staff: FlaskClient, network: FakeNetwork
) -> None:
    part = part_with(in_clutter((PLATE, STEEL)))

    check(in_app, part)

    [row] = outlines(part)
    assert (row.method, row.refusal) == (f"isnet-1+{COLOUR}", None)
    assert storage().stat(row.storage_path or "") is not None
    assert staff.get(f"/admin/parts/{part.id}").text.count('class="outline"') == 1
    assert json_of(staff, part)["preflight"]["findings"] == []


def test_an_outline_is_found_once_however_often_labels_change(in_app: Flask, network: FakeNetwork) -> None:
    part = part_with(in_clutter((PLATE, STEEL)), on_paper((PLATE, STEEL)))
    check(in_app, part)

    label_photo(images_of(part.id)[0].id, {"angle_label": "left"})
    check(in_app, part)

    assert network.looks == 2
    assert len(outlines(part)) == 2


def test_when_the_network_comes_later_photos_are_looked_at_again(
    in_app: Flask, staff: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = part_with(in_clutter((PLATE, STEEL)))
    check(in_app, part)
    [before] = outlines(part)
    assert (before.method, before.refusal, found(staff, part)) == (COLOUR, "no_backdrop", 0)

    fake_network.install(monkeypatch, lambda pixels: alpha_of(PLATE))
    staff.get(f"/admin/parts/{part.id}")  # a visit asks for what this version would find
    check(in_app, part)

    assert found(staff, part) == 1


@pytest.mark.parametrize("reason", ["no memory", "broken"])
def test_without_the_network_the_colour_decides_and_a_sentence_says_so(
    in_app: Flask, staff: FlaskClient, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "broken":
        network.works = False
    else:
        monkeypatch.setattr(method, "free_mb", lambda: 300)
    part = part_with(on_paper((PLATE, STEEL)))

    check(in_app, part)

    assert outlines(part)[0].method == COLOUR
    assert found(staff, part) == 1
    words = {"no memory": "too little free memory", "broken": "does not run on this server"}
    assert words[reason] in staff.get(f"/admin/parts/{part.id}").text


def test_a_small_host_looks_at_photos_less_closely(in_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_network.install(monkeypatch, lambda pixels: alpha_of(PLATE))
    config = in_app.extensions["acr3d_settings"]
    sides = {}
    for free in (2000, 500, 300):
        monkeypatch.setattr(method, "free_mb", lambda free=free: free)
        chosen = method.learned_cutout(config)
        sides[free] = chosen and chosen.side

    assert sides == {2000: 640, 500: 512, 300: None}


def test_an_outline_belongs_to_staff_and_is_no_stray_file(
    in_app: Flask, staff: FlaskClient, network: FakeNetwork
) -> None:
    part = part_with(on_paper((PLATE, STEEL)))
    check(in_app, part)
    key = outlines(part)[0].storage_path or ""

    blob = find_blob(key)

    assert blob is not None
    assert (blob.media_type, blob.is_public) == ("image/png", False)
    assert cleanup.inspect_storage().stray_files == []
    sent = staff.get(f"/media/{key}", buffered=True)
    assert sent.data.startswith(b"\x89PNG")


def test_what_stands_beside_the_part_is_named(
    in_app: Flask, staff: FlaskClient, network: FakeNetwork
) -> None:
    part = part_with(on_paper((PLATE, STEEL), (disc(520, 520, 35), (150, 110, 40))))

    check(in_app, part)

    assert "left out: another object" in staff.get(f"/admin/parts/{part.id}").text

"""SIGKILL at random moments of a job, to the whole process group or to the worker alone; then start again.

Every job ends complete, with one task at the engine and one model, and nothing is left lying about.
"""

from __future__ import annotations

import random
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tests.conftest import BOTH
from tests.making import picture
from tests.services import Server
from tests.site import Site, running_site

KILLS = 5  # for each database and victim
PATIENCE = 120


@pytest.fixture(params=BOTH)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    if request.param == "sqlite":
        with running_site(tmp_path / "instance") as site:
            yield site
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"killed_{uuid.uuid4().hex[:8]}"
    server.create(name)
    with running_site(tmp_path / "instance", {"DATABASE_URL": server.url(name)}) as site:
        yield site
    server.drop(name)


def client(site: Site, token: str) -> httpx.Client:
    return httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def start_job(site: Site, token: str, sku: str) -> str:
    """A new part with three photos, and a job that makes its model; returns the part's id."""
    with client(site, token) as api:
        part = api.post("/api/admin/parts", json={"sku": sku, "name": f"Part {sku}"}).json()["id"]
        files = {f"image{number}": (f"{number}.jpg", picture(), "image/jpeg") for number in range(3)}
        images = api.post("/api/admin/3d-models/upload-images", data={"partId": part}, files=files).json()[
            "images"
        ]
        angles = dict(zip(("front", "right", "back"), (image["id"] for image in images), strict=True))
        started = api.post("/api/admin/3d-models/generate", json={"partId": part, "selectedAngles": angles})
        assert started.status_code == 202, started.text
    return str(part)


def wait_for_the_end(site: Site, token: str, part: str) -> dict[str, object]:
    end = time.monotonic() + PATIENCE
    with client(site, token) as api:
        while True:
            status: dict[str, object] = api.get(f"/api/admin/parts/{part}/status").json()
            if status["model_status"] in ("complete", "failed"):
                return status
            assert time.monotonic() < end, (status, site.log.read_text()[-3000:])
            time.sleep(0.1)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("victim", ["everything", "worker"])
def test_a_killed_job_goes_on_and_is_ordered_once(site: Site, victim: str) -> None:
    token = site.token()
    moments = random.Random(20_26)
    longest = _seconds_of_an_undisturbed_job(site, token)
    parts = []
    for number in range(KILLS):
        parts.append(start_job(site, token, f"KILL-{number}"))
        time.sleep(moments.uniform(0, longest))
        if victim == "everything":
            site.kill_everything()
            site.start()
        else:
            site.kill_worker()
            site.wait_until_it_serves()
        status = wait_for_the_end(site, token, parts[-1])
        assert status["model_status"] == "complete", status

    assert site.stop() == 0
    _check_what_is_left(site, jobs=KILLS + 1)


def _seconds_of_an_undisturbed_job(site: Site, token: str) -> float:
    part = start_job(site, token, "UNDISTURBED")
    started = time.monotonic()
    assert wait_for_the_end(site, token, part)["model_status"] == "complete"
    return time.monotonic() - started


def _check_what_is_left(site: Site, jobs: int) -> None:
    """One task at the engine and one model for each job; no temporary file, and no blob of nobody's."""
    with sqlite3.connect(site.instance / "engine" / "tasks.sqlite") as engine:
        assert engine.execute("SELECT count(*) FROM task").fetchone() == (jobs,)
    url = site.environ.get("DATABASE_URL", f"sqlite:///{site.instance}/acr3d.sqlite")
    database = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with database.connect() as connection:
        ask = lambda query: connection.execute(sa.text(query)).scalars().all()  # noqa: E731
        assert ask("SELECT status FROM model_generation_jobs") == ["complete"] * jobs
        assert ask("SELECT count(*) FROM generation_attempts WHERE state = 'accepted'") == [jobs]
        assert ask("SELECT state FROM model_versions") == ["published"] * jobs
        known = {
            *ask("SELECT storage_path FROM part_images"),
            *ask("SELECT thumbnail_path FROM part_images"),
            *ask("SELECT raw_storage_path FROM model_generation_jobs"),
            *ask("SELECT storage_path FROM model_versions"),
        }
    database.dispose()
    stored = {
        path.relative_to(site.instance / "storage").as_posix()
        for path in (site.instance / "storage").rglob("*")
        if path.is_file()
    }
    assert stored == known

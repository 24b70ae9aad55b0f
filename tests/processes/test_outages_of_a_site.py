"""A site on a full disk and without its database: what people can still do, and what the log says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.factories import picture
from tests.support.kills import Place, running_place
from tests.support.postgres import Server
from tests.support.site import EMAIL, PASSWORD, running_site
from tests.support.small_disk import Tmpfs, small_disk

pytestmark = pytest.mark.proof
PASSES, PATIENCE = 3, 60


@pytest.fixture(scope="module")
def place_and_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Tmpfs]]:
    folder = tmp_path_factory.mktemp("full")
    spool = folder / "instance" / "tmp"
    with small_disk(folder / "instance") as disk:
        assert isinstance(disk, Tmpfs)
        spool.mkdir()
        with running_place(folder, None, {"TMPDIR": str(spool)}) as place:
            yield place, disk


@contextlib.contextmanager
def logged_in(site_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site_url, timeout=30) as client:
        token = client.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD, "csrf_token": token})
        assert answer.status_code == 302, answer.text
        yield client


@pytest.mark.needs("mounts")
def test_people_log_in_and_read_on_a_full_disk_and_uploads_say_why_not(
    place_and_disk: tuple[Place, Tmpfs],
) -> None:
    place, disk = place_and_disk
    with place.api() as api:
        part = api.post("/api/admin/parts", json={"sku": "DISK-1", "name": "Disk"}).json()["id"]
        disk.fill()
        try:
            with logged_in(place.site.url) as admin:
                for page in ("/", "/parts/DISK-1", "/admin/", f"/admin/parts/{part}", "/admin/jobs"):
                    assert admin.get(page).status_code == 200, page
            assert api.get(f"/api/admin/parts/{part}").json()["sku"] == "DISK-1"
            for size in (1, 6):  # one is read into memory, six are spooled to the disk
                files = {f"image{n}": (f"{n}.jpg", picture() + bytes(size * 200_000)) for n in range(size)}
                refused = api.post("/api/admin/3d-models/upload-images", data={"partId": part}, files=files)
                assert refused.status_code == 503, refused.text
                assert (
                    "Nothing was changed" in refused.json()["error"]
                    or "disk is full" in refused.json()["error"]
                )
            created = api.post("/api/admin/parts", json={"sku": "DISK-2", "name": "x" * 200})
            assert (created.status_code, "disk is full" in created.json()["error"]) == (503, True)
        finally:
            disk.make_room()
        uploaded = api.post(
            "/api/admin/3d-models/upload-images",
            data={"partId": part},
            files={"image0": ("0.jpg", picture(), "image/jpeg")},
        )
        assert uploaded.status_code == 200, uploaded.text


@pytest.mark.parametrize("server", [pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def test_a_site_without_its_database_logs_one_line(server: str, postgres: Server, tmp_path: Path) -> None:
    postgres.create("outage")
    environ = {"DATABASE_URL": postgres.url("outage")}
    with running_site(tmp_path / "instance", environ) as site, logged_in(site.url) as admin:
        assert admin.get("/admin/").status_code == 200
        before = site.log.read_text()
        postgres.stop()
        try:
            for _ in range(PASSES):
                for page in ("/", "/admin/", "/healthz"):
                    assert admin.get(page).status_code == 503
                time.sleep(1)  # for a pass of the poller
        finally:
            postgres.start()
        said = site.log.read_text()[len(before) :]
        end = time.monotonic() + PATIENCE
        while admin.get("/healthz").status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.2)
    postgres.drop("outage")
    assert [line.partition(" ")[0] for line in said.splitlines()] == ["database.away"], said

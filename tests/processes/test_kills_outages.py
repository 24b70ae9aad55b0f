"""What a job needs goes away in the middle of it: the database, room on the disk, the right time.

A real server is stopped, a real file system is full (where one can be mounted), and libfaketime sets the
poller's clock back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.databases import BOTH
from tests.support.kills import Place, running_place, running_poller, server_for
from tests.support.postgres import Server
from tests.support.proof import IS_FULL
from tests.support.requirements import LIBFAKETIME
from tests.support.small_disk import Disk, small_disk

FULL = ("No space left on device", "database or disk is full")
ON_POSTGRES = [pytest.param("postgres", marks=pytest.mark.needs("postgres"))]
# A full disk and a wrong clock are the poller's own trouble; with PostgreSQL they are met in the full proof.
DATABASES = BOTH if IS_FULL else ["sqlite"]

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module", params=DATABASES)
def one_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("outages"), server_for(request)) as place:
        yield place


@pytest.fixture(scope="module", params=DATABASES)
def one_place_and_disk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, Disk]]:
    folder = tmp_path_factory.mktemp("full")
    with small_disk(folder / "instance") as disk, running_place(folder, server_for(request)) as place:
        yield place, disk


@pytest.fixture
def place_and_disk(one_place_and_disk: tuple[Place, Disk]) -> tuple[Place, Disk]:
    one_place_and_disk[0].engine.begin_afresh()
    return one_place_and_disk


@pytest.mark.parametrize("one_place", ON_POSTGRES, indirect=True)
@pytest.mark.parametrize("at", ["create", "look", "result"])
def test_a_job_outlives_a_stop_of_its_database(place: Place, postgres: Server, at: str) -> None:
    lines = place.log_lines()
    place.engine.fault(at, "hold")
    part = place.start_job()
    with running_poller(place) as poller:
        place.engine.wait_until_held()
        postgres.stop()
        try:
            place.engine.heal()
            assert httpx.get(f"{place.site.url}/livez").status_code == 200
            assert httpx.get(f"{place.site.url}/healthz", timeout=30).status_code == 503
            place.wait_for_words(lines, "database.away")
        finally:
            postgres.start()
        place.let_leases_run_out()
        place.until(part, "complete")
        assert poller.stop() == 0

    assert place.engine.made() == 1
    assert place.attempts(part) == ["accepted"]
    place.check_complete(part)


@pytest.mark.parametrize("at", ["create", "look", "result"])
def test_a_job_outlives_a_full_disk(place_and_disk: tuple[Place, Disk], at: str) -> None:
    place, disk = place_and_disk
    lines = place.log_lines()
    place.engine.fault(at, "hold")
    part = place.start_job()
    with running_poller(place, disk.point, disk.environ) as poller:
        place.engine.wait_until_held()
        disk.fill()
        place.engine.heal()
        place.wait_for_words(lines, *FULL, part=part)
        assert httpx.get(f"{place.site.url}/livez").status_code == 200
        disk.make_room()
        place.let_leases_run_out()
        place.until(part, "complete")
        assert poller.stop() == 0

    assert place.engine.made() == 1
    assert place.attempts(part) == ["accepted"]
    place.check_complete(part)


@pytest.mark.needs("libfaketime")
@pytest.mark.parametrize("at", ["create", "look", "result"])
def test_a_clock_that_jumps_back_holds_a_job_up_and_pays_nothing_twice(
    place: Place, tmp_path: Path, at: str
) -> None:
    clock = Clock(tmp_path / "now")
    place.engine.fault(at, "hold")
    part = place.start_job()
    with running_poller(place, "nowhere", clock.environ):
        place.engine.wait_until_held()
        clock.set("-3h")
        place.engine.heal()
        place.until(part, "complete", hurry=False)

    assert place.engine.made() == 1
    start_once_more(place)
    place.check_complete(part)


@pytest.mark.needs("libfaketime")
def test_an_order_whose_answer_was_lost_is_found_though_the_clock_jumped_back(
    place: Place, tmp_path: Path
) -> None:
    clock = Clock(tmp_path / "now")
    place.engine.fault("create", "hold")
    part = place.start_job()
    with running_poller(place, "nowhere", clock.environ) as doomed:
        place.engine.wait_until_held()
        doomed.kill()
    clock.set("-3h")
    place.engine.heal()

    with running_poller(place, "nowhere", clock.environ):
        place.until(part, "complete")

    assert place.engine.made() == 1
    assert place.attempts(part) == ["accepted"]
    start_once_more(place)
    place.check_complete(part)


@pytest.mark.needs("libfaketime")
def test_a_poller_that_had_nothing_to_do_when_its_clock_jumped_back_takes_new_work(
    place: Place, tmp_path: Path
) -> None:
    clock = Clock(tmp_path / "now")
    with running_poller(place, "nowhere", clock.environ) as poller:
        poller.wait_until_running()
        clock.set("-3h")
        part = place.start_job()
        place.until(part, "complete", hurry=False)

    assert place.engine.made() == 1
    start_once_more(place)
    place.check_complete(part)


def start_once_more(place: Place) -> None:
    """A poller that was killed may have left a temporary file, which goes at the next start."""
    with running_poller(place) as following:
        following.wait_until_running()
        assert following.stop() == 0


class Clock:
    """The time as a process with this environment sees it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set("+0")
        self.environ = {
            "LD_PRELOAD": str(LIBFAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        self._file.write_text(f"{offset}\n")

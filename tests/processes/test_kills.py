"""SIGKILL at random moments of a job, to the whole process group or to the worker alone; then start again.

Every job ends complete, with one task at the engine and one model, and nothing is left lying about. Once with
the engine on a port, as with Meshy, and once with the engine inside the process that is killed.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator

import pytest

from tests.support.databases import BOTH
from tests.support.kills import Place, database, running_place, server_for
from tests.support.proof import IS_FULL, dose
from tests.support.site import running_site

KILLS, KILLS_INSIDE = dose(7, small=2), dose(3, small=1)  # for each database


pytestmark = pytest.mark.proof


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    # The engine may still be taking an order in when the one who sent it is dead and started again.
    environ = {"ACR3D_POLLER": "web", "ACR3D_UNKNOWN_WAIT_SECONDS": "10"}
    with running_place(tmp_path_factory.mktemp("random"), server_for(request), environ) as place:
        yield place


@pytest.fixture(params=BOTH if IS_FULL else ["sqlite"])
def place_with_the_engine_inside(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("inside")
    with (
        database(server_for(request)) as address,
        running_site(folder / "instance", {"ACR3D_ENGINE_GRID": "32"} | address) as site,
    ):
        yield Place(site, engine=None)


@pytest.mark.timeout(900)
def test_jobs_killed_at_random_moments_are_ordered_once_and_complete(place: Place) -> None:
    jobs = kill_at_random(place, KILLS)

    assert place.engine.made() == jobs


@pytest.mark.timeout(900)
def test_so_it_is_when_the_engine_dies_with_them(place_with_the_engine_inside: Place) -> None:
    jobs = kill_at_random(place_with_the_engine_inside, KILLS_INSIDE)

    instance = place_with_the_engine_inside.site.instance
    with sqlite3.connect(instance / "engine" / "tasks.sqlite") as engine:
        assert engine.execute("SELECT count(*) FROM task").fetchone() == (jobs,)


def kill_at_random(place: Place, kills: int) -> int:
    """Kill every other time the worker alone; how many jobs there were, all complete."""
    moments = random.Random(20_26)
    started = time.monotonic()
    parts = [place.start_job()]
    place.until(parts[0], "complete")
    longest = time.monotonic() - started
    for number in range(kills):
        parts.append(place.start_job(check_photos=True))
        time.sleep(moments.uniform(0, longest))
        if number % 2:
            place.site.kill_worker()
            place.site.wait_until_it_serves()
        else:
            place.site.kill_everything()
            place.site.start()
        place.until(parts[-1], "complete")
    assert place.site.stop() == 0
    for part in parts:
        assert place.attempts(part).count("accepted") == 1
        place.check_complete(part)
    return len(parts)

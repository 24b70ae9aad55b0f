"""SIGKILL at each named point of a job's life; then a normal start, which brings the job to its right end.

The points are those at which a queue that pays could pay twice or lose something
(docs/decisions/0005-jobs.md).
Whatever dies when: the engine has made exactly one task for the job, and nothing is left lying about.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator

import pytest

from tests.support.databases import BOTH
from tests.support.kills import Place, running_place, running_poller, server_for
from tests.support.proof import IS_FULL

# point → attempts in the end, and what the history says of it
BY_ITSELF = {
    "before-tx1": (["accepted"], "accepted the order"),
    "after-tx1": (["refused", "accepted"], "accepted the order"),
    "after-tx2": (["refused", "accepted"], "accepted the order"),
    "before-tx3": (["accepted"], "found among the engine's tasks"),
    "raw-stored": (["accepted"], "downloaded and stored"),
    "optimizing": (["accepted"], "ready and published"),
    "before-publishing": (["accepted"], "ready and published"),
}
# what the engine does not finish saying → how the kill comes from outside
WHILE_HELD = {
    "answer-lost": ("create", "hold", {}, "found among the engine's tasks"),
    "polling": ("look", "hold", {}, "accepted the order"),
    "downloading": ("result", "half", {"hold": True}, "downloaded and stored"),
}
# What happens around a transaction is the databases' own; the other points meet PostgreSQL in the full proof.
ON_POSTGRES = {"after-tx1", "before-tx3", "before-publishing", "answer-lost"}

pytestmark = pytest.mark.proof


def on_databases(points: Iterable[str]) -> pytest.MarkDecorator:
    """The points on each database that they are tried on."""
    cases = [
        pytest.param(
            database, point, marks=pytest.mark.needs(*([] if database == "sqlite" else ["postgres"]))
        )
        for database in ("sqlite", "postgres")
        for point in points
        if database == "sqlite" or IS_FULL or point in ON_POSTGRES
    ]
    return pytest.mark.parametrize(("one_place", "point"), cases, indirect=["one_place"])


@pytest.fixture(scope="module", params=BOTH)
def one_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("killed"), server_for(request)) as place:
        yield place
        place.check_sweep_finds_nothing()


@on_databases(BY_ITSELF)
def test_a_job_killed_at_a_point_is_ordered_once_and_completes(place: Place, point: str) -> None:
    attempts, story = BY_ITSELF[point]
    part = place.start_job()
    with running_poller(place, killed_at=point) as doomed:
        doomed.wait_until_killed()

    with running_poller(place) as poller:
        place.until(part, "complete")
        assert poller.stop() == 0  # killed, it could leave a photo check's folder to the next start

    check_ordered_once(place, part, attempts, story)


@on_databases(WHILE_HELD)
def test_a_job_killed_while_the_engine_answers_is_ordered_once_and_completes(
    place: Place, point: str
) -> None:
    at, deed, more, story = WHILE_HELD[point]
    place.engine.fault(at, deed, **more)
    part = place.start_job()
    with running_poller(place) as doomed:
        place.engine.wait_until_held()
        doomed.kill()
    is_half_stored = any((place.incoming / name).is_file() for name in place.temporary_files())
    assert is_half_stored == (point == "downloading")
    place.engine.heal()

    with running_poller(place) as poller:
        place.until(part, "complete")
        assert poller.stop() == 0  # killed, it could leave a photo check's folder to the next start

    check_ordered_once(place, part, ["accepted"], story)


@pytest.mark.parametrize("one_place", BOTH if IS_FULL else ["sqlite"], indirect=True)
def test_a_result_that_expired_while_nobody_ran_fails_the_job_truthfully(place: Place) -> None:
    place.engine.fault("result", "half", hold=True)
    part = place.start_job()
    with running_poller(place) as doomed:
        place.engine.wait_until_held()
        doomed.kill()
    place.engine.heal()
    place.engine.fault("look", "expire", 1000)

    with running_poller(place) as poller:
        status = place.until(part, "failed")
        assert poller.stop() == 0

    assert "no longer knows this task, so its result is lost" in str(status["error"])
    assert place.engine.made() == 1
    assert [stage for stage, _detail in place.history(part)][-1] == "failed"
    place.check_nothing_lies_about()


def test_two_pollers_at_the_same_moment_share_the_jobs_and_a_killed_ones_go_on(place: Place) -> None:
    with running_poller(place) as first, running_poller(place) as second:
        place.until(place.start_job(), "complete")  # both have passed by now
        with place.nobody_writing():  # one that stands still in a change would hold up the site too
            for poller in (first, second):
                poller.signal(signal.SIGSTOP)
        place.engine.fault("create", "hold", 1)
        parts = [place.start_job() for _ in range(3)]
        for poller in (first, second):
            poller.signal(signal.SIGCONT)
        place.engine.wait_until_held()
        first.kill()
        place.engine.heal()
        with running_poller(place) as third:
            for part in parts:
                place.until(part, "complete")
            assert [second.stop(), third.stop()] == [0, 0]

    assert place.engine.made() == 4
    for part in parts:
        place.check_complete(part)


def check_ordered_once(place: Place, part: str, attempts: list[str], story: str) -> None:
    assert place.engine.made() == 1
    assert place.attempts(part) == attempts
    assert any(story in (detail or "") for _status, detail in place.history(part)), place.history(part)
    place.check_complete(part)

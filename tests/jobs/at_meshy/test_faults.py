"""Whole jobs against the engine on a port while it does everything that Meshy has been seen to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d import sandbox
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, EngineAccount, Job, Part, User
from acr3d.db.session import transaction
from acr3d.db.states import NextStep, Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.jobs.steps import optimize
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller
from tests.support.at_meshy import missing_for_long
from tests.support.factories import by_angle, make_part_with_photos
from tests.support.faults.control import ALWAYS, KEY, EngineOnPort, engine_on_port

# What a fault means for a job is the same on both databases; the kill tests run on both.
pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)

MOST_STEPS = 12
CUT_OFF = "The download was interrupted or took too long. The engine still has it."


@pytest.fixture(scope="module")
def one_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineOnPort]:
    with engine_on_port(tmp_path_factory.mktemp("faulty") / "engine") as engine:
        yield engine


@pytest.fixture
def engine(one_engine: EngineOnPort) -> EngineOnPort:
    one_engine.begin_afresh()
    return one_engine


@pytest.fixture
def app(make_app: Callable[..., Flask], engine: EngineOnPort) -> Iterator[Flask]:
    app = make_app(meshy_api_key=KEY, meshy_api_base=engine.base, unknown_wait_seconds=1)
    with app.app_context():
        yield app


def step(app: Flask, job: Job, times: int = 1) -> Job:
    """Let the job's next steps be taken, as if the time for each had come."""
    for _ in range(times):
        with transaction() as session:
            past = utc_now() - timedelta(seconds=1)
            session.execute(update(Job).where(Job.id == job.id).values(next_at=past))
            session.execute(update(EngineAccount).values(probe_at=past))
        JobPoller(app).run_once()
    db.session.expire_all()
    return job


def to_the_end(app: Flask, job: Job) -> Job:
    for _ in range(MOST_STEPS):
        if not step(app, job).is_live:
            return job
    raise AssertionError((job.status, job.waiting_for, [event.detail for event in queries.events_of(job.id)]))


def check_completed_once(engine: EngineOnPort, job: Job) -> None:
    assert (job.status, job.error_message) == (Status.COMPLETE, None)
    assert engine.made() == 1
    assert list(storage().incoming.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (429, "RateLimitExceeded", "too many requests"),
        (429, "NoMoreConcurrentTasks", "free slot"),
        (429, "NoMorePendingTasks", "free slot"),
        (402, "Insufficient funds", "credits"),
        (401, "Invalid API key", "MESHY_API_KEY"),
    ],
)
def test_a_refused_order_waits_uses_up_no_try_and_goes_through_when_the_engine_is_well(
    app: Flask, engine: EngineOnPort, job: Job, status: int, message: str, words: str
) -> None:
    engine.fault("create", "refuse", ALWAYS, status=status, message=message)
    step(app, job, 2)
    assert (job.status, job.retry_count, engine.made()) == (Status.PENDING, 0, 0)
    assert words in (job.waiting_for or "")

    engine.heal()
    check_completed_once(engine, to_the_end(app, job))


@pytest.mark.parametrize(
    ("deed", "more"),
    [
        pytest.param("lose", {}, id="answer-lost"),
        pytest.param("break", {"status": 502}, id="bad-gateway-after-making-it"),
    ],
)
def test_a_task_whose_answer_was_lost_is_found_and_not_ordered_again(
    app: Flask, engine: EngineOnPort, job: Job, deed: str, more: dict[str, object]
) -> None:
    engine.fault("create", deed, **more)

    check_completed_once(engine, to_the_end(app, job))
    assert engine.asked("create") == 1


@pytest.mark.parametrize(
    ("deed", "more"),
    [
        pytest.param("cut", {}, id="cut"),
        pytest.param("refuse", {"status": 503, "message": "Service Unavailable"}, id="5xx"),
    ],
)
def test_an_order_that_never_arrived_is_sent_again_only_when_the_list_has_shown_so(
    app: Flask, engine: EngineOnPort, job: Job, deed: str, more: dict[str, object]
) -> None:
    engine.fault("create", deed, **more)

    step(app, job)
    assert (job.status, engine.asked("create")) == (Status.PENDING, 1)
    let_the_wait_pass(job)
    check_completed_once(engine, to_the_end(app, job))
    assert [attempt.state for attempt in queries.attempts_of(job.id)] == ["accepted", "refused"]


def let_the_wait_pass(job: Job) -> None:
    with transaction() as session:
        for attempt in session.scalars(select(Attempt).where(Attempt.job_id == job.id)):
            attempt.unknown_at = attempt.unknown_at and attempt.unknown_at - timedelta(seconds=2)


@pytest.mark.parametrize("at", ["create", "look", "result"])
def test_slow_answers_change_nothing(app: Flask, engine: EngineOnPort, job: Job, at: str) -> None:
    engine.fault(at, "slow", seconds=1)

    check_completed_once(engine, to_the_end(app, job))


@pytest.mark.parametrize(
    ("deed", "more"),
    [
        pytest.param("refuse", {"status": 500}, id="500"),
        pytest.param("refuse", {"status": 429, "message": "RateLimitExceeded"}, id="429"),
        pytest.param("refuse", {"status": 401, "message": "Invalid API key"}, id="401"),
        pytest.param("cut", {}, id="cut"),
        pytest.param("bytes", {"text": "<html>maintenance</html>"}, id="html"),
    ],
)
def test_trouble_while_following_is_waited_out(
    app: Flask, engine: EngineOnPort, job: Job, deed: str, more: dict[str, object]
) -> None:
    engine.fault("look", deed, 3, **more)

    check_completed_once(engine, to_the_end(app, job))


def test_a_task_stuck_at_99_percent_is_given_up_in_time_and_found_done_for_nothing_later(
    app: Flask, engine: EngineOnPort, job: Job, user: User
) -> None:
    engine.fault("look", "change", ALWAYS, status="IN_PROGRESS", progress=99, model_urls={})
    step(app, job, 3)
    assert (job.status, job.progress) == (Status.PROCESSING, 99)
    with transaction() as session:
        session.execute(update(Job).values(deadline_at=utc_now() - timedelta(seconds=1)))
    assert to_the_end(app, job).status == Status.FAILED
    assert "two hours" in (job.error_message or "")

    engine.heal()
    service.retry(job.id, user)
    check_completed_once(engine, to_the_end(app, job))


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ({"type": "invalid_input", "message": "Bad picture."}, "change them"),
        ({"type": "server_error", "code": "moderation_blocked", "message": "Blocked."}, "change them"),
        ({"type": "timeout", "message": "Too slow."}, "Nothing was charged"),
        ({"type": "service_unavailable", "message": "Busy."}, "Nothing was charged"),
        ({"type": "server_error", "message": "Broken."}, "Nothing was charged"),
        ({"message": "Old shape."}, "Nothing was charged"),
    ],
)
def test_a_failed_task_ends_the_job_with_its_reason_and_what_to_do(
    app: Flask, engine: EngineOnPort, part: Part, job: Job, error: dict[str, str], advice: str
) -> None:
    failed = {"status": "FAILED", "model_urls": {}, "consumed_credits": 0, "task_error": error}
    engine.fault("look", "change", ALWAYS, **failed)

    assert to_the_end(app, job).status == Status.FAILED
    assert error["message"] in (job.error_message or "")
    assert advice in (job.error_message or "")
    assert (part.model_status, job.meshy_credits_used) == ("failed", 0)


def test_a_result_that_expired_fails_the_job_and_says_so(app: Flask, engine: EngineOnPort, job: Job) -> None:
    step(app, job)
    engine.fault("look", "expire", ALWAYS)
    step(app, job)
    missing_for_long(job)

    assert to_the_end(app, job).status == Status.FAILED
    assert "no longer knows" in (job.error_message or "")
    assert service.retry_pays(job)


def test_a_download_cut_off_in_the_middle_is_fetched_again(
    app: Flask, engine: EngineOnPort, job: Job
) -> None:
    engine.fault("result", "half", 2)

    check_completed_once(engine, to_the_end(app, job))
    assert [event.detail for event in queries.events_of(job.id)].count(CUT_OFF) == 2


@pytest.mark.parametrize(
    ("deed", "more", "words"),
    [
        pytest.param("bytes", {"text": "<html>no model</html>"}, "not a GLB", id="wrong-bytes"),
        pytest.param(
            "redirect", {"to": "http://169.254.169.254/model.glb"}, "ACR3D_ASSET_ORIGINS", id="away"
        ),
        pytest.param("endless", {}, "larger than 200 MB", id="endless"),
    ],
)
def test_a_result_that_is_no_model_fails_the_job_and_leaves_nothing(
    app: Flask, engine: EngineOnPort, job: Job, deed: str, more: dict[str, str], words: str
) -> None:
    stored = set(storage().keys())
    engine.fault("result", deed, ALWAYS, **more)

    assert to_the_end(app, job).status == Status.FAILED
    assert words in (job.error_message or "")
    assert engine.made() == 1
    assert set(storage().keys()) == stored
    assert list(storage().incoming.iterdir()) == []


def test_an_empty_download_is_tried_on_while_the_engine_keeps_the_result(
    app: Flask, engine: EngineOnPort, job: Job
) -> None:
    stored = set(storage().keys())
    engine.fault("result", "bytes", ALWAYS, text="")
    for _ in range(12):
        step(app, job)

    assert (job.status, job.next_step) == (Status.PROCESSING, NextStep.DOWNLOAD)
    assert job.retry_count > 5
    assert any("was cut off" in (event.detail or "") for event in queries.events_of(job.id))
    assert set(storage().keys()) == stored
    assert list(storage().incoming.iterdir()) == []
    engine.heal()
    check_completed_once(engine, to_the_end(app, job))


def test_an_answer_that_comes_only_after_the_order_was_looked_for_makes_no_second_task(
    app: Flask, engine: EngineOnPort, job: Job
) -> None:
    engine.fault("create", "hold")
    with transaction() as session:
        session.execute(update(Job).values(next_at=utc_now()))
    first = threading.Thread(target=JobPoller(app).run_once)
    first.start()
    engine.wait_until_held()
    step(app, job)  # another poller comes by: the job is not its to touch
    engine.heal()
    first.join()

    check_completed_once(engine, to_the_end(app, job))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param(sandbox.Limits(seconds=0), "longer than 0 seconds", id="time"),
        pytest.param(sandbox.Limits(memory_mb=15), "more than its 15 MB", id="memory"),
        pytest.param(sandbox.Limits(file_mb=0), "stopped unexpectedly", id="crash"),
    ],
)
def test_a_job_that_kills_its_child_fails_alone_with_that_reason_after_five_tries(
    app: Flask,
    engine: EngineOnPort,
    job: Job,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    limits: sandbox.Limits,
    words: str,
) -> None:
    while job.status != Status.OPTIMIZING:
        step(app, job)
    with monkeypatch.context() as patch:
        patch.setattr(optimize, "OPTIMIZE_LIMITS", limits)
        assert to_the_end(app, job).status == Status.FAILED
    assert words in (job.error_message or "")
    assert "tried 5 times" in (job.error_message or "")

    other_part = make_part_with_photos("OTHER")
    other = service.start(other_part.id, by_angle(other_part), "meshy", {}, user)
    assert to_the_end(app, other).status == Status.COMPLETE
    assert not service.retry_pays(job)
    service.retry(job.id, user)
    assert to_the_end(app, job).status == Status.COMPLETE
    assert engine.made() == 2
    assert list(storage().incoming.iterdir()) == []

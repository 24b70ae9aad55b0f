"""Heavy work as Procrastinate tasks on PostgreSQL: a task that is lost, doubled or late changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import Job, Part
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import new_id, utc_now
from acr3d.jobs import queries, service
from acr3d.jobs.lease import ACTOR, LEASE, JobLease
from acr3d.jobs.transitions import transition
from acr3d.messages.message import Message
from acr3d.photo_checks import queue as photo_checks
from acr3d.photo_checks.queue import Claim
from acr3d.settings import Settings
from acr3d.worker import dispatcher, heavy
from acr3d.worker.heavy import QUEUES, Piece
from acr3d.worker.loop import JobPoller
from acr3d.worker.tasks import SCHEMA, Tasks
from tests.support.factories import by_angle, make_part, make_part_with_photos, make_user
from tests.support.live_meshy import lively_account
from tests.worker.test_pollers import until

pytestmark = [
    pytest.mark.needs("postgres"),
    pytest.mark.parametrize("config", ["postgres"], indirect=True),
]

StartWorker = Callable[..., JobPoller]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """An app whose pollers pass only when there is new work; nothing is left of earlier tasks."""
    app = make_app(workers="procrastinate", poll_seconds=3600)
    with app.app_context():
        with db.engine.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
        yield app


@pytest.fixture
def start(app: Flask) -> Iterator[StartWorker]:
    """Starts a worker, as `flask worker` does in a process of its own."""
    started: list[JobPoller] = []

    def start(queues: Sequence[str] = QUEUES, worker_app: Flask = app) -> JobPoller:
        tasks = Tasks(worker_app, queues, concurrency=2)
        poller = JobPoller(worker_app, tasks)
        poller.start()
        started.append(poller)
        until(tasks._is_ready.is_set)
        return poller

    yield start
    for poller in started:
        poller.stop()


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts whose photos were checked; the check itself finds nothing."""
    done: list[str] = []

    def check(claimed: Claim, _stop: threading.Event) -> None:
        done.append(claimed.part_id)
        photo_checks.store(claimed, {})

    monkeypatch.setattr(heavy, "check_photos", check)
    return done


def waiting_tasks() -> list[tuple[str, int]]:
    """The queue and priority of each task that no worker has taken."""
    todo = f"SELECT queue_name, priority FROM {SCHEMA}.procrastinate_jobs WHERE status = 'todo'"
    with db.engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(sa.text(todo))]


def _finish(lease: JobLease, done: list[str]) -> None:
    """What optimizing takes seconds for; the job ends."""
    with lease.transaction() as (session, job, part):
        transition(session, job, part, Status.FAILED, ACTOR, Message("job.our_failure"))
    done.append(lease.job_id)


def part_to_check(sku: str = "BR-100") -> str:
    part = make_part(sku)
    with transaction() as session:
        session.execute(sa.update(Part).where(Part.id == part.id).values(check_due_at=utc_now()))
    return part.id


def test_a_worker_takes_the_tasks_of_its_queues_only(
    app: Flask, start: StartWorker, checked: list[str]
) -> None:
    elsewhere = start(["imports"])
    until(lambda: elsewhere._listener.leads)
    part_id = part_to_check()
    elsewhere.wake()
    until(lambda: waiting_tasks() == [("photos", 40)])
    assert checked == []

    start(["photos"])

    until(lambda: checked == [part_id])
    until(lambda: waiting_tasks() == [])


def test_a_task_that_comes_twice_or_too_late_does_nothing(
    app: Flask, start: StartWorker, checked: list[str]
) -> None:
    poller = start(["imports"])
    part_id = part_to_check()

    for _time in range(3):
        poller._take("photos", part_id)

    assert checked == [part_id]
    poller._take("photos", new_id())
    poller._take("optimize", new_id())


def test_a_task_that_was_lost_is_named_again(app: Flask, start: StartWorker, checked: list[str]) -> None:
    poller = start(["imports"])
    until(lambda: poller._listener.leads)
    part_to_check()
    poller.wake()
    until(lambda: len(waiting_tasks()) == 1)
    with db.engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {SCHEMA}.procrastinate_jobs CASCADE"))

    poller.wake()

    until(lambda: len(waiting_tasks()) == 1)


def test_work_that_a_hanging_leader_leaves_is_named_by_another_poller(
    app: Flask, start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "_OVERDUE_SECONDS", 0.05)
    leader = start(["imports"])
    until(lambda: leader._listener.leads)
    leader._guarded_pass = lambda: None  # type: ignore[method-assign]
    leader._timer.stop()
    other = start(["imports"])
    part_to_check()

    def named() -> bool:
        other.wake()
        return len(waiting_tasks()) == 1

    until(named)
    assert not other._listener.leads


def test_a_job_goes_from_the_order_to_the_model_by_tasks(
    make_app: Callable[..., Flask], app: Flask, start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("acr3d.jobs.runner.optimize", lambda lease, _job: _finish(lease, done))
    with lively_account(looks=0) as meshy:
        reach = {"meshy_api_key": "msy_test", "meshy_api_base": meshy.base}
        worker_app = make_app(workers="procrastinate", poll_seconds=1, **reach)
        web = make_app(workers="procrastinate", **reach)
        poller = start(QUEUES, worker_app)
        taken: list[str] = []
        run = poller._threads.run
        poller._threads.run = lambda lane, *rest: (taken.append(lane), run(lane, *rest))  # type: ignore[assignment,func-returns-value]

        with web.app_context():
            part = make_part_with_photos()
            job = service.start(part.id, by_angle(part), "meshy", {}, make_user())
            until(lambda: done == [job.id])

        assert meshy.creates == 1
        assert taken[:2] == ["download", "optimize"]


def test_a_job_whose_worker_was_killed_is_done_by_another_one(
    make_app: Callable[..., Flask], app: Flask, start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("acr3d.jobs.runner.optimize", lambda lease, _job: _finish(lease, done))
    poller = start()
    part = make_part_with_photos()
    job = service.start(part.id, by_angle(part), "builtin", {}, make_user())
    dead = {"status": "optimizing", "next_step": "optimize", "lease_owner": "dead:1", "next_at": utc_now()}
    with transaction() as session:
        lease = {"lease_until": utc_now() + LEASE}
        session.execute(sa.update(Job).where(Job.id == job.id).values(dead | lease))
    with db.engine.begin() as connection:  # what the dead worker had taken
        left = f"INSERT INTO {SCHEMA}.procrastinate_jobs (queue_name, task_name, queueing_lock, args, status)"
        values = " VALUES ('optimize', 'optimize', :lock, '{}', 'doing')"
        connection.execute(sa.text(left + values), {"lock": f"optimize:{job.id}"})
    poller._take("optimize", job.id)
    assert done == []  # the lease still holds

    with transaction() as session:
        session.execute(sa.update(Job).values(lease_until=utc_now() - LEASE))
    poller.wake()

    until(lambda: queries.job_by_id(job.id).status == "failed")
    assert done == [job.id]


def test_downloads_from_an_engine_of_one_host_wait_for_that_host(
    config: Settings, make_app: Callable[..., Flask], app: Flask
) -> None:
    part = make_part_with_photos()
    job = service.start(part.id, by_angle(part), "builtin", {}, make_user())
    with transaction() as session:
        values = {"status": "processing", "next_step": "download", "next_at": utc_now()}
        session.execute(sa.update(Job).where(Job.id == job.id).values(values))

    pieces = heavy.DOWNLOAD.waiting(utc_now(), 10)

    assert pieces == [Piece("download", job.id, heavy.own_queues()[0])]
    other = create_app(replace(config, instance_id="another-host"))
    with other.app_context():
        assert heavy.own_queues() != [pieces[0].queue]


@pytest.mark.parametrize(
    ("workers", "command", "refusal"),
    [
        ("inline", ["worker"], "Set ACR3D_WORKERS=procrastinate first"),
        ("procrastinate", ["worker", "--queues", "photos,models"], "there is no queue 'models'"),
        ("procrastinate", ["jobs", "work"], "start “flask worker” instead"),
    ],
)
def test_a_command_that_does_not_go_with_the_setting_says_so(
    make_app: Callable[..., Flask], workers: str, command: list[str], refusal: str
) -> None:
    said = make_app(workers=workers).test_cli_runner().invoke(args=command)

    assert said.exit_code
    assert refusal in said.output

"""Several pollers, dead pollers, and a poller that is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Job, Part, Poller, User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.jobs.lease import LEASE, JobLease, LeaseLost
from acr3d.messages.message import Message
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller
from tests.support.contract.server import Handler, PreparedServer, answer, silent
from tests.support.factories import by_angle, make_due, make_part_with_photos, make_user

PATIENCE = 20


@pytest.fixture
def app(make_app: Callable[..., Flask], meshy: PreparedServer) -> Iterator[Flask]:
    app = make_app(meshy_api_key="msy_test", meshy_api_base=meshy.base)
    with app.app_context():
        yield app


@pytest.fixture
def user(app: Flask) -> User:
    return make_user()


def make_job(user: User, sku: str = "BR-100") -> Job:
    part: Part = make_part_with_photos(sku)
    return service.start(part.id, by_angle(part), "meshy", {}, user)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; fails when it does not happen."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        db.session.rollback()
        time.sleep(0.02)


def each_to_its_kind(handler: Handler) -> None:
    """A new task for each order; each task still waits."""
    if handler.seen.method == "POST":
        answer(202, {"result": f"task-{len(handler.server.prepared.requests)}"})(handler)
    elif handler.seen.path.endswith("/multi-image-to-3d"):
        answer(200, [])(handler)
    else:
        answer(200, {"id": handler.seen.path.rpartition("/")[2], "status": "PENDING"})(handler)


def test_of_many_pollers_at_once_one_takes_each_job(app: Flask, meshy: PreparedServer, user: User) -> None:
    jobs = [make_job(user, f"P-{number}") for number in range(4)]
    meshy.answers += [each_to_its_kind] * 200
    gate = threading.Barrier(4)

    def run(poller: JobPoller) -> None:
        gate.wait()
        poller.run_once()

    for _round in range(4):  # one order in flight per account: the others wait their turn
        threads = [threading.Thread(target=run, args=(JobPoller(app),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        db.session.expire_all()
        for job in jobs:
            if job.status == "pending":
                make_due(job)

    assert [seen.method for seen in meshy.requests].count("POST") == 4
    assert len({job.meshy_task_id for job in jobs} - {None}) == 4
    assert [len(queries.attempts_of(job.id)) for job in jobs] == [1, 1, 1, 1]


def test_a_job_under_another_pollers_lease_is_left_alone_until_the_lease_runs_out(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    job = make_job(user)
    lease(job, "another", utc_now() + LEASE)

    JobPoller(app).run_once()
    assert meshy.requests == []

    lease(job, "another", utc_now() - LEASE)
    meshy.answers += [answer(202, {"result": "task"})]
    JobPoller(app).run_once()
    db.session.expire_all()
    assert (job.status, job.lease_owner) == ("submitted", None)


def lease(job: Job, owner: str, until: object) -> None:
    with transaction() as session:
        session.execute(update(Job).where(Job.id == job.id).values(lease_owner=owner, lease_until=until))


def test_a_step_that_lost_its_lease_writes_nothing(app: Flask, user: User) -> None:
    job = make_job(user)
    lease(job, "somebody else", utc_now() + LEASE)
    hold = JobLease(job.id, "me", threading.Event())

    with pytest.raises(LeaseLost):
        hold.snooze(1000, Message("order.no_place"))
    hold.release()

    db.session.expire_all()
    assert (job.waiting_for, job.lease_owner) == (None, "somebody else")


def test_a_new_poller_takes_over_at_once_from_one_of_this_host_that_died(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    job = make_job(user)
    dead = JobPoller(app)
    dead._heartbeat.begin()
    lease(job, dead.id, utc_now() + LEASE)
    assert dead._heartbeat._lock_file is not None
    dead._heartbeat._lock_file.close()  # what the kernel does when a process ends, however it ends
    meshy.answers += [answer(202, {"result": "task"})]

    JobPoller(app).run_once()

    db.session.expire_all()
    assert job.status == "submitted"


def test_a_running_poller_notes_its_passes_and_is_forgotten_when_it_stops(
    app: Flask, meshy: PreparedServer
) -> None:
    poller = JobPoller(app)
    poller.start()
    until(lambda: db.session.get(Poller, poller.id) is not None)

    poller.stop()

    db.session.rollback()
    assert db.session.query(Poller).count() == 0


def test_new_work_wakes_the_poller_long_before_its_next_look(
    make_app: Callable[..., Flask], meshy: PreparedServer
) -> None:
    app = make_app(meshy_api_key="msy_test", meshy_api_base=meshy.base, poll_seconds=3600)
    meshy.answers += [answer(202, {"result": "task"})]
    with app.app_context():
        poller = app.extensions["acr3d_poller"] = JobPoller(app)
        poller.start()
        until(lambda: db.session.get(Poller, poller.id) is not None)

        make_job(make_user())

        until(lambda: bool(meshy.requests))


def test_a_slow_engine_holds_up_neither_stopping_for_long_nor_the_job_for_good(
    app: Flask, meshy: PreparedServer, user: User
) -> None:
    job = make_job(user)
    meshy.answers += [silent]
    poller = JobPoller(app)
    poller.start()
    until(lambda: bool(meshy.requests))

    started = time.monotonic()
    poller.stop(1)

    assert time.monotonic() - started < 5
    meshy.over.set()
    until(lambda: queries.job_by_id(job.id).lease_owner is None)
    assert len(meshy.requests) == 1
    until(lambda: not poller._threads.lanes())  # the last one gives its connection back


def test_a_poller_that_comes_late_leaves_the_file_that_another_has_kept(app: Flask, user: User) -> None:
    job = make_job(user)
    lease(job, "the other", utc_now() + LEASE)
    key = f"parts/{job.part_id}/raw/{job.id}.glb"
    raw = storage().temporary()
    raw.write_bytes(b"the same bytes")
    late = JobLease(job.id, "late", threading.Event())
    with transaction() as session:
        kept = {"status": "complete", "next_step": "none", "raw_storage_path": key}
        session.execute(update(Job).where(Job.id == job.id).values(kept))

    with pytest.raises(LeaseLost), late.store_and_write({key: raw}):
        pass

    with storage().open(key) as kept:
        assert kept.read() == b"the same bytes"


def test_a_canceled_job_keeps_no_file(app: Flask, user: User) -> None:
    job = make_job(user)
    key = f"parts/{job.part_id}/raw/{job.id}.glb"
    raw = storage().temporary()
    raw.write_bytes(b"nobody wants this any more")
    service.cancel(job.id, user)

    with pytest.raises(LeaseLost), JobLease(job.id, "me", threading.Event()).store_and_write({key: raw}):
        pass

    assert key not in set(storage().keys())

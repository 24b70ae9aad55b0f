"""New work is taken at once, whichever process it came in by; and what is worked on stays ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Job, Poller
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.parts.photos import add_photos
from acr3d.worker import heavy, loop
from acr3d.worker.listener import Listener
from acr3d.worker.loop import JobPoller
from tests.support.at_meshy import requests_per_second
from tests.support.contract.server import PreparedServer, answer, silent
from tests.support.factories import by_angle, make_part, make_part_with_photos, make_user, photo
from tests.worker.test_pollers import until


@pytest.fixture
def make(make_app: Callable[..., Flask], meshy: PreparedServer) -> Callable[[], Flask]:
    """Makes an app, as another process has it; its poller passes once an hour by itself."""
    return lambda: make_app(meshy_api_key="msy_test", meshy_api_base=meshy.base, poll_seconds=3600)


def start_poller(app: Flask) -> JobPoller:
    made = app.extensions["acr3d_poller"] = JobPoller(app)
    made.start()
    with app.app_context():
        until(lambda: db.session.get(Poller, made.id) is not None)
        db.session.rollback()
    return made


def make_job() -> Job:
    part = make_part_with_photos()
    return service.start(part.id, by_angle(part), "meshy", {}, make_user())


def test_work_that_comes_in_by_one_process_wakes_the_poller_of_another(
    make: Callable[[], Flask], meshy: PreparedServer
) -> None:
    start_poller(make())
    meshy.answers += [answer(202, {"result": "task"})]

    with make().app_context():
        make_job()
        until(lambda: bool(meshy.requests))


def test_a_process_that_requests_a_photo_check_is_heard_by_the_others(make: Callable[[], Flask]) -> None:
    heard: list[str] = []
    listener = Listener(make(), lambda: heard.append("notified"), lambda: heard.append("looked"))
    listener.start()
    with make().app_context():
        until(lambda: bool(heard))  # it listens now
        already = len(heard)

        add_photos(make_part().id, [photo()])

        until(lambda: len(heard) > already)
    listener.stop()


def test_a_requested_photo_check_begins_within_two_seconds_in_another_process(
    make: Callable[[], Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: dict[str, float] = {}
    monkeypatch.setattr(
        heavy,
        "check_photos",
        lambda claimed, _stop: begun.setdefault(claimed.part_id, time.monotonic()),
    )
    start_poller(make())
    seconds = []

    with make().app_context():
        for number in range(3):  # this machine may be busy for a moment
            part_id = make_part(f"P-{number}").id
            add_photos(part_id, [photo()])
            uploaded = time.monotonic()
            until(lambda part_id=part_id: part_id in begun)  # type: ignore[misc]
            seconds.append(begun[part_id] - uploaded)

    assert min(seconds) < 2


def test_a_listener_whose_connection_broke_listens_again(
    make: Callable[[], Flask], meshy: PreparedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acr3d.worker.listener._RETRY_SECONDS", 0.1)
    start_poller(make())
    meshy.answers += [answer(202, {"result": "task"})]

    with make().app_context():
        if db.engine.dialect.name == "postgresql":
            listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            listening += " WHERE query LIKE '%pg_try_advisory_lock($1)'"  # what it asked last
            here = " AND datname = current_database()"
            until(lambda: bool(db.session.scalars(sa.text(listening + here)).all()))
            db.session.rollback()
        make_job()
        until(lambda: bool(meshy.requests))


def test_a_poller_learns_of_another_one_and_halves_its_rate(make: Callable[[], Flask]) -> None:
    first = make()
    start_poller(first)
    alone = requests_per_second(first)

    other = make()
    start_poller(other)

    with first.app_context():
        until(lambda: requests_per_second(first) == alone / 2)
    with other.app_context():
        until(lambda: requests_per_second(other) == alone / 2)


@pytest.mark.parametrize("kind", ["a single pass", "a poller"])
def test_the_lease_of_a_long_step_is_renewed(
    make: Callable[[], Flask], meshy: PreparedServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(loop, "RENEW_SECONDS", 0.2)
    app = make()
    meshy.answers += [silent]
    with app.app_context():
        job = make_job()
        if kind == "a poller":
            start_poller(app)
        else:
            running = threading.Thread(target=JobPoller(app).run_once)
            running.start()
        until(lambda: bool(meshy.requests))
        with transaction() as session:
            session.execute(update(Job).values(lease_until=utc_now() - timedelta(seconds=1)))

        until(
            lambda: (queries.job_by_id(job.id).lease_until or utc_now()) > utc_now() + timedelta(seconds=50)
        )

        meshy.over.set()
        if kind == "a single pass":
            running.join()

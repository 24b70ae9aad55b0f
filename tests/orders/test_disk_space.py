"""A nearly full disk: nothing is ordered that could not be kept, and all goes on when there is room."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from acr3d.db.models import Job
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from tests.support.accounts import browser, log_in
from tests.support.at_meshy import KEY, created, creates, start, step
from tests.support.contract.server import PreparedServer
from tests.support.factories import finished_job, make_part_with_photos, make_user

NEARLY_FULL = "The disk is nearly full, so nothing is ordered."


@pytest.fixture
def with_room(
    make_app: Callable[..., Flask], meshy: PreparedServer, config: Settings
) -> Callable[[float], Flask]:
    """Makes an app for which this disk has room for so many jobs."""
    free_mb = shutil.disk_usage(config.instance).free / 1_000_000

    def make(jobs: float) -> Flask:
        return make_app(meshy_api_key=KEY, meshy_api_base=meshy.base, room_mb=int(free_mb / (jobs + 1)))

    return make


def test_without_room_nothing_is_sent_until_there_is_some(
    with_room: Callable[[float], Flask], meshy: PreparedServer
) -> None:
    app = with_room(0.5)
    with app.app_context():
        user = make_user()
        job, free = start("ONE", user), start("TWO", user, "builtin")
        for _look in range(3):
            step(app, job)
            step(app, free)

        assert (job.status, free.status, job.retry_count) == (Status.PENDING, Status.PENDING, 0)
        assert meshy.requests == []
        told = [event.detail or "" for event in queries.events_of(job.id)]
        assert [NEARLY_FULL in detail for detail in told] == [False, True]  # told once, not at each look

    roomy = with_room(2)
    with roomy.app_context():
        meshy.answers += [created()]
        assert step(roomy, queries.job_by_id(job.id)).status == Status.SUBMITTED


def test_room_is_reserved_for_each_job_at_the_engine(
    with_room: Callable[[float], Flask], meshy: PreparedServer
) -> None:
    app = with_room(1.5)
    with app.app_context():
        user = make_user()
        first, second = start("ONE", user), start("TWO", user)
        put_off(second)
        meshy.answers += [created(), created("second")]
        step(app, first)
        put_off(first)
        step(app, second)
        assert (first.status, second.status, creates(meshy)) == (Status.SUBMITTED, Status.PENDING, 1)

        with transaction() as session:
            session.execute(
                update(Job).where(Job.id == first.id).values(status=Status.COMPLETE, next_step="none")
            )
        step(app, second)
        assert (second.status, creates(meshy)) == (Status.SUBMITTED, 2)


def test_admins_are_told_of_a_full_disk(with_room: Callable[[float], Flask]) -> None:
    full, roomy = with_room(0.5), with_room(5)
    assert NEARLY_FULL in browser(full).get("/admin/").text

    admin = roomy.test_client()
    log_in(admin, "admin@example.com")
    assert NEARLY_FULL not in admin.get("/admin/").text


def test_a_parts_page_tells_the_space_that_its_files_take(app: Flask) -> None:
    admin = browser(app)
    with app.app_context():
        part = make_part_with_photos("ONE", ("front", "right"))
        storage().put(f"parts/{part.id}/raw/one.glb", b"-" * 7_000_000)
        with transaction() as session:
            session.add(finished_job(part.id, raw_storage_path=f"parts/{part.id}/raw/one.glb"))
        page = admin.get(f"/admin/parts/{part.id}").text

    assert "This part's files use 7 MB." in page


def put_off(job: Job) -> None:
    with transaction() as session:
        later = utc_now() + timedelta(hours=1)
        session.execute(update(Job).where(Job.id == job.id).values(next_at=later))

"""A job's lease: how long a step lets the job wait."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import event, update

from acr3d.db.extensions import db
from acr3d.db.models import Job
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.jobs.backoff import LONGEST_WAIT
from acr3d.jobs.lease import LEASE, JobLease
from acr3d.messages.message import Message
from tests.support.databases import ON_BOTH
from tests.support.factories import by_angle, make_part_with_photos, make_user

pytestmark = ON_BOTH

REASON = Message("order.no_place")


@pytest.fixture
def lease(in_app: Flask) -> JobLease:
    """The lease of a new job."""
    part = make_part_with_photos()
    job = service.start(part.id, by_angle(part), "builtin", {}, make_user())
    with transaction() as session:
        session.execute(update(Job).values(lease_owner="me", lease_until=utc_now() + LEASE))
    return JobLease(job.id, "me", threading.Event())


def wait_of(lease: JobLease) -> float:
    """Seconds until the job's next step."""
    return (queries.job_by_id(lease.job_id).next_at - utc_now()).total_seconds()


def test_a_wait_doubles_while_its_reason_lasts_up_to_a_bound(lease: JobLease) -> None:
    waits = []
    for _time in range(8):
        lease.back_off(15, REASON)
        waits.append(wait_of(lease))

    for times, wait in enumerate(waits):
        shortest = min(15 * 2**times, LONGEST_WAIT)
        assert shortest - 5 < wait <= 1.2 * shortest


def test_a_wait_is_short_again_after_a_step_that_found_something_new(lease: JobLease) -> None:
    for _time in range(4):
        lease.back_off(15, REASON)
    lease.snooze(0)

    lease.back_off(15, REASON)

    assert wait_of(lease) <= 1.2 * 15


def test_backing_off_takes_one_transaction(lease: JobLease) -> None:
    commits: list[object] = []
    writes = lambda connection: commits.append(connection)  # noqa: E731
    db.session.rollback()
    event.listen(db.engine, "commit", writes)

    lease.back_off(15, REASON)

    event.remove(db.engine, "commit", writes)
    assert len(commits) == 1

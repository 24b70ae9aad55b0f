"""Attempts at submitting a job: which are in flight, and what became of each.

An attempt is committed before its request goes out. Once it has an outcome (accepted or refused), that stays;
only a task that arrives late still counts, since it is paid for.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.billing import ledger
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, Part
from acr3d.db.session import transaction
from acr3d.db.states import AttemptState, NextStep, Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries, transitions
from acr3d.jobs.lease import ACTOR
from acr3d.messages.message import Message
from acr3d.orders.admission import wake_next

JOB_DEADLINE = timedelta(hours=2)
IN_FLIGHT = (AttemptState.SENDING, AttemptState.UNKNOWN)


def attempt_in_flight(job_id: str, session: Session | None = None) -> Attempt | None:
    """The job's attempt whose outcome is not known yet."""
    query = select(Attempt).where(Attempt.job_id == job_id, Attempt.state.in_(IN_FLIGHT))
    return (session or db.session).scalar(query)


def locked_attempt(session: Session, attempt_id: str) -> Attempt:
    """The attempt as it is now, locked until the transaction ends."""
    return session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)


def mark_not_created(attempt_id: str, message: Message) -> None:
    """Record that an attempt certainly created no task. A known outcome stays."""
    with transaction() as session:
        attempt = locked_attempt(session, attempt_id)
        if attempt.state in IN_FLIGHT:
            mark_refused(session, attempt, message)


def mark_refused(session: Session, attempt: Attempt, message: Message) -> None:
    """The same inside the caller's transaction, which has locked the attempt."""
    attempt.state, attempt.message = AttemptState.REFUSED, message
    attempt.settled_at = utc_now()
    session.flush()
    wake_next(session, attempt.account)


def mark_unknown(attempt_id: str, message: Message) -> None:
    """Record that no answer will come, so the order may have been taken. A known outcome stays."""
    with transaction() as session:
        attempt = locked_attempt(session, attempt_id)
        if attempt.state in IN_FLIGHT:
            attempt.state, attempt.message = AttemptState.UNKNOWN, message
            attempt.unknown_at = attempt.unknown_at or utc_now()


def mark_accepted(attempt_id: str, task_id: str, message: Message, *, only_in_flight: bool = False) -> None:
    """Record the task on the attempt and on the job in one transaction: between two, a crash would pay twice.

    It does not matter who holds the job by now, so an answer that comes late still keeps its task.
    `only_in_flight`: not when the outcome has become known, since the task was only found in a list.
    """
    job_id = db.session.get_one(Attempt, attempt_id).job_id
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        attempt = locked_attempt(session, attempt_id)
        is_open = attempt.state in IN_FLIGHT
        if is_open or (attempt.state == AttemptState.REFUSED and not only_in_flight):
            adopt_task(session, job, part, attempt, task_id, message)


def adopt_task(
    session: Session,
    job: Job,
    part: Part,
    attempt: Attempt,
    task_id: str,
    message: Message,
    actor: str = ACTOR,
) -> None:
    """The same inside the caller's transaction, which has locked job, part and attempt."""
    attempt.state, attempt.task_id, attempt.message = AttemptState.ACCEPTED, task_id, message
    attempt.settled_at = utc_now()
    ledger.order(session, job, task_id)
    session.flush()
    is_awaited = job.status == Status.PENDING and job.account == attempt.account
    if is_awaited and attempt_in_flight(job.id, session) is None:
        job.meshy_task_id = task_id
        job.submitted_at = utc_now()
        job.deadline_at = utc_now() + JOB_DEADLINE
        transitions.transition(session, job, part, Status.SUBMITTED, actor, message)
    elif job.status == Status.CANCELED:
        job.next_step, job.next_at = NextStep.REVOKE, utc_now()
    else:
        extra = Message("order.extra_task", task=task_id)
        transitions.log_event(session, job, actor, extra, Status(job.status))

"""The ledger: one entry for each order, estimated at first and corrected by what its task reports.

An entry without a task counts while its job waits to be sent. One with a task counts what the task cost, or
the estimate until that is known. A refund is an entry that cost 0. Every function runs inside the caller's
transaction, with the job locked.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from acr3d.db.models import CreditEntry, Job
from acr3d.db.types import utc_now


def day_of(moment: datetime) -> str:
    """The UTC day that an entry counts on; its first seven characters are the month."""
    return moment.strftime("%Y-%m-%d")


def reserve(session: Session, job: Job, user_id: str) -> None:
    """A person asked for `job`: its estimate counts from now on."""
    entry = _unsent(session, job.id) or CreditEntry(job_id=job.id)
    entry.user_id, entry.account, entry.estimated = user_id, job.account, job.estimated_credits
    entry.day = day_of(utc_now())
    session.add(entry)


def order(session: Session, job: Job, task_id: str) -> CreditEntry:
    """The account accepted the order. A second task of the same job is a separate entry."""
    entry = _unsent(session, job.id) or CreditEntry(job_id=job.id, user_id=job.created_by)
    entry.account, entry.task_id, entry.estimated = job.account, task_id, job.estimated_credits
    entry.day = day_of(utc_now())
    session.add(entry)
    session.flush()
    return entry


def settle(session: Session, job: Job, task_id: str, credits: int | None) -> None:
    """Record what the task cost. None: it stays unknown, so the estimate counts unless a cost is set."""
    query = select(CreditEntry).where(CreditEntry.account == job.account, CreditEntry.task_id == task_id)
    entry = session.scalar(query) or order(session, job, task_id)
    if credits is not None or entry.spent is None:
        entry.spent = entry.estimated if credits is None else credits
        entry.settled_at = utc_now()
    session.flush()
    job.meshy_credits_used = session.scalar(
        select(func.sum(CreditEntry.spent)).where(CreditEntry.job_id == job.id)
    )


def is_settled(session: Session, job: Job, task_id: str) -> bool:
    """Whether something is recorded as the task's cost, be it an estimate."""
    query = select(CreditEntry.spent).where(
        CreditEntry.account == job.account, CreditEntry.task_id == task_id
    )
    return session.scalar(query) is not None


def _unsent(session: Session, job_id: str) -> CreditEntry | None:
    query = select(CreditEntry).where(CreditEntry.job_id == job_id, CreditEntry.task_id.is_(None))
    return session.scalar(query)

"""The ledger: one entry for each order. Estimated when it is asked for, and corrected by what its task tells.

An entry without a task counts while its job waits to be sent; one with a task counts what it took, or the
estimate as long as nobody has told. A refund is an entry that took 0. Inside the caller's transaction, with
the job held.
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
    """Somebody wants `job` to be ordered: its estimate counts from now on."""
    entry = _unsent(session, job.id) or CreditEntry(job_id=job.id)
    entry.user_id, entry.account, entry.estimated = user_id, job.account, job.estimated_credits
    entry.day = day_of(utc_now())
    session.add(entry)


def order(session: Session, job: Job, task_id: str) -> CreditEntry:
    """The account took the order. A second task of one wish is an entry of its own."""
    entry = _unsent(session, job.id) or CreditEntry(job_id=job.id, user_id=job.created_by)
    entry.account, entry.task_id, entry.estimated = job.account, task_id, job.estimated_credits
    entry.day = day_of(utc_now())
    session.add(entry)
    session.flush()
    return entry


def settle(session: Session, job: Job, task_id: str, credits: int | None) -> None:
    """What the task took. None: nobody will ever tell; the estimate counts, unless it was told before."""
    query = select(CreditEntry).where(CreditEntry.account == job.account, CreditEntry.task_id == task_id)
    entry = session.scalar(query) or order(session, job, task_id)
    if credits is not None or entry.spent is None:
        entry.spent = entry.estimated if credits is None else credits
        entry.settled_at = utc_now()
    session.flush()
    job.meshy_credits_used = session.scalar(
        select(func.sum(CreditEntry.spent)).where(CreditEntry.job_id == job.id)
    )


def _unsent(session: Session, job_id: str) -> CreditEntry | None:
    query = select(CreditEntry).where(CreditEntry.job_id == job_id, CreditEntry.task_id.is_(None))
    return session.scalar(query)

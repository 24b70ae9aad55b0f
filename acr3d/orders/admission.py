"""Which job is sent next: when an account has a free slot, the job that has waited longest is woken.

So the others need to check only rarely. Everything runs inside the caller's transaction.
"""

from __future__ import annotations

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from acr3d.db.models import Attempt, EngineAccount, Job
from acr3d.db.states import AttemptState, BreakerCause, Status
from acr3d.db.types import utc_now

_QUIETLY = {"synchronize_session": False}


def slot_freed(session: Session, fingerprint: str) -> None:
    """One of our tasks at the account has ended, so a full queue has a free slot again."""
    is_full = (EngineAccount.fingerprint == fingerprint, EngineAccount.open_cause == BreakerCause.FULL)
    half_open = update(EngineAccount).where(*is_full).values(open_cause=None, opened_at=None)
    session.execute(half_open, execution_options=_QUIETLY)
    wake_next(session, fingerprint)


def wake_next(session: Session, fingerprint: str) -> None:
    """Make the oldest job due now that waits to be sent and is not leased.

    Jobs that wait for a person's decision, or after a failure of ours, are passed over.
    """
    is_asked = exists().where(
        Attempt.job_id == Job.id, Attempt.state == AttemptState.UNKNOWN, Attempt.asked_at.is_not(None)
    )
    oldest = (
        select(Job.id)
        .where(Job.account == fingerprint, Job.status == Status.PENDING, Job.lease_owner.is_(None))
        .where(~is_asked, Job.retry_count == 0)
        .order_by(Job.created_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    due = update(Job).where(Job.id.in_(oldest)).values(next_at=utc_now())
    session.execute(due, execution_options=_QUIETLY)

"""Whose turn it is to be sent: when a place at the account is free, the job that has waited longest is woken.

Everybody else may then look seldom. Inside the caller's transaction.
"""

from __future__ import annotations

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from acr3d.db.models import Attempt, EngineAccount, Job
from acr3d.db.states import AttemptState, Pause, Status
from acr3d.db.types import utc_now

_QUIETLY = {"synchronize_session": False}


def place_freed(session: Session, fingerprint: str) -> None:
    """A task of ours at this account has ended, so that a full queue has a place again."""
    full = (EngineAccount.fingerprint == fingerprint, EngineAccount.pause == Pause.FULL)
    lifted = update(EngineAccount).where(*full).values(pause=None, paused_at=None)
    session.execute(lifted, execution_options=_QUIETLY)
    wake_next(session, fingerprint)


def wake_next(session: Session, fingerprint: str) -> None:
    """Let the oldest job that waits to be sent, and that nobody holds, be due now.

    One that waits for a person's word, or after a failure of ours, does not stand in the line.
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

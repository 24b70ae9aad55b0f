"""Login sessions that have ended although their cookie may still exist somewhere.

A session is a signed cookie. Only those that were logged out are stored, so that a login writes nothing and
works on a full disk.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists

from acr3d.db.models import EndedSession
from acr3d.db.session import transaction
from acr3d.db.types import is_id, utc_now

KEPT = timedelta(days=32)
"""Flask takes no cookie that was signed more than 31 days ago (PERMANENT_SESSION_LIFETIME)."""


def end(login_id: str) -> None:
    """End the session of one login, also for whoever has copied its cookie."""
    if not is_id(login_id):
        return
    with transaction() as session:
        session.execute(delete(EndedSession).where(EndedSession.ended_at < utc_now() - KEPT))
        session.merge(EndedSession(id=login_id))


def has_ended(login_id: str) -> ColumnElement[bool]:
    """For a query: whether this login's session was ended."""
    return exists().where(EndedSession.id == login_id)

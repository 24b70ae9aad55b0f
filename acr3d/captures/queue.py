"""Which captures are due to be read, and who reads one: a claim moves `due_at` past the longest reading.

A claim is good as long as `due_at` is what it wrote: whoever was too slow writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Capture
from acr3d.db.session import database_now, end_read, transaction
from acr3d.db.states import CaptureState

LEASE = timedelta(minutes=12)
"""Longer than the child that reads, and the longest other heavy work of the host that it may wait for."""


class LostClaim(Exception):
    """Somebody deleted the capture, or another poller has it."""


@dataclass
class Claim:
    """The right to read one capture until then; `tries` counts this one too."""

    capture_id: str
    until: datetime
    tries: int


def next_due() -> datetime | None:
    """When the next capture becomes due."""
    return db.session.scalar(select(func.min(Capture.due_at)).where(Capture.due_at.is_not(None)))


def due(before: datetime, count: int) -> list[str]:
    """The captures that have waited longest and were due `before`, at most `count`."""
    query = select(Capture.id).where(_is_due(before)).order_by(Capture.due_at).limit(count)
    found = list(db.session.scalars(query))
    end_read()
    return found


def claim(capture_id: str | None = None) -> Claim | None:
    """Claim the capture that has waited longest, or this one; None when it is not due."""
    with transaction() as session:
        now = database_now(session)
        is_due = _is_due(now)
        longest = select(Capture.id).where(is_due).order_by(Capture.due_at).limit(1)
        if capture_id is not None:
            longest = longest.where(Capture.id == capture_id)
        until = now + LEASE
        found = session.execute(
            update(Capture)
            .where(Capture.id.in_(longest.with_for_update(skip_locked=True)), is_due)
            .values(due_at=until, state=CaptureState.READING, tries=Capture.tries + 1)
            .returning(Capture.id, Capture.tries)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        return Claim(found.id, until, found.tries) if found else None


def _is_due(now: datetime) -> ColumnElement[bool]:
    """A time too far ahead was written before the clock was set back."""
    return or_(Capture.due_at <= now, Capture.due_at > now + 2 * LEASE)


@contextmanager
def holding(claimed: Claim) -> Iterator[tuple[Session, Capture]]:
    """A writing transaction with the capture, locked; the claim goes on from now. Raises LostClaim."""
    with transaction() as session:
        query = select(Capture).where(Capture.id == claimed.capture_id, Capture.due_at == claimed.until)
        capture = session.scalar(query.with_for_update().execution_options(populate_existing=True))
        if capture is None:
            raise LostClaim
        until = capture.due_at = database_now(session) + LEASE
        yield session, capture
    claimed.until = until  # only now that it is committed

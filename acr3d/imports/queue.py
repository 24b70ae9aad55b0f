"""Which imports are due, and who works on one: a claim moves `due_at` past the longest step.

A claim is good as long as `due_at` is what it wrote: every batch checks that in its own transaction, so two
pollers never write the same rows, and a person's stop takes hold with the next batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from acr3d.db import content_stamp
from acr3d.db.extensions import db
from acr3d.db.models import Import
from acr3d.db.session import database_now, end_read, transaction

LEASE = timedelta(minutes=6)
"""Longer than reading a file (`table.LIMITS`), downloading and converting a photo, or any batch."""
_TRY_AGAIN = timedelta(minutes=1)


class LostClaim(Exception):
    """Somebody stopped the import, or another poller has it."""


@dataclass
class Claim:
    """The right to work on one import until then."""

    import_id: str
    until: datetime


def next_due() -> datetime | None:
    """When the next import becomes due."""
    return db.session.scalar(select(func.min(Import.due_at)).where(Import.due_at.is_not(None)))


def due(before: datetime, count: int) -> list[str]:
    """The imports that have waited longest and were due `before`, at most `count`."""
    query = select(Import.id).where(_is_due(before)).order_by(Import.due_at).limit(count)
    found = list(db.session.scalars(query))
    end_read()
    return found


def claim(import_id: str | None = None) -> Claim | None:
    """Claim the import that has waited longest, or this one; None when it is not due."""
    with transaction() as session:
        now = database_now(session)
        is_due = _is_due(now)
        longest = select(Import.id).where(is_due).order_by(Import.due_at).limit(1)
        if import_id is not None:
            longest = longest.where(Import.id == import_id)
        until = now + LEASE
        found = session.scalar(
            update(Import)
            .where(Import.id.in_(longest.with_for_update(skip_locked=True)), is_due)
            .values(due_at=until)
            .returning(Import.id)
            .execution_options(synchronize_session=False)
        )
        return Claim(found, until) if found else None


def _is_due(now: datetime) -> ColumnElement[bool]:
    """A time too far ahead was written before the clock was set back."""
    return or_(Import.due_at <= now, Import.due_at > now + 2 * LEASE)


def try_again(import_id: str) -> None:
    """Let a poller go on in a minute: the process that worked on the import has died."""
    with transaction() as session:
        session.execute(
            update(Import)
            .where(Import.id == import_id, Import.due_at.is_not(None))
            .values(due_at=database_now(session) + _TRY_AGAIN)
        )


@contextmanager
def holding(claimed: Claim) -> Iterator[tuple[Session, Import]]:
    """A writing transaction with the import, locked; the claim goes on from now. Raises LostClaim."""
    with transaction() as session:
        record = held(session, claimed)
        until = record.due_at
        yield session, record
    if until is not None:
        claimed.until = until  # only now that it is committed


def held(session: Session, claimed: Claim) -> Import:
    """As `holding`, in the caller's transaction: when that has ended, the claim goes on until `due_at`."""
    query = select(Import).where(Import.id == claimed.import_id, Import.due_at == claimed.until)
    record = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if record is None:
        raise LostClaim
    record.due_at = database_now(session) + LEASE
    content_stamp.may_show_later(session)  # many batches a second
    return record

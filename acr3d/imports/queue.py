"""Which imports are due, and who works on one: a claim moves `due_at` past the longest step.

A claim is good as long as `due_at` is what it wrote: every batch checks that in its own transaction, so two
pollers never write the same rows, and a person's stop takes hold with the next batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Import
from acr3d.db.session import database_now, transaction

LEASE = timedelta(minutes=4)
"""Longer than a file takes to be read (`table.LIMITS`), and than any batch."""


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


def claim(import_id: str | None = None) -> Claim | None:
    """Claim the import that has waited longest, or this one; None when it is not due."""
    with transaction() as session:
        now = database_now(session)
        # A time too far ahead was written before the clock was set back.
        is_due = or_(Import.due_at <= now, Import.due_at > now + 2 * LEASE)
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


@contextmanager
def holding(claimed: Claim) -> Iterator[tuple[Session, Import]]:
    """A writing transaction with the import, locked; the claim goes on from now. Raises LostClaim."""
    with transaction() as session:
        query = select(Import).where(Import.id == claimed.import_id, Import.due_at == claimed.until)
        record = session.scalar(query.with_for_update().execution_options(populate_existing=True))
        if record is None:
            raise LostClaim
        until = record.due_at = database_now(session) + LEASE
        yield session, record
    claimed.until = until  # only now that it is committed

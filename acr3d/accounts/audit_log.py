"""Reads the log of who changed what, and deletes entries older than a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select

from acr3d.db.extensions import db
from acr3d.db.models import LogEntry, Part
from acr3d.db.session import transaction
from acr3d.db.types import utc_now

KEPT = timedelta(days=365)
PAGE_SIZE = 50


@dataclass(frozen=True)
class Line:
    """One entry, and its part as it is called now."""

    entry: LogEntry
    part: Part | None


@dataclass(frozen=True)
class LogPage:
    """Entries, newest first; `before` leads to older ones."""

    lines: list[Line]
    before: int | None


def page(
    *, actor: str | None = None, sku_look: str = "", kind: str = "", before: int | None = None
) -> LogPage:
    """The newest entries, optionally those of one person, part (see `parts.skus.look`) or kind only,
    older than `before`."""
    query = select(LogEntry, Part).outerjoin(Part, Part.id == LogEntry.part_id).order_by(LogEntry.id.desc())
    if actor is not None:
        query = query.where(LogEntry.actor == actor)
    if sku_look:
        query = query.where(Part.sku_look == sku_look)
    if kind:
        query = query.where(LogEntry.kind == kind)
    if before is not None:
        query = query.where(LogEntry.id < before)
    found = [Line(entry, part) for entry, part in db.session.execute(query.limit(PAGE_SIZE + 1))]
    lines = found[:PAGE_SIZE]
    return LogPage(lines, lines[-1].entry.id if len(found) > PAGE_SIZE else None)


def actors() -> list[str]:
    """Everybody who has entries; the empty one is the server."""
    return list(db.session.scalars(select(LogEntry.actor).distinct().order_by(LogEntry.actor)))


def forget_old() -> None:
    """Delete what is older than KEPT."""
    with transaction() as session:
        session.execute(delete(LogEntry).where(LogEntry.at < utc_now() - KEPT))

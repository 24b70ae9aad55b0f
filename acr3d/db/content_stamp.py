"""A stamp that is new after every change of what customers may see: the validator of all public answers.

It is written in the transaction of the change, as its last statement, so that transactions wait for each
other's commit only, and never in a circle. A reader takes the stamp before the content: what it then reads
is at least that new.

Work that changes the content many times a minute lets its changes show later, together (`may_show_later`):
otherwise every page would be rendered again for each of them. The row then says when they show, so they do
even if no further stamp is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, case, event, func, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session

from acr3d.db.extensions import db
from acr3d.db.models import ContentStamp
from acr3d.db.models.content import ONLY_ROW
from acr3d.db.session import database_now
from acr3d.db.types import Moment, new_id, utc_now

NOT_SHOWN = "acr3d_not_shown"
"""The execution option of a statement that changes only what customers never see of a public table."""
LATEST = timedelta(seconds=15)
"""A change that may show later shows within this time."""
_COMMIT = timedelta(seconds=5)
"""Longer than a commit takes: a change must not be told to show at a moment before its commit."""
_CHANGED = "acr3d_content_changed"
_LATER = "acr3d_content_shows_later"
# Everything else, a table that is added later included, counts as public: too many stamps cost only work.
PRIVATE = frozenset(
    {
        "api_tokens",
        "batch_parts",
        "batches",
        "bulk_changes",
        "capture_blobs",
        "capture_files",
        "captures",
        "clean_photos",  # a photo that shows one says so
        "content_stamp",
        "credit_entries",
        "ended_sessions",
        "engine_accounts",
        "generation_attempts",
        "import_photos",
        "import_rows",
        "imports",
        "job_events",
        "log_entries",
        "model_files",  # made in batches, which say `changed`
        "model_generation_jobs",
        "notice_outlets",
        "notices",
        "photo_checks",
        "photo_outlines",
        "pollers",
        "stray_tasks",
        "users",
    }
)

_HAS_SHOWN = ContentStamp.shows_at <= func.current_timestamp()
_STAMP = select(
    case((_HAS_SHOWN, ContentStamp.stamp + "+"), else_=ContentStamp.stamp),
    case((_HAS_SHOWN, ContentStamp.shows_at), else_=ContentStamp.changed_at),
).where(ContentStamp.id == ONLY_ROW)


@dataclass(frozen=True)
class Stamp:
    """The stamp, and when the content last changed; empty and None while it never has."""

    value: str
    changed_at: datetime | None


def changed(session: Session) -> None:
    """Say that what customers see is new with this transaction, though its own statements do not show it, or
    though it may show later.
    """
    session.info[_CHANGED] = True
    session.info.pop(_LATER, None)


def may_show_later(session: Session) -> None:
    """Let what this transaction changes show within `LATEST`, together with other such changes."""
    session.info[_LATER] = True


def present_stamp() -> Stamp:
    """The stamp now. Read it before the content."""
    row = db.session.execute(_STAMP).one_or_none()
    return Stamp(*row) if row else Stamp("", None)


def committed_stamp() -> Stamp:
    """The same for a request that has read nothing yet, at a third of the cost: without the session.

    Within a reading transaction it could be newer than what that reads.
    """
    with db.engine.connect() as connection:
        row = connection.execute(_STAMP).one_or_none()
    return Stamp(*row) if row else Stamp("", None)


class StampReader:
    """Reads the committed stamp at a tenth of the cost, through the driver's own connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sql = str(_STAMP.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
        self.Error: type[Exception] = engine.dialect.loaded_dbapi.Error
        """What the driver raises, besides SQLAlchemy's errors."""

    def read(self) -> str:
        """Empty while the content has never changed."""
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(self._sql)
            row = cursor.fetchone()
            cursor.close()
        finally:
            connection.close()
        return str(row[0]) if row else ""


@event.listens_for(Session, "after_flush")
def _see_flushed(session: Session, _context: object) -> None:
    touched = [*session.new, *session.dirty, *session.deleted]
    if any(row.__tablename__ not in PRIVATE for row in touched):
        session.info[_CHANGED] = True


@event.listens_for(Session, "do_orm_execute")
def _see_statement(state: ORMExecuteState) -> None:
    if not (state.is_insert or state.is_update or state.is_delete) or state.execution_options.get(NOT_SHOWN):
        return
    if state.statement.table.name not in PRIVATE:  # type: ignore[attr-defined]
        state.session.info[_CHANGED] = True


@event.listens_for(Session, "before_commit")
def _stamp(session: Session) -> None:
    session.flush()
    later = session.info.pop(_LATER, False)
    if not session.info.pop(_CHANGED, False):
        return
    if later and _shows_later(session):
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    fresh = {"stamp": new_id(), "changed_at": utc_now(), "shows_at": None}
    row = dialect.insert(ContentStamp).values(id=ONLY_ROW, **fresh)
    session.execute(row.on_conflict_do_update(index_elements=["id"], set_=fresh))


def _shows_later(session: Session) -> bool:
    """Whether the row says, by now, that changes show later, and late enough for this one."""
    now = database_now(session)
    # A moment too far ahead was written before the clock was set back.
    is_in_time = ContentStamp.shows_at.between(now + _COMMIT, now + LATEST)
    said = (
        update(ContentStamp)
        .where(ContentStamp.id == ONLY_ROW, or_(ContentStamp.shows_at.is_(None), is_in_time))
        .values(shows_at=func.coalesce(ContentStamp.shows_at, literal(now + LATEST, Moment)))
        .returning(ContentStamp.id)
    )
    return session.scalar(said.execution_options(synchronize_session=False)) is not None


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_CHANGED, None)
    session.info.pop(_LATER, None)

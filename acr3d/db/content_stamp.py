"""A stamp that is new after every change of what customers may see: the validator of all public answers.

It is written in the transaction of the change, as its last statement, so that transactions wait for each
other's commit only, and never in a circle. A reader takes the stamp before the content: what it then reads
is at least that new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session

from acr3d.db.extensions import db
from acr3d.db.models import ContentStamp
from acr3d.db.models.content import ONLY_ROW
from acr3d.db.types import new_id, utc_now

NOT_SHOWN = "acr3d_not_shown"
"""The execution option of a statement that changes only what customers never see of a public table."""
_CHANGED = "acr3d_content_changed"
# Everything else, a table that is added later included, counts as public: too many stamps cost only work.
PRIVATE = frozenset(
    {
        "api_tokens",
        "bulk_changes",
        "content_stamp",
        "credit_entries",
        "ended_sessions",
        "engine_accounts",
        "generation_attempts",
        "import_rows",
        "imports",
        "job_events",
        "model_generation_jobs",
        "photo_checks",
        "photo_outlines",
        "pollers",
        "stray_tasks",
        "users",
    }
)

_STAMP = select(ContentStamp.stamp, ContentStamp.changed_at).where(ContentStamp.id == ONLY_ROW)


@dataclass(frozen=True)
class Stamp:
    """The stamp, and when the content last changed; empty and None while it never has."""

    value: str
    changed_at: datetime | None


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
    if session.info.pop(_CHANGED, False):
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        fresh = {"stamp": new_id(), "changed_at": utc_now()}
        row = dialect.insert(ContentStamp).values(id=ONLY_ROW, **fresh)
        session.execute(row.on_conflict_do_update(index_elements=["id"], set_=fresh))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_CHANGED, None)

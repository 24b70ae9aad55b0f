"""Reading and writing many followed jobs at once: a few statements, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Integer, String, Text, column, select, update, values

from acr3d.db.extensions import db
from acr3d.db.models import HAS_NEXT_STEP, Job, Part
from acr3d.db.models.message_columns import MessageColumns
from acr3d.db.session import transaction
from acr3d.db.types import Id, Moment
from acr3d.jobs.queue import locked
from acr3d.messages.message import Message

_WAITING = MessageColumns(*(_WAITING_NAMES := ("waiting_for", "waiting_code", "waiting_params")))
_AT_ONCE = 2000  # rows in one statement; SQLite takes 32766 values, PostgreSQL 65535


@dataclass(frozen=True)
class InFlight:
    """What a look needs to know of a followed job."""

    id: str
    part_id: str
    engine: str
    account: str
    task_id: str
    status: str
    progress: int
    snooze_count: int
    waiting_for: str | None
    waiting_code: str | None
    waiting_params: dict[str, Any] | None
    submitted_at: datetime | None
    deadline_at: datetime | None


@dataclass(frozen=True)
class ProgressUpdate:
    """What one look at a job found: how far its task is, when to look again, and why it waits, if it does."""

    job: InFlight
    progress: int
    next_at: datetime
    snooze_count: int
    waiting: Message | None = None

    @property
    def row(self) -> tuple[object, ...]:
        return self.job.id, self.progress, self.next_at, self.snooze_count, *self._waiting

    @property
    def _waiting(self) -> tuple[object, ...]:
        """As the columns of a job hold it."""
        return tuple(_WAITING.values(self.waiting)[name] for name in _WAITING_NAMES)

    @property
    def is_news(self) -> bool:
        """Whether an open page wants to hear of it."""
        before = (self.job.waiting_for, self.job.waiting_code, self.job.waiting_params)
        return self.progress != self.job.progress or self._waiting != before


def in_flight(owner: str) -> list[InFlight]:
    """The jobs leased to `owner`; who waited longest comes first."""
    query = select(
        Job.id,
        Job.part_id,
        Job.engine,
        Job.account,
        Job.meshy_task_id.label("task_id"),
        Job.status,
        Job.progress,
        Job.snooze_count,
        Job.waiting_for,
        Job.waiting_code,
        Job.waiting_params,
        Job.submitted_at,
        Job.deadline_at,
    )
    found = db.session.execute(
        query.where(HAS_NEXT_STEP, Job.lease_owner == owner).order_by(Job.next_at)
    ).all()
    db.session.commit()
    return [InFlight(**row._mapping) for row in found]


def write_progress(owner: str, looks: list[ProgressUpdate]) -> None:
    """Write down what was found of those jobs that are still leased to `owner`, and let them go.

    No line in any history: nothing but progress, and when to look again.
    """
    for first in range(0, len(looks), _AT_ONCE):
        _write(owner, looks[first : first + _AT_ONCE])


def _write(owner: str, looks: list[ProgressUpdate]) -> None:
    news = [look.job.part_id for look in looks if look.is_news]
    found = (
        values(
            column("job_id", Id),
            column("progress", Integer),
            column("next_at", Moment),
            column("snooze_count", Integer),
            column("waiting_for", Text),
            column("waiting_code", String),
            column("waiting_params", JSON(none_as_null=True)),
            name="found",
        )
        .data([look.row for look in looks])
        .cte("found")
    )
    quietly = {"synchronize_session": False}
    with transaction() as session:
        # Parts before jobs, each in the order of their ids, as everywhere: else two could block each other.
        if news:
            parts = select(Part.id).where(Part.id.in_(news)).order_by(Part.id).with_for_update()
            bump = update(Part).where(Part.id.in_(parts)).values(revision=Part.revision + 1)
            session.execute(bump.execution_options(**quietly))
        session.execute(
            update(Job)
            .where(Job.id == found.c.job_id, Job.id.in_(locked(Job.lease_owner == owner)))
            .values(
                progress=found.c.progress,
                next_at=found.c.next_at,
                snooze_count=found.c.snooze_count,
                **{name: found.c[name] for name in _WAITING_NAMES},
                lease_owner=None,
                lease_until=None,
            )
            .execution_options(**quietly)
        )

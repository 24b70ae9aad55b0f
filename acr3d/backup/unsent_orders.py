"""Keeps a restored database from ordering again what was ordered after the backup.

A job that waited to be sent when the backup was made has probably been sent since. Whether it was cannot
always be found out afterwards: its task may have been made by a later attempt, or be deleted by now. So it
fails with a sentence, and a person decides. The built-in engine's work is in no backup and costs nothing.

The tables are written as every schema since the first release has them, since a backup may be older than the
code; `Schema` tells where schemas differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    String,
    TypeDecorator,
    and_,
    column,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    select,
    table,
    update,
)

from acr3d.db.models.message_columns import MessageColumns
from acr3d.db.states import AttemptState, ModelStatus, NextStep, Status
from acr3d.db.types import Moment
from acr3d.engines.registry import names_with
from acr3d.messages.message import Message


class _Json(TypeDecorator[Any]):
    """JSON that can be written into a statement's text: psql reads a whole restore as one script."""

    impl = JSON
    cache_ok = True

    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        return "'" + json.dumps(value).replace("'", "''") + "'"


ACTOR = "restore"


@dataclass(frozen=True)
class Schema:
    """What the backup's schema has; an older one gets it from the upgrade."""

    has_next_step: bool
    has_message_codes: bool


_PARTS = table(
    "parts",
    *(column(name, String()) for name in ("id", "model_status", "model_generation_error")),
    *(column("model_generation_error_code", String()), column("model_generation_error_params", _Json())),
    *(column("revision"), column("model_generation_completed_at", Moment())),
)
_JOBS = table(
    "model_generation_jobs",
    *(column(name, String()) for name in ("id", "part_id", "status", "engine")),
    *(column("error_message", String()), column("error_code", String()), column("error_params", _Json())),
    *(column(name, String()) for name in ("waiting_for", "lease_owner")),
    *(column(name, Moment()) for name in ("created_at", "completed_at", "lease_until")),
    column("next_step", String()),
    column("raw_refused", Boolean()),
    column("has_result", Boolean()),  # before revision next_step
)
_ATTEMPTS = table(
    "generation_attempts",
    *(column(name, String()) for name in ("job_id", "state", "detail", "detail_code")),
    column("detail_params", _Json()),
    column("settled_at", Moment()),
)
_EVENTS = table(
    "job_events",
    *(column(name, String()) for name in ("job_id", "actor", "from_status", "to_status", "detail")),
    *(column("detail_code", String()), column("detail_params", _Json())),
    column("at", Moment()),
)
_POLLERS = table("pollers")


def statements(
    made_at: datetime, now: datetime, tables: Mapping[str, int], schema: Schema
) -> Iterator[Executable]:
    """What to run, in this order, on a database with `tables`, restored `now` from a backup of `made_at`."""
    if _JOBS.name not in tables:
        return
    at = f"{made_at.astimezone(UTC):%Y-%m-%d %H:%M}"
    at_engine = (Status.PENDING, Status.SUBMITTED, Status.PROCESSING)
    is_local = _JOBS.c.engine.in_(names_with(lambda can: can.local))
    local = and_(is_local, _JOBS.c.status.in_(at_engine))
    waited = and_(~is_local, _JOBS.c.status == Status.PENDING)
    yield from _ending(local, Message("job.restored_builtin", at=at), now, schema)
    yield from _ending(waited, Message("job.restored_unsent", at=at), now, schema)
    yield delete(_POLLERS)
    yield update(_JOBS).where(_JOBS.c.lease_owner.is_not(None)).values(lease_owner=null(), lease_until=null())


def count_ended(connection: Connection, now: datetime, tables: Mapping[str, int]) -> int:
    """How many jobs the statements of `now` have ended."""
    if _EVENTS.name not in tables:
        return 0
    events = select(func.count()).select_from(_EVENTS).where(_EVENTS.c.actor == ACTOR, _EVENTS.c.at == now)
    return connection.scalar(events) or 0


def _ending(which: ColumnElement[bool], why: Message, now: datetime, schema: Schema) -> Iterator[Executable]:
    """Let the jobs fail as `jobs.transitions.transition` does: part, history, attempts, and last the jobs."""

    def columns(text: str, code: str, params: str) -> dict[str, Any]:
        values = MessageColumns(text, code, params).values(why)
        return values if schema.has_message_codes else {text: values[text]}

    detail = columns("detail", "detail_code", "detail_params")
    step = (
        {"next_step": NextStep.NONE, "raw_refused": false()}
        if schema.has_next_step
        else {"has_result": false()}
    )
    newer = _JOBS.alias("newer")
    is_newest = ~exists().where(newer.c.part_id == _JOBS.c.part_id, newer.c.created_at > _JOBS.c.created_at)
    yield (
        update(_PARTS)
        .where(_PARTS.c.id.in_(select(_JOBS.c.part_id).where(which, is_newest)))
        .values(
            model_status=ModelStatus.FAILED,
            **columns(
                "model_generation_error", "model_generation_error_code", "model_generation_error_params"
            ),
            model_generation_completed_at=now,
            revision=_PARTS.c.revision + 1,
        )
    )
    event = {
        "job_id": _JOBS.c.id,
        "at": literal(now, Moment()),
        "actor": literal(ACTOR),
        "from_status": _JOBS.c.status,
        "to_status": literal(str(Status.FAILED)),
        **{name: literal(value, _EVENTS.c[name].type) for name, value in detail.items()},
    }
    yield insert(_EVENTS).from_select(list(event), select(*event.values()).where(which))
    in_flight = _ATTEMPTS.c.state.in_((AttemptState.SENDING, AttemptState.UNKNOWN))
    yield (
        update(_ATTEMPTS)
        .where(_ATTEMPTS.c.job_id.in_(select(_JOBS.c.id).where(which)), in_flight)
        .values(state=AttemptState.REFUSED, settled_at=now, **detail)
    )
    yield (
        update(_JOBS)
        .where(which)
        .values(
            status=Status.FAILED,
            **columns("error_message", "error_code", "error_params"),
            completed_at=now,
            waiting_for=null(),
            **step,
        )
    )

"""What a poller does with running batches: order the next parts, while few of the last are being made.

Each order is one transaction, which also marks its part as ordered, so that no part is ordered twice after a
kill or by two pollers.
"""

from __future__ import annotations

import logging
from collections import deque

from flask_babel import force_locale, gettext
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from acr3d import settings
from acr3d.accounts import rights
from acr3d.accounts.rights import Right
from acr3d.batches.choice import look
from acr3d.billing.budget import OverBudget
from acr3d.db.extensions import db
from acr3d.db.models import Batch, BatchPart, Job, User
from acr3d.db.session import end_read, transaction
from acr3d.db.states import LIVE, BatchState
from acr3d.engines.registry import engines
from acr3d.errors import InvalidInput
from acr3d.jobs import service
from acr3d.parts.parts import part_by_id

log = logging.getLogger("acr3d.poller")

_MOST_AT_ONCE = 10
"""Orders in one pass, which must stay short."""


class _NotNow(Exception):
    """The batch or its part may no longer be ordered."""


class _Pauses(Exception):
    """The batch has to wait for a person; `str()` says why."""


def order_due() -> None:
    """Order the next parts of all running batches in turn, as far as the limit of tasks at once allows."""
    running = select(Batch.id).where(Batch.state == BatchState.RUNNING).order_by(Batch.created_at)
    waiting = deque(db.session.scalars(running))
    end_read()
    room = min(_room(), _MOST_AT_ONCE) if waiting else 0
    while waiting and room > 0:
        batch_id = waiting.popleft()
        if _ordered_next(batch_id):
            waiting.append(batch_id)
            room -= 1


def _ordered_next(batch_id: str) -> bool:
    """As `_order_next`; a batch that fails pauses."""
    try:
        return _order_next(batch_id)
    except SQLAlchemyError:
        raise  # the database is away: the next pass continues
    except Exception:  # the poller's other work must not stop for it
        log.exception("batch.failed batch=%s", batch_id)
        _end(batch_id, BatchState.PAUSED, gettext("Ordering failed. See the server's log."))
        return False


def _room() -> int:
    """How many more tasks batches may have at once."""
    live = (
        select(func.count())
        .select_from(BatchPart)
        .join(Job, Job.id == BatchPart.job_id)
        .where(Job.status.in_(LIVE))
    )
    count = db.session.scalar(live) or 0
    end_read()
    return settings.current().max_concurrent_tasks - count


def _order_next(batch_id: str) -> bool:
    """Order one part, or leave it out; returns whether there may be more."""
    batch = db.session.get_one(Batch, batch_id)
    waiting = select(BatchPart).where(BatchPart.batch_id == batch_id, BatchPart.state == "waiting")
    part = db.session.scalar(waiting.order_by(BatchPart.number).limit(1))
    if part is None:
        _end(batch_id, BatchState.DONE)
        return False
    with force_locale(batch.language):
        try:
            _order(batch, part)
        except _NotNow:
            return False
        except (OverBudget, _Pauses) as problem:
            _end(batch_id, BatchState.PAUSED, str(problem))
            return False
        except InvalidInput as problem:  # of this part alone: photos, a job of its own, the same order before
            _leave_out(batch_id, part.number, str(problem))
    return True


def _order(batch: Batch, part: BatchPart) -> None:
    actor = db.session.get_one(User, batch.created_by)
    if not actor.is_active or Right.GENERATE not in rights.of_role(actor.role):
        raise _Pauses(gettext("The person who started this may no longer order. Nothing more was ordered."))
    _check_engine(batch)
    batch_id, number, agreed = batch.id, part.number, batch.credits_each
    engine, config, part_id = batch.engine, dict(batch.generation_config), part.part_id
    selected = look(part_by_id(part_id)).selected
    end_read()

    def also(session: Session, job: Job) -> None:
        row = _held(session, batch_id, number)
        if job.estimated_credits > agreed:
            raise _Pauses(gettext("A model costs more now than was agreed to. Nothing more was ordered."))
        row.state, row.job_id = "ordered", job.id

    service.start(part_id, selected, engine, config, actor, also=also)
    log.info("batch.ordered batch=%s part=%s", batch_id, part_id)


def _check_engine(batch: Batch) -> None:
    """Raises _Pauses for what refuses every part: a missing engine, or settings that it no longer takes."""
    provider = engines().provider(batch.engine)
    if provider is None:
        raise _Pauses(gettext("The engine “%(name)s” is not set up here.", name=batch.engine))
    try:
        service.check_config(provider, dict(batch.generation_config))
    except InvalidInput as problem:
        raise _Pauses(str(problem)) from problem


def _held(session: Session, batch_id: str, number: int) -> BatchPart:
    """The part, locked with its batch, if it is still to be ordered. Raises _NotNow."""
    fresh = {"populate_existing": True}
    batch = select(Batch.id).where(Batch.id == batch_id, Batch.state == BatchState.RUNNING).with_for_update()
    query = select(BatchPart).where(
        BatchPart.batch_id == batch_id, BatchPart.number == number, BatchPart.state == "waiting"
    )
    row = session.scalar(query, execution_options=fresh) if session.scalar(batch) else None
    if row is None:
        raise _NotNow
    return row


def _leave_out(batch_id: str, number: int, why: str) -> None:
    try:
        with transaction() as session:
            row = _held(session, batch_id, number)
            row.state, row.problem = "left_out", why
    except _NotNow:
        return


def _end(batch_id: str, state: BatchState, problem: str = "") -> None:
    """Put the batch into this state if it is still running."""
    with transaction() as session:
        batch = session.get_one(Batch, batch_id, with_for_update=True, populate_existing=True)
        if batch.state == BatchState.RUNNING:
            batch.state, batch.problem = state, problem

"""What people do with batches: prepare one, see its price, start, pause, resume, stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from acr3d.batches.choice import Looked, look_all
from acr3d.billing import budget
from acr3d.db.extensions import db
from acr3d.db.models import Batch, BatchPart, Part, User
from acr3d.db.session import end_read, transaction
from acr3d.db.states import BatchState
from acr3d.db.types import is_id, new_id
from acr3d.engines.base import Provider
from acr3d.engines.registry import engines
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.jobs.service import check_config
from acr3d.notify import wake
from acr3d.orders import circuit_breaker, engine_models
from acr3d.parts.bulk import MOST, too_many


@dataclass(frozen=True)
class Quote:
    """What a batch would cost: `count` models of `each` credits. `left` is what budget, limit and balance
    allow, None where nothing limits it.
    """

    count: int
    each: int
    left: int | None

    @property
    def total(self) -> int:
        return self.count * self.each

    @property
    def is_too_much(self) -> bool:
        return self.total > 0 and self.left is not None and self.total > self.left


def prepare(part_ids: Sequence[str], actor: User, language: str) -> Batch:
    """A batch for these parts that waits for a person; nothing is ordered. Raises InvalidInput."""
    if not part_ids:
        raise InvalidInput(_("Choose at least one part."))
    if len(part_ids) > MOST:
        raise too_many(len(part_ids))
    known = [one for one in part_ids if is_id(one)]
    present = select(Part).where(Part.id.in_(known), Part.deleted_at.is_(None)).order_by(Part.sku_key)
    looked = look_all(db.session.scalars(present).all())
    rows = [_as_row(number, part_id, one) for number, (part_id, one) in enumerate(looked.items(), start=1)]
    if not rows:
        raise InvalidInput(_("Choose at least one part."))
    end_read()
    batch = Batch(id=new_id(), created_by=actor.id, language=language)
    with transaction() as session:
        session.add(batch)
        session.flush()
        session.execute(insert(BatchPart), [{"batch_id": batch.id} | row for row in rows])
    return batch


def by_id(batch_id: str) -> Batch:
    """Raises Missing."""
    found = db.session.get(Batch, batch_id) if is_id(batch_id) else None
    if found is None:
        raise Missing(_("There is no such order for several models."))
    return found


def newest() -> list[Batch]:
    """The last batches, the newest first."""
    return list(db.session.scalars(select(Batch).order_by(Batch.created_at.desc(), Batch.id).limit(50)))


def quote(batch: Batch, engine: str, config: Mapping[str, Any], skips_doubtful: bool, actor: User) -> Quote:
    """What it costs, and what is left to `actor`. Raises InvalidInput for what cannot be used."""
    provider = _provider(engine)
    check_config(provider, dict(config))
    return _quoted(db.session(), batch, provider, config, skips_doubtful, actor.id)


def start(
    batch_id: str, engine: str, config: dict[str, Any], actor: User, *, skips_doubtful: bool, agreed: int
) -> None:
    """Order the models in the name of `actor`. `agreed`: the total that they saw.

    Raises Missing, InvalidInput, and Conflict if the price is another one or too much.
    """
    provider = _provider(engine)
    check_config(provider, config)
    with transaction() as session:
        batch = _locked(session, batch_id, BatchState.READY)
        found = _quoted(session, batch, provider, config, skips_doubtful, actor.id)
        if not found.count:
            raise Conflict(_("There is no part left to order."))
        if found.total != agreed:
            raise Conflict(_("The price has changed. Check it, then order again."))
        if found.is_too_much:
            raise Conflict(_("This is more than the credits that are left. Choose fewer parts."))
        if skips_doubtful:
            _leave_doubtful_out(session, batch)
        batch.engine, batch.generation_config, batch.credits_each = provider.name, config, found.each
        batch.created_by, batch.state = actor.id, BatchState.RUNNING
    wake()


def pause(batch_id: str) -> None:
    """Stop ordering for now; models already ordered are finished. Raises Missing, Conflict."""
    with transaction() as session:
        _locked(session, batch_id, BatchState.RUNNING).state = BatchState.PAUSED


def resume(batch_id: str) -> None:
    """Raises Missing, Conflict."""
    with transaction() as session:
        batch = _locked(session, batch_id, BatchState.PAUSED)
        batch.state, batch.problem = BatchState.RUNNING, ""
    wake()


def stop(batch_id: str) -> None:
    """Stop ordering for good; models already ordered are finished. Raises Missing, Conflict."""
    with transaction() as session:
        _locked(
            session, batch_id, BatchState.READY, BatchState.RUNNING, BatchState.PAUSED
        ).state = BatchState.STOPPED


def _as_row(number: int, part_id: str, looked: Looked) -> dict[str, Any]:
    return {
        "number": number,
        "part_id": part_id,
        "doubts": looked.doubts,
        "problem": looked.problem,
        "state": "left_out" if looked.problem else "waiting",
    }


def _provider(engine: str) -> Provider:
    provider = engines().provider(engine)
    if provider is None:
        raise InvalidInput(_("The engine “%(name)s” is not set up here.", name=engine))
    return provider


def _quoted(
    session: Session,
    batch: Batch,
    provider: Provider,
    config: Mapping[str, Any],
    skips_doubtful: bool,
    user_id: str,
) -> Quote:
    doubts = session.scalars(
        select(BatchPart.doubts).where(BatchPart.batch_id == batch.id, BatchPart.state == "waiting")
    ).all()
    count = sum(1 for one in doubts if not (skips_doubtful and one))
    each = engine_models.price(provider, config, session)
    account = circuit_breaker.account_of(provider.account, session)
    limits = budget.left(session, user_id)
    if account is not None and account.balance is not None:
        limits.append(account.balance)
    return Quote(count, each, max(min(limits), 0) if limits else None)


def _leave_doubtful_out(session: Session, batch: Batch) -> None:
    waiting = select(BatchPart).where(BatchPart.batch_id == batch.id, BatchPart.state == "waiting")
    for part in session.scalars(waiting).all():
        if part.doubts:
            part.state, part.problem = "left_out", " ".join(part.doubts)


def _locked(session: Session, batch_id: str, *states: BatchState) -> Batch:
    query = select(Batch).where(Batch.id == batch_id).with_for_update()
    batch = session.scalar(query.execution_options(populate_existing=True)) if is_id(batch_id) else None
    if batch is None:
        raise Missing(_("There is no such order for several models."))
    if batch.state not in states:
        raise Conflict(_("This has moved on since, so nothing was done. Look at it again, then decide."))
    return batch

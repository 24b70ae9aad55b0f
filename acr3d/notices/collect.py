"""Writes down what people should hear of: failed jobs, models to review, balance, budget, a stopped poller.

It looks at what is there, so it may run at any time, in any number of processes, and misses nothing that
happened while none ran.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import Job, Notice, Part
from acr3d.db.session import end_read, transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.orders import circuit_breaker
from acr3d.shop import options
from acr3d.worker.condition import poller_problem
from acr3d.worker.heartbeat import last_pass_at

KEPT = timedelta(days=90)
_LOOKED_BACK = timedelta(days=1)
_MOST_JOBS = 1000

Values = dict[str, Any]


def collect() -> None:
    """Add the notices that are due and not there yet, and delete those older than KEPT."""
    due = [*_jobs(), *_accounts(), *_budget(), *_poller()]
    keys = [one["key"] for one in due]
    known = set(db.session.scalars(select(Notice.key).where(Notice.key.in_(keys))))
    newest = select(func.max(Notice.id)).scalar_subquery()
    # The newest one stays: SQLite would give its id again, and who was told up to it would hear no more.
    is_old = and_(Notice.at < utc_now() - KEPT, Notice.id < newest)
    has_old = db.session.scalar(select(Notice.id).where(is_old).limit(1)) is not None
    end_read()
    fresh = [one for one in due if one["key"] not in known]
    if not fresh and not has_old:
        return
    with transaction() as session:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        for one in fresh:
            row = dialect.insert(Notice).values(at=utc_now(), **one)
            session.execute(row.on_conflict_do_nothing(index_elements=["key"]))
        session.execute(delete(Notice).where(is_old))


def _jobs() -> Iterator[Values]:
    """Jobs that ended lately: failed, or with a model that waits for a person. A retried one tells again."""
    ended = select(Job.id, Job.status, Job.completed_at).join(Job.part).where(Part.deleted_at.is_(None))
    ended = ended.where(Job.completed_at > utc_now() - _LOOKED_BACK)
    ended = ended.where((Job.status == Status.FAILED) | Job.waits_for_review)
    newest = ended.order_by(Job.completed_at.desc()).limit(_MOST_JOBS)
    for job_id, status, completed_at in db.session.execute(newest):
        kind = "failed" if status == Status.FAILED else "review"
        yield _values(kind, job_id, f"{completed_at:%Y%m%d%H%M%S}", job_id=job_id)


def _accounts() -> Iterator[Values]:
    """Accounts whose balance is low, once a day."""
    for provider in engines().paid():
        account = circuit_breaker.account_of(provider.account)
        if account is None or account.balance is None:
            continue
        if account.balance < options.current().low_balance:
            name = account.fingerprint[:16]
            yield _values("balance", name, _today(), label=account.engine, number=account.balance)


def _budget() -> Iterator[Values]:
    """The month's budget is used up, once a month for each amount."""
    budget = options.current().monthly_budget
    if budget and engines().paid() and spending.counted(db.session()) >= budget:
        yield _values("budget", _today()[:7], str(budget), number=budget)


def _poller() -> Iterator[Values]:
    """Nothing has moved jobs for a while, once for each stop. Before the first pass nothing has stopped."""
    last = last_pass_at()
    if last is not None and poller_problem():
        yield _values("poller", f"{last:%Y%m%d%H%M%S}")


def _values(kind: str, *what: str, **more: Any) -> Values:
    return {"kind": kind, "key": ":".join((kind, *what)), "label": ""} | more


def _today() -> str:
    return f"{utc_now():%Y-%m-%d}"

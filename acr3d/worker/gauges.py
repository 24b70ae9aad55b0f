"""What the database and the disks tell Prometheus: jobs, queues, credits, pollers, space."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from acr3d import settings
from acr3d.billing import spending
from acr3d.db.extensions import db
from acr3d.db.models import (
    HAS_NEXT_STEP,
    EngineAccount,
    Import,
    Job,
    ModelFile,
    ModelVersion,
    Part,
    PartImage,
)
from acr3d.db.outage import report
from acr3d.db.session import database_now
from acr3d.db.states import BreakerCause, Status
from acr3d.engines.registry import engines
from acr3d.jobs.queue import LANES
from acr3d.shop import options
from acr3d.worker.heartbeat import count_alive, last_pass_at

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

_STORED_SECONDS = 300  # sums over all rows are made no more often


class Gauges:
    """A collector for prometheus_client; one for the app, since it remembers slow sums."""

    def __init__(self) -> None:
        self._stored: dict[str, int] = {}
        self._stored_at = -float(_STORED_SECONDS)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read everything now. Needs the app's context; says when the database does not answer."""
        yield _disks()
        try:
            found = [*_jobs(), *_queues(), *_credits(), *_pollers(), self._storage()]
        except SQLAlchemyError as error:
            report(error, "metrics")
            found = []
        yield _gauge("acr3d_database_up", "Whether the database answers.", (), [((), float(bool(found)))])
        yield from found

    def _storage(self) -> GaugeMetricFamily:
        if time.monotonic() - self._stored_at >= _STORED_SECONDS:
            self._stored, self._stored_at = _stored(), time.monotonic()
        rows: Rows = [((kind,), float(size)) for kind, size in self._stored.items()]
        return _gauge("acr3d_storage_bytes", "Stored files by kind, as their rows say.", ("kind",), rows)


Rows = list[tuple[tuple[str, ...], float]]


def _gauge(name: str, text: str, labels: tuple[str, ...], rows: Rows) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    made = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        made.add_metric(values, number)
    return made


def _disks() -> GaugeMetricFamily:
    config = settings.current()
    rows: Rows = [
        ((name,), float(shutil.disk_usage(folder).free))
        for name, folder in (("instance", config.instance), ("storage", config.storage_folder))
    ]
    return _gauge("acr3d_disk_free_bytes", "Free disk space, by folder.", ("folder",), rows)


def _jobs() -> Iterator[GaugeMetricFamily]:
    by_status = db.session.execute(select(Job.status, func.count()).group_by(Job.status))
    counted = {row.status: row[1] for row in by_status}
    rows: Rows = [((status,), float(counted.get(status, 0))) for status in Status]
    yield _gauge("acr3d_jobs", "Jobs by status.", ("status",), rows)
    now = database_now(db.session())
    oldest = db.session.execute(
        select(Job.status, func.min(Job.created_at)).where(HAS_NEXT_STEP).group_by(Job.status)
    )
    ages: Rows = [((status,), _seconds(now, created)) for status, created in oldest]
    yield _gauge("acr3d_oldest_job_seconds", "Age of the oldest unfinished job.", ("status",), ages)


def _queues() -> Iterator[GaugeMetricFamily]:
    """What is due and waits for a free poller."""
    now = database_now(db.session())
    depths: Rows = []
    delays: Rows = []
    is_free = Job.lease_until.is_(None) | (Job.lease_until < now)
    lanes = [
        (lane.name, Job.next_at, HAS_NEXT_STEP & Job.next_step.in_(lane.steps) & is_free) for lane in LANES
    ]
    others = [("photos", Part.check_due_at, Part.check_due_at.is_not(None))]
    others.append(("imports", Import.due_at, Import.due_at.is_not(None)))
    for name, due_at, waits in (*lanes, *others):
        count, first = _due(due_at, waits, now)
        depths.append(((name,), float(count)))
        delays.append(((name,), _seconds(now, first) if first else 0.0))
    yield _gauge("acr3d_due", "Work that is due and waits for a poller, by lane.", ("lane",), depths)
    yield _gauge("acr3d_due_seconds", "How long the first of it has waited.", ("lane",), delays)


def _due(
    due_at: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    waits: ColumnElement[bool],
    now: datetime,
) -> tuple[int, datetime | None]:
    row = db.session.execute(select(func.count(), func.min(due_at)).where(waits, due_at <= now)).one()
    return row[0], row[1]


def _credits() -> Iterator[GaugeMetricFamily]:
    if not engines().paid():
        return
    spent, budget = spending.counted(db.session()), options.current().monthly_budget
    yield _gauge("acr3d_credits_this_month", "Spent, running and waiting.", (), [((), float(spent))])
    if budget:
        yield _gauge(
            "acr3d_budget_left_credits", "Of this month's budget.", (), [((), float(budget - spent))]
        )
    ours = [one.account for one in engines().paid()]
    accounts = db.session.scalars(select(EngineAccount).where(EngineAccount.fingerprint.in_(ours))).all()
    balances: Rows = [((one.engine,), float(one.balance)) for one in accounts if one.balance is not None]
    yield _gauge("acr3d_engine_balance_credits", "As last told by the engine.", ("engine",), balances)
    paused: Rows = [
        ((one.engine, cause), float(one.open_cause == cause)) for one in accounts for cause in BreakerCause
    ]
    yield _gauge("acr3d_engine_paused", "Whether orders wait, and why.", ("engine", "cause"), paused)


def _pollers() -> Iterator[GaugeMetricFamily]:
    yield _gauge("acr3d_pollers", "Pollers that are alive.", (), [((), float(count_alive()))])
    last = last_pass_at()
    rows: Rows = [((), _seconds(database_now(db.session()), last))] if last else []
    yield _gauge("acr3d_poller_pass_age_seconds", "Since any poller last ended a pass.", (), rows)


def _stored() -> dict[str, int]:
    raw = select(func.sum(Job.raw_file_size_bytes)).where(Job.optimized_from.is_(None))
    models = func.sum(ModelVersion.file_size_bytes + func.coalesce(ModelVersion.ar_file_size_bytes, 0))
    sums = {
        "photos": select(func.sum(PartImage.file_size_bytes)),
        "raw models": raw,
        "models": select(models),
        "other formats": select(func.sum(ModelFile.file_size_bytes)),
    }
    return {kind: int(db.session.scalar(query) or 0) for kind, query in sums.items()}


def _seconds(now: datetime, then: datetime) -> float:
    return max((now - then).total_seconds(), 0.0)

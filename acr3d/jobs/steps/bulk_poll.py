"""Polling many tasks of one account at once through the engine's list; mere progress is written in bulk.

A change of a job's state is written as everywhere else: one transaction for each job, under its lease. A task
that the list does not show is asked for by its id, a few in each round; the others wait for the next round.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import JSON, ColumnElement, Integer, String, Text, cast, column, select, update, values

from acr3d.db.extensions import db
from acr3d.db.models import HAS_NEXT_STEP, Job, Part
from acr3d.db.models.message_columns import MessageColumns
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import Id, Moment, utc_now
from acr3d.engines.base import Provider
from acr3d.engines.errors import EngineError
from acr3d.engines.registry import engines
from acr3d.engines.remote_task import PENDING, Task
from acr3d.jobs.backoff import backoff_seconds
from acr3d.jobs.lease import JobLease
from acr3d.jobs.queue import FEW, locked, release
from acr3d.jobs.runner import SETUP_SECONDS, advance, other_account
from acr3d.jobs.steps.poll import apply_task, next_poll_seconds
from acr3d.messages.message import Message
from acr3d.orders import circuit_breaker

_EXTRA_PAGES = 3  # beyond those that our own tasks fill: other software's tasks lie between them
_WAITING = MessageColumns(*(_WAITING_NAMES := ("waiting_for", "waiting_code", "waiting_params")))
_ROWS_PER_STATEMENT = 2000  # SQLite takes 32766 values in one, PostgreSQL 65535

log = logging.getLogger("acr3d.jobs")


@dataclass(frozen=True)
class PolledJob:
    """What a poll needs to know of a job."""

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
    """What is written of one job: its progress, when it is polled again, and why it waits, if it does."""

    job: PolledJob
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
    def is_visible(self) -> bool:
        """Whether open pages must show it."""
        before = (self.job.waiting_for, self.job.waiting_code, self.job.waiting_params)
        return self.progress != self.job.progress or self._waiting != before


@dataclass(frozen=True)
class _Listed:
    """Which of our tasks the engine's list showed, and why the listing failed, if it did."""

    tasks: dict[str, Task]
    problem: EngineError | None = None


def bulk_poll(owner: str, stop: threading.Event) -> None:
    """Poll all jobs leased to `owner`, which are of one account, and end their leases."""
    try:
        jobs = polled_jobs(owner)
        if jobs:
            _poll_all(owner, jobs, stop)
    finally:
        release(owner)


def _poll_all(owner: str, jobs: list[PolledJob], stop: threading.Event) -> None:
    provider = engines().provider(jobs[0].engine)
    if provider is None or provider.account != jobs[0].account:
        write_progress(owner, [_waiting(job, SETUP_SECONDS, other_account(job.engine)) for job in jobs])
        return
    listed = _list(provider, jobs)
    missing = [job for job in jobs if job.task_id not in listed.tasks]
    found = [(job, listed.tasks[job.task_id]) for job in jobs if job.task_id in listed.tasks]
    updates = [_progress(job, task, provider) for job, task in found if not _is_change(job, task)]
    if listed.problem is not None:
        circuit_breaker.trip(jobs[0].account, jobs[0].engine, listed.problem)
        wait = partial(
            _waiting, seconds=listed.problem.retry_after or SETUP_SECONDS, why=listed.problem.message
        )
        write_progress(owner, updates + [wait(job) for job in missing])
    else:
        write_progress(owner, updates + [_later(job, provider) for job in missing[FEW:]])
        for job in missing[:FEW]:
            _advance(owner, job, stop)
    for job, task in found:
        if _is_change(job, task):
            _advance(owner, job, stop, provider, task)


def _advance(
    owner: str,
    job: PolledJob,
    stop: threading.Event,
    provider: Provider | None = None,
    task: Task | None = None,
) -> None:
    """Take the job's own step: poll its task, or apply this one. Nothing once we are asked to stop."""
    if stop.is_set():
        return
    lease = JobLease(job.id, owner, stop)
    if provider is None or task is None:
        advance(lease)
    else:
        advance(lease, partial(apply_task, deadline_at=job.deadline_at, task=task, provider=provider))


def _list(provider: Provider, jobs: Iterable[PolledJob]) -> _Listed:
    """The jobs' tasks: pages from the newest back to where the oldest of them can be.

    A short page does not end the list: engines may return fewer than asked for.
    """
    sought = {job.task_id for job in jobs}
    earliest = min(job.submitted_at or utc_now() for job in jobs) - timedelta(seconds=provider.clock_slack)
    tasks: dict[str, Task] = {}
    longest, page_num = 1, 0
    while page_num == 0 or page_num < math.ceil(len(sought) / longest) + _EXTRA_PAGES:
        page_num += 1
        try:
            page = provider.list(page_num)
        except EngineError as problem:
            log.info("job.list_failed pages=%d: %s", page_num, problem)
            return _Listed(tasks, problem)
        longest = max(longest, len(page))
        tasks |= {task.id: task for task in page if task.id in sought}
        oldest = page[-1].created_at if page else None
        if not page or len(tasks) == len(sought) or (oldest is not None and oldest < earliest):
            break
    return _Listed(tasks)


def _is_change(job: PolledJob, task: Task) -> bool:
    """Whether there is more to write than progress."""
    has_begun = task.status != PENDING and job.status == Status.SUBMITTED
    is_late = job.deadline_at is not None and utc_now() > job.deadline_at
    return task.ended or has_begun or is_late


def _progress(job: PolledJob, task: Task, provider: Provider) -> ProgressUpdate:
    unchanged = 0 if task.progress != job.progress else job.snooze_count + 1
    return ProgressUpdate(
        job, task.progress, _from_now(next_poll_seconds(task, provider, unchanged)), unchanged
    )


def _later(job: PolledJob, provider: Provider) -> ProgressUpdate:
    """It was not polled in this round, and goes before the others in the next one."""
    return ProgressUpdate(job, job.progress, _from_now(provider.poll_intervals[0]), job.snooze_count)


def _waiting(job: PolledJob, seconds: float, why: Message) -> ProgressUpdate:
    return ProgressUpdate(
        job, job.progress, _from_now(backoff_seconds(seconds, job.snooze_count)), job.snooze_count + 1, why
    )


def _from_now(seconds: float) -> datetime:
    return utc_now() + timedelta(seconds=seconds)


def polled_jobs(owner: str) -> list[PolledJob]:
    """The jobs leased to `owner`; the one that has waited longest comes first."""
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
    return [PolledJob(**row._mapping) for row in found]


def write_progress(owner: str, updates: list[ProgressUpdate]) -> None:
    """Update the jobs that are still leased to `owner`, and end their leases. Their histories get no line."""
    for first in range(0, len(updates), _ROWS_PER_STATEMENT):
        _write(owner, updates[first : first + _ROWS_PER_STATEMENT])


def _write(owner: str, updates: list[ProgressUpdate]) -> None:
    visible = [one.job.part_id for one in updates if one.is_visible]
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
        .data([one.row for one in updates])
        .cte("found")
    )
    waiting: dict[str, ColumnElement[Any]] = {name: found.c[name] for name in _WAITING_NAMES}
    if db.session().get_bind().dialect.name == "postgresql":  # where rows that are all NULL have no type
        waiting["waiting_params"] = cast(found.c.waiting_params, JSON)
    no_sync = {"synchronize_session": False}
    with transaction() as session:
        # Parts before jobs, each in the order of their ids, as everywhere, so that no two can deadlock.
        if visible:
            parts = select(Part.id).where(Part.id.in_(visible)).order_by(Part.id).with_for_update()
            bump = update(Part).where(Part.id.in_(parts)).values(revision=Part.revision + 1)
            session.execute(bump.execution_options(**no_sync))
        session.execute(
            update(Job)
            .where(Job.id == found.c.job_id, Job.id.in_(locked(Job.lease_owner == owner)))
            .values(
                progress=found.c.progress,
                next_at=found.c.next_at,
                snooze_count=found.c.snooze_count,
                **waiting,
                lease_owner=None,
                lease_until=None,
            )
            .execution_options(**no_sync)
        )

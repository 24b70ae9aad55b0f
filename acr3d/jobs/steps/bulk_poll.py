"""Looking at many tasks of one account together, through the engine's list; mere progress is written in bulk.

What changes a job's state is written as everywhere: one transaction for each job, under its lease. A task
that the list does not show is asked for by its id, a few in each look; the others wait for the next one.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engines.errors import EngineError
from acr3d.engines.providers import Provider, engines
from acr3d.engines.remote_task import PENDING, Task
from acr3d.jobs.lease import JobLease, backoff_seconds
from acr3d.jobs.queue import FEW, release
from acr3d.jobs.runner import SETUP_SECONDS, advance, mismatch
from acr3d.jobs.steps.bulk_progress import InFlight, ProgressUpdate, in_flight, write_progress
from acr3d.jobs.steps.poll import apply_task, next_poll_seconds
from acr3d.messages.message import Message
from acr3d.orders import circuit_breaker

_MORE_PAGES = 3  # beside those that our own tasks would fill: other software's lie between them

log = logging.getLogger("acr3d.jobs")


@dataclass(frozen=True)
class _Listed:
    """What the list showed of the tasks we look for, and why it broke off, if it did."""

    tasks: dict[str, Task]
    problem: EngineError | None = None


def bulk_poll(owner: str, stop: threading.Event) -> None:
    """Look once at all jobs leased to `owner`, which are of one account, and let them go again."""
    try:
        jobs = in_flight(owner)
        if jobs:
            _look(owner, jobs, stop)
    finally:
        release(owner)


def _look(owner: str, jobs: list[InFlight], stop: threading.Event) -> None:
    provider = engines().provider(jobs[0].engine)
    if provider is None or provider.account != jobs[0].account:
        write_progress(owner, [_waiting(job, SETUP_SECONDS, mismatch(job.engine)) for job in jobs])
        return
    listed = _list(provider, jobs)
    missing = [job for job in jobs if job.task_id not in listed.tasks]
    found = [(job, listed.tasks[job.task_id]) for job in jobs if job.task_id in listed.tasks]
    looks = [_progress(job, task, provider) for job, task in found if not _is_change(job, task)]
    if listed.problem is not None:
        circuit_breaker.trip(jobs[0].account, jobs[0].engine, listed.problem)
        wait = partial(
            _waiting, seconds=listed.problem.retry_after or SETUP_SECONDS, why=listed.problem.message
        )
        write_progress(owner, looks + [wait(job) for job in missing])
    else:
        write_progress(owner, looks + [_later(job, provider) for job in missing[FEW:]])
        for job in missing[:FEW]:
            _advance(owner, job, stop)
    for job, task in found:
        if _is_change(job, task):
            _advance(owner, job, stop, provider, task)


def _advance(
    owner: str,
    job: InFlight,
    stop: threading.Event,
    provider: Provider | None = None,
    task: Task | None = None,
) -> None:
    """The job's own step: ask for its task, or take note of this one. None any more once we are to stop."""
    if stop.is_set():
        return
    lease = JobLease(job.id, owner, stop)
    if provider is None or task is None:
        advance(lease)
    else:
        advance(lease, partial(apply_task, deadline_at=job.deadline_at, task=task, provider=provider))


def _list(provider: Provider, jobs: Iterable[InFlight]) -> _Listed:
    """The jobs' tasks, from the newest page as far back as the oldest of them can be.

    A short page does not end the list: engines may give fewer than asked for.
    """
    sought = {job.task_id for job in jobs}
    earliest = min(job.submitted_at or utc_now() for job in jobs) - timedelta(seconds=provider.clock_slack)
    tasks: dict[str, Task] = {}
    longest, page_num = 1, 0
    while page_num == 0 or page_num < math.ceil(len(sought) / longest) + _MORE_PAGES:
        page_num += 1
        try:
            page = provider.client.list(page_num)
        except EngineError as problem:
            log.info("job.list_failed pages=%d: %s", page_num, problem)
            return _Listed(tasks, problem)
        longest = max(longest, len(page))
        tasks |= {task.id: task for task in page if task.id in sought}
        oldest = page[-1].created_at if page else None
        if not page or len(tasks) == len(sought) or (oldest is not None and oldest < earliest):
            break
    return _Listed(tasks)


def _is_change(job: InFlight, task: Task) -> bool:
    """Whether there is more to write than progress."""
    has_begun = task.status != PENDING and job.status == Status.SUBMITTED
    is_late = job.deadline_at is not None and utc_now() > job.deadline_at
    return task.ended or has_begun or is_late


def _progress(job: InFlight, task: Task, provider: Provider) -> ProgressUpdate:
    fruitless = 0 if task.progress != job.progress else job.snooze_count + 1
    return ProgressUpdate(
        job, task.progress, _from_now(next_poll_seconds(task, provider, fruitless)), fruitless
    )


def _later(job: InFlight, provider: Provider) -> ProgressUpdate:
    """There was no turn for this one: nothing is known, and it goes before those that had theirs."""
    return ProgressUpdate(job, job.progress, _from_now(provider.poll_intervals[0]), job.snooze_count)


def _waiting(job: InFlight, seconds: float, why: Message) -> ProgressUpdate:
    return ProgressUpdate(
        job, job.progress, _from_now(backoff_seconds(seconds, job.snooze_count)), job.snooze_count + 1, why
    )


def _from_now(seconds: float) -> datetime:
    return utc_now() + timedelta(seconds=seconds)

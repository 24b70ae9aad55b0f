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

from acr3d.columns import utc_now
from acr3d.generation import pauses
from acr3d.generation.advance import SETUP_SECONDS, advance, mismatch
from acr3d.generation.claims import FEW, let_go
from acr3d.generation.engines import Link, engines
from acr3d.generation.errors import EngineError
from acr3d.generation.follow import look_again_in, take_note
from acr3d.generation.hold import Hold, grown
from acr3d.generation.looks import InFlight, Look, in_flight, write_looks
from acr3d.generation.states import Status
from acr3d.generation.task import PENDING, Task

_MORE_PAGES = 3  # beside those that our own tasks would fill: other software's lie between them

log = logging.getLogger("acr3d.generation")


@dataclass(frozen=True)
class _Listed:
    """What the list showed of the tasks we look for, and why it broke off, if it did."""

    tasks: dict[str, Task]
    problem: EngineError | None = None


def watch(owner: str, stop: threading.Event) -> None:
    """Look once at all jobs leased to `owner`, which are of one account, and let them go again."""
    try:
        jobs = in_flight(owner)
        if jobs:
            _look(owner, jobs, stop)
    finally:
        let_go(owner)


def _look(owner: str, jobs: list[InFlight], stop: threading.Event) -> None:
    link = engines().link(jobs[0].engine)
    if link is None or link.account != jobs[0].account:
        write_looks(owner, [_waiting(job, SETUP_SECONDS, mismatch(job.engine)) for job in jobs])
        return
    listed = _list(link, jobs)
    missing = [job for job in jobs if job.task_id not in listed.tasks]
    found = [(job, listed.tasks[job.task_id]) for job in jobs if job.task_id in listed.tasks]
    looks = [_progress(job, task, link) for job, task in found if not _is_change(job, task)]
    if listed.problem is not None:
        pauses.pause(jobs[0].account, jobs[0].engine, listed.problem)
        wait = partial(_waiting, seconds=listed.problem.retry_after or SETUP_SECONDS, why=str(listed.problem))
        write_looks(owner, looks + [wait(job) for job in missing])
    else:
        write_looks(owner, looks + [_later(job, link) for job in missing[FEW:]])
        for job in missing[:FEW]:
            _advance(owner, job, stop)
    for job, task in found:
        if _is_change(job, task):
            _advance(owner, job, stop, link, task)


def _advance(
    owner: str, job: InFlight, stop: threading.Event, link: Link | None = None, task: Task | None = None
) -> None:
    """The job's own step: ask for its task, or take note of this one. None any more once we are to stop."""
    if stop.is_set():
        return
    hold = Hold(job.id, owner, stop)
    if link is None or task is None:
        advance(hold)
    else:
        advance(hold, partial(take_note, deadline_at=job.deadline_at, task=task, link=link))


def _list(link: Link, jobs: Iterable[InFlight]) -> _Listed:
    """The jobs' tasks, from the newest page as far back as the oldest of them can be.

    A short page does not end the list: engines may give fewer than asked for.
    """
    sought = {job.task_id for job in jobs}
    earliest = min(job.submitted_at or utc_now() for job in jobs) - timedelta(seconds=link.clock_slack)
    tasks: dict[str, Task] = {}
    longest, page_num = 1, 0
    while page_num == 0 or page_num < math.ceil(len(sought) / longest) + _MORE_PAGES:
        page_num += 1
        try:
            page = link.client.list(page_num)
        except EngineError as problem:
            log.info("generation.list_broke_off pages=%d: %s", page_num, problem)
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


def _progress(job: InFlight, task: Task, link: Link) -> Look:
    fruitless = 0 if task.progress != job.progress else job.snooze_count + 1
    return Look(job, task.progress, _from_now(look_again_in(task, link, fruitless)), fruitless)


def _later(job: InFlight, link: Link) -> Look:
    """There was no turn for this one: nothing is known, and it goes before those that had theirs."""
    return Look(job, job.progress, _from_now(link.looks[0]), job.snooze_count)


def _waiting(job: InFlight, seconds: float, why: str) -> Look:
    return Look(job, job.progress, _from_now(grown(seconds, job.snooze_count)), job.snooze_count + 1, why)


def _from_now(seconds: float) -> datetime:
    return utc_now() + timedelta(seconds=seconds)

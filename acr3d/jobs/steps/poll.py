"""Polling a job's task at its engine until it ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from acr3d.billing import ledger
from acr3d.db.models import Job, Part
from acr3d.db.states import NextStep, Status
from acr3d.db.types import utc_now
from acr3d.engines.base import Provider
from acr3d.engines.errors import TaskNotFound
from acr3d.engines.remote_task import PENDING, Task
from acr3d.jobs import transitions
from acr3d.jobs.lease import ACTOR, JobLease
from acr3d.messages.message import Message

MISSING_SECONDS = 30


def poll(lease: JobLease, job: Job, provider: Provider) -> None:
    """Ask the engine for the job's task and write what is new. Raises EngineError or LeaseLost."""
    task_id = job.meshy_task_id or ""
    try:
        task = provider.get(task_id)
    except TaskNotFound:
        handle_missing_task(lease, provider)
    else:
        apply_task(lease, job.deadline_at, task, provider)


def apply_task(lease: JobLease, deadline_at: datetime | None, task: Task, provider: Provider) -> None:
    """Write the state of the leased job's task. Raises LeaseLost."""
    if task.failed:
        _record_failure(lease, task)
    elif task.succeeded:
        _record_success(lease, task)
    elif deadline_at is not None and utc_now() > deadline_at:
        _fail(lease, Message("job.too_late"))
    else:
        _record_progress(lease, task, provider)


def next_poll_seconds(task: Task, provider: Provider, unchanged: int) -> float:
    """Seconds until the next poll of a running task, after so many polls without a change."""
    return task.retry_after or provider.poll_intervals[min(unchanged, len(provider.poll_intervals) - 1)]


def handle_missing_task(lease: JobLease, provider: Provider) -> None:
    """The engine says that it does not know the task. It is believed once it has said so for a while, or when
    the result has expired. Without a stored raw model, a retry then orders a new task."""
    with lease.transaction() as (session, job, part):
        job.task_missing_since = job.task_missing_since or utc_now()
        is_expired = job.task_expires_at is not None and utc_now() > job.task_expires_at
        lost_at = job.task_missing_since + timedelta(seconds=provider.unknown_wait)
        is_lost = is_expired or utc_now() >= lost_at
        if is_lost:
            _lose_task(session, job, part)
    if not is_lost:
        lease.snooze(min(MISSING_SECONDS, provider.unknown_wait), Message("job.task_not_found"))


def _lose_task(session: Session, job: Job, part: Part) -> None:
    ledger.settle(session, job, job.meshy_task_id or "", None)
    job.meshy_task_id = job.task_expires_at = job.task_missing_since = None
    if job.raw_storage_path:
        message = Message("job.remade_from_raw")
        transitions.transition(session, job, part, Status.OPTIMIZING, ACTOR, message)
        return
    transitions.transition(session, job, part, Status.FAILED, ACTOR, Message("job.task_lost"))


def _record_progress(lease: JobLease, task: Task, provider: Provider) -> None:
    with lease.transaction() as (session, job, part):
        is_new = task.progress != job.progress
        if task.status != PENDING and job.status == Status.SUBMITTED:
            job.processing_started_at = utc_now()
            transitions.transition(session, job, part, Status.PROCESSING, ACTOR)
            is_new = True
        if is_new:
            job.progress = task.progress
            part.revision += 1
        job.task_missing_since = None
        unchanged = 0 if is_new else job.snooze_count + 1
    lease.snooze(next_poll_seconds(task, provider, unchanged), count=not is_new)


def _record_success(lease: JobLease, task: Task) -> None:
    """The result is there: the job waits for its download, which comes before all other steps."""
    with lease.transaction() as (session, job, part):
        if job.status == Status.SUBMITTED:
            job.processing_started_at = utc_now()
            transitions.transition(session, job, part, Status.PROCESSING, ACTOR)
        job.progress = 100
        job.next_step = NextStep.DOWNLOAD
        job.task_missing_since = None
        ledger.settle(session, job, task.id, task.consumed_credits)
        job.task_expires_at = task.expires_at
        job.next_at = utc_now()
        part.revision += 1


def _record_failure(lease: JobLease, task: Task) -> None:
    told = _with_full_stop(task.error_message) if task.error_message else Message("job.no_reason")
    reason = task.refusal or told
    with lease.transaction() as (session, job, part):
        advice = _advice(task, bool(job.capture_ids))
        if not task.consumed_credits:
            advice = Message("sentences", first=Message("credits.not_charged"), second=advice)
        # A failed task is of no further use: a retry orders a new one. The attempt keeps its id.
        job.meshy_task_id = None
        job.input_refused = task.input_refused
        ledger.settle(session, job, task.id, task.consumed_credits or 0)
        message = Message("job.task_failed", reason=reason, advice=advice)
        transitions.transition(session, job, part, Status.FAILED, ACTOR, message)


def _advice(task: Task, is_filmed: bool) -> Message:
    if is_filmed:
        return Message("job.film_again") if task.input_refused else Message("job.try_again_or_film")
    return Message("job.change_photos") if task.input_refused else Message("job.try_again")


def _fail(lease: JobLease, message: Message) -> None:
    with lease.transaction() as (session, job, part):
        transitions.transition(session, job, part, Status.FAILED, ACTOR, message)


def _with_full_stop(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."

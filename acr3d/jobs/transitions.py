"""Changes of a job: its status and next step, its history, its part's mirror, its new model version.

Every function works inside the caller's transaction, with job and part locked (`queries.locked_job`).
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from acr3d.db.models import Job, JobEvent, ModelVersion, Part
from acr3d.db.states import ENDED, STEPS, NextStep, Status, VersionState
from acr3d.db.types import utc_now
from acr3d.jobs.queries import attempts_of, newest_job, published_version
from acr3d.jobs.states import MOVES, model_status
from acr3d.messages.message import Message
from acr3d.orders.admission import slot_freed


def transition(
    session: Session, job: Job, part: Part, to: Status, actor: str, message: Message | None = None
) -> None:
    """Change the status of `job` to `to`, with a line in its history. A move not in MOVES is a bug."""
    before = Status(job.status)
    if to not in MOVES[before]:
        raise ValueError(f"a job may not go from {before} to {to}")
    job.next_step = next_step(session, job, to)
    job.status = to
    job.raw_refused = False
    job.snooze_count = job.retry_count = 0
    job.waiting = None
    job.next_at = utc_now()
    if to in ENDED:
        job.completed_at = utc_now()
        job.error = message if to is Status.FAILED else None
        job.lease_owner = job.lease_until = None
    if before is not Status.OPTIMIZING and (to in ENDED or to is Status.OPTIMIZING):
        slot_freed(session, job.account)
    log_event(session, job, actor, message, before)
    sync_part(session, job, part)


def next_step(session: Session, job: Job, to: Status) -> NextStep:
    """The step that follows when `job` changes its status to `to`."""
    before = Status(job.status)
    if to is Status.CANCELED and before is not Status.OPTIMIZING and attempts_of(job.id, session):
        return NextStep.REVOKE  # there is a task, or there may be one
    if to is Status.PROCESSING and job.raw_refused:
        return NextStep.DOWNLOAD  # the task had succeeded; its file once more
    return STEPS[to][0]


def log_event(
    session: Session, job: Job, actor: str, message: Message | None, before: Status | None = None
) -> None:
    """Add a line to the job's history."""
    session.add(
        JobEvent(
            job_id=job.id, actor=actor, from_status=before, to_status=Status(job.status), message=message
        )
    )


def sync_part(session: Session, job: Job, part: Part) -> None:
    """Let the part show its newest job. What customers see does not change."""
    session.flush()
    newest = newest_job(part.id, session) or job
    part.revision += 1
    part.model_status = model_status(Status(newest.status), published_version(part.id, session) is not None)
    part.generation_error = newest.error
    part.model_generation_started_at = newest.created_at
    part.model_generation_completed_at = newest.completed_at
    if newest.optimized_from is None:  # optimizing again asks no engine: the task before it made the model
        part.meshy_task_id = newest.meshy_task_id


def add_version(session: Session, job: Job, version: ModelVersion) -> None:
    """Add `version`, which has the file's facts, as the part's newest draft."""
    highest = select(func.max(ModelVersion.number)).where(ModelVersion.part_id == job.part_id)
    version.number = (session.scalar(highest) or 0) + 1
    version.part_id, version.job_id = job.part_id, job.id
    version.state = VersionState.DRAFT
    session.add(version)
    session.flush()

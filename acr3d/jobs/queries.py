"""Queries of jobs, versions and histories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, JobEvent, ModelVersion, Part
from acr3d.db.states import LIVE, NextStep, Status, VersionState
from acr3d.db.types import is_id, utc_now
from acr3d.errors import Missing
from acr3d.messages.wording import worded
from acr3d.parts.parts import part_by_id

PAGE_SIZE = 50


@dataclass(frozen=True)
class JobPage:
    """One page of jobs with their parts, newest first."""

    jobs: list[Job]
    number: int
    count: int


def job_by_id(job_id: str) -> Job:
    """Raises Missing."""
    job = db.session.get(Job, job_id) if is_id(job_id) else None
    if job is None:
        raise Missing(_("There is no such job."))
    return job


def live_job(session: Session, part_id: str) -> Job | None:
    """The one job of the part that has not ended."""
    return session.scalar(select(Job).where(Job.part_id == part_id, Job.status.in_(LIVE)))


def newest_job(part_id: str, session: Session | None = None) -> Job | None:
    return (session or db.session).scalar(_of_part(part_id).limit(1))


def jobs_of(part_id: str) -> list[Job]:
    """The part's jobs, newest first."""
    return list(db.session.scalars(_of_part(part_id)))


def recent_jobs(page: int = 1, status: str | None = None, *, live: bool = False) -> JobPage:
    """All jobs, newest first, perhaps only those in one status or `live` ones; pages count from 1."""
    wanted = [Job.status == status] if status else []
    wanted += [Job.status.in_(LIVE)] if live else []
    total = db.session.scalar(select(func.count()).select_from(Job).where(*wanted)) or 0
    count = max(1, math.ceil(total / PAGE_SIZE))
    number = min(max(1, page), count)
    query = select(Job).where(*wanted).options(joinedload(Job.part)).order_by(Job.created_at.desc(), Job.id)
    jobs = db.session.scalars(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return JobPage(list(jobs), number, count)


def waiting_for_review(most: int) -> list[Job]:
    """The jobs whose models wait for a person's decision, with their parts; who waits longest comes first."""
    query = select(Job).join(Part).where(Job.waits_for_review, Part.deleted_at.is_(None))
    query = query.options(contains_eager(Job.part)).order_by(Job.completed_at, Job.id)
    return list(db.session.scalars(query.limit(most)))


def jobs_by_ids(job_ids: Sequence[str]) -> list[Job]:
    """The jobs with these ids, newest first; unknown ids are left out."""
    query = select(Job).where(Job.id.in_(job_ids)).options(joinedload(Job.part))
    query = query.order_by(Job.created_at.desc(), Job.id)
    return list(db.session.scalars(query))


def newest_jobs(part_ids: Sequence[str]) -> dict[str, Job]:
    """The newest job of each of these parts that has one, by part."""
    newest = (
        select(Job.part_id, func.max(Job.created_at).label("at"))
        .where(Job.part_id.in_(part_ids))
        .group_by(Job.part_id)
        .subquery()
    )
    same = (Job.part_id == newest.c.part_id) & (Job.created_at == newest.c.at)
    return {job.part_id: job for job in db.session.scalars(select(Job).join(newest, same))}


def any_at_engine(account: str) -> bool:
    """Whether a job's task is at this account."""
    at_engine = Job.status.in_((Status.SUBMITTED, Status.PROCESSING))
    return db.session.scalar(select(Job.id).where(Job.account == account, at_engine).limit(1)) is not None


def about_to_expire() -> list[Job]:
    """Jobs whose result is not downloaded and is deleted at its engine within a day, the soonest first."""
    now = utc_now()
    query = select(Job).where(
        Job.status.in_((Status.PROCESSING, Status.FAILED)),
        or_(Job.raw_storage_path.is_(None), Job.next_step == NextStep.DOWNLOAD, Job.raw_refused),
        Job.task_expires_at.between(now, now + timedelta(days=1)),
    )
    return list(db.session.scalars(query.options(joinedload(Job.part)).order_by(Job.task_expires_at)))


def events_of(job_id: str) -> list[JobEvent]:
    """The job's history, oldest first."""
    return list(db.session.scalars(select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id)))


def newest_event_id() -> int:
    """A new one with everything that happens to any job."""
    return db.session.scalar(select(func.max(JobEvent.id))) or 0


def histories(job_ids: Sequence[str]) -> dict[str, list[JobEvent]]:
    """The histories of these jobs, each oldest first, by job."""
    found: dict[str, list[JobEvent]] = {job_id: [] for job_id in job_ids}
    for event in db.session.scalars(
        select(JobEvent).where(JobEvent.job_id.in_(job_ids)).order_by(JobEvent.id)
    ):
        found[event.job_id].append(event)
    return found


def versions_of(part_id: str) -> list[ModelVersion]:
    """The part's models, newest first."""
    query = select(ModelVersion).where(ModelVersion.part_id == part_id)
    return list(db.session.scalars(query.order_by(ModelVersion.number.desc())))


def version_by_id(version_id: str) -> ModelVersion:
    """Raises Missing."""
    version = db.session.get(ModelVersion, version_id) if is_id(version_id) else None
    if version is None:
        raise Missing(_("There is no such model."))
    return version


def published_version(part_id: str, session: Session | None = None) -> ModelVersion | None:
    """The model that customers see."""
    query = select(ModelVersion).where(
        ModelVersion.part_id == part_id, ModelVersion.state == VersionState.PUBLISHED
    )
    return (session or db.session).scalar(query)


def published_versions(part_ids: Sequence[str]) -> dict[str, ModelVersion]:
    """The models that customers see, by part id."""
    query = select(ModelVersion).where(
        ModelVersion.part_id.in_(part_ids), ModelVersion.state == VersionState.PUBLISHED
    )
    return {version.part_id: version for version in db.session.scalars(query)}


def posters_of(part_ids: Sequence[str]) -> dict[str, str]:
    """The keys of the published models' posters, by part id."""
    if not part_ids:
        return {}
    query = select(ModelVersion.part_id, ModelVersion.poster_path).where(
        ModelVersion.part_id.in_(part_ids),
        ModelVersion.state == VersionState.PUBLISHED,
    )
    return {part_id: key for part_id, key in db.session.execute(query) if key}


def part_status(part_id: str) -> dict[str, Any]:
    """What a machine asks about a part's model; the error is in the reader's language. Raises Missing."""
    part = part_by_id(part_id)
    job = newest_job(part_id)
    return {
        "model_status": part.model_status,
        "model_3d_url": part.model_3d_url,
        "error": worded(part.generation_error) or None,
        "progress": job.progress if job else None,
        "job_id": job.id if job else None,
    }


def attempts_of(job_id: str, session: Session | None = None) -> list[Attempt]:
    """The job's attempts at submitting, newest first."""
    query = select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.created_at.desc())
    return list((session or db.session).scalars(query))


def locked_job(session: Session, job_id: str) -> tuple[Job, Part]:
    """The job and its part, locked until the transaction ends (part first, as everywhere). Raises Missing."""
    part_id = job_by_id(job_id).part_id
    fresh = {"populate_existing": True}
    part = session.scalar(select(Part).where(Part.id == part_id).with_for_update(), execution_options=fresh)
    job = session.scalar(select(Job).where(Job.id == job_id).with_for_update(), execution_options=fresh)
    if part is None or job is None:
        raise Missing(_("There is no such job."))
    return job, part


def _of_part(part_id: str) -> Select[Job]:
    return select(Job).where(Job.part_id == part_id).order_by(Job.created_at.desc(), Job.id)

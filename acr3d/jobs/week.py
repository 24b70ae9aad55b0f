"""What was done in the last seven days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from acr3d.db.extensions import db
from acr3d.db.models import Job, ModelVersion, PartSearch
from acr3d.db.states import Status
from acr3d.db.types import utc_now


@dataclass(frozen=True)
class Week:
    """Parts that were added, models that were made and published, and jobs that failed."""

    parts: int
    made: int
    published: int
    failed: int


def last_week() -> Week:
    """The seven days until now."""
    since = utc_now() - timedelta(days=7)
    ended = select(Job.status, func.count()).where(Job.completed_at >= since).group_by(Job.status)
    jobs: dict[str, int] = {row[0]: row[1] for row in db.session.execute(ended)}
    parts = db.session.scalar(select(func.count()).where(PartSearch.created_at >= since)) or 0
    published = db.session.scalar(select(func.count()).where(ModelVersion.published_at >= since)) or 0
    return Week(parts, jobs.get(Status.COMPLETE, 0), published, jobs.get(Status.FAILED, 0))

"""How far a batch is: made, failed by reason, left out by reason, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Row, select

from acr3d.db.extensions import db
from acr3d.db.models import Batch, BatchPart, Job, Part
from acr3d.db.states import Status
from acr3d.messages.wording import worded


@dataclass
class Summary:
    """Numbers of parts. `credits` were spent, `open_credits` are estimates of orders in work."""

    waiting: int = 0
    in_work: int = 0
    made: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    canceled: int = 0
    credits: int = 0
    open_credits: int = 0

    @property
    def ended(self) -> int:
        return self.made + self.failed.total() + self.canceled

    @property
    def ordered(self) -> int:
        return self.in_work + self.ended


def summary(batch: Batch) -> Summary:
    """As it is now, in the reader's language as far as jobs are concerned."""
    found = Summary()
    query = select(BatchPart, Job).outerjoin(Job, Job.id == BatchPart.job_id)
    rows: Iterable[tuple[BatchPart, Job | None]] = db.session.execute(
        query.where(BatchPart.batch_id == batch.id).order_by(BatchPart.number)
    ).all()
    for part, job in rows:
        if job is None:
            found.waiting += part.state == "waiting"
            if part.state == "left_out":
                found.left_out[part.problem] += 1
            continue
        _count(found, job)
    return found


def parts_of(batch: Batch) -> list[Row[tuple[BatchPart, Part, Job | None]]]:
    """Its parts in their order, each with its job."""
    query = (
        select(BatchPart, Part, Job)
        .join(Part, Part.id == BatchPart.part_id)
        .outerjoin(Job, Job.id == BatchPart.job_id)
        .where(BatchPart.batch_id == batch.id)
    )
    return list(db.session.execute(query.order_by(BatchPart.number)))


def _count(found: Summary, job: Job) -> None:
    found.credits += job.meshy_credits_used or 0
    if job.is_live:
        found.in_work += 1
        found.open_credits += 0 if job.meshy_credits_used else job.estimated_credits
    elif job.status == Status.COMPLETE:
        found.made += 1
    elif job.status == Status.CANCELED:
        found.canceled += 1
    else:
        found.failed[worded(job.error)] += 1

"""Room on the disks for what an order will bring: looked at, and kept free, before anything is sent.

Every job at an engine has room reserved for its raw model until that is kept or the job has ended; as much
again stays free for optimizing and the database. What is reserved is counted, not written down, and cannot
leak.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from acr3d import settings
from acr3d.db.models import Attempt, Job
from acr3d.db.states import Status
from acr3d.messages.message import Message
from acr3d.orders.attempts import IN_FLIGHT

FULL = Message("order.disk_full")
"""What a waiting job and the admins are told."""
_MB = 1_000_000


def is_short(session: Session) -> bool:
    """Whether another order would find too little room, beside what is reserved already.

    Call it where no other order can begin, to reserve by beginning one.
    """
    config = settings.current()
    needed = (_reserved(session) + 2) * config.room_mb * _MB
    return any(_free(folder) < needed for folder in (config.storage_folder, config.instance))


def _reserved(session: Session) -> int:
    """The jobs whose raw model is still to come."""
    at_engine = Job.status.in_((Status.SUBMITTED, Status.PROCESSING))
    ordered = Job.id.in_(select(Attempt.job_id).where(Attempt.state.in_(IN_FLIGHT)))
    return session.scalar(select(func.count()).select_from(Job).where(or_(at_engine, ordered))) or 0


def _free(folder: Path) -> int:
    """Bytes that we may still write there."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize

"""Free disk space for the result of an order, checked and reserved before anything is sent.

Every job at an engine has space reserved for its raw model until that is stored or the job has ended. Space
for one more stays free for optimizing and the database. Reservations are counted from the jobs, not stored,
so they cannot leak.
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
"""What a waiting job and the admins see."""
_MB = 1_000_000


def is_short(session: Session) -> bool:
    """Whether there is too little space for another order beside what is already reserved.

    Call it while no other order can begin: beginning one is what reserves its space.
    """
    config = settings.current()
    needed = (_reserved(session) + 2) * config.room_mb * _MB
    return any(_free(folder) < needed for folder in (config.storage_folder, config.instance))


def _reserved(session: Session) -> int:
    """The number of jobs whose raw model is still to come."""
    at_engine = Job.status.in_((Status.SUBMITTED, Status.PROCESSING))
    ordered = Job.id.in_(select(Attempt.job_id).where(Attempt.state.in_(IN_FLIGHT)))
    return session.scalar(select(func.count()).select_from(Job).where(or_(at_engine, ordered))) or 0


def _free(folder: Path) -> int:
    """Bytes that this process may still write there."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize

"""Holding a job: a lease that names its owner and runs out, so that a killed step is simply taken again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event

from sqlalchemy.orm import Session

from acr3d.db.models import Job, Part
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.jobs import queries, transitions
from acr3d.messages.message import Message
from acr3d.storage.blobs import storage
from acr3d.storage.index import find_blob

LEASE = timedelta(seconds=60)
LONGEST_WAIT = 600
ACTOR = "poller"


class LeaseLost(Exception):
    """The job is no longer ours: canceled, or taken over after our lease ran out. Write nothing."""


def backoff_seconds(seconds: float, snooze_count: int) -> float:
    """The wait that begins with `seconds`, doubled for each look that found no change, with jitter."""
    longer = min(seconds * (1 << min(snooze_count, 6)), max(seconds, LONGEST_WAIT))
    return longer * random.uniform(1, 1.2)  # noqa: S311


@dataclass(frozen=True)
class JobLease:
    """The right of one step to work on one job; `stop` is set when the process is asked to end."""

    job_id: str
    owner: str
    stop: Event

    @contextmanager
    def transaction(self) -> Iterator[tuple[Session, Job, Part]]:
        """A transaction on the job and its part. Raises LeaseLost when the job is not ours any more."""
        with transaction() as session:
            job, part = queries.locked_job(session, self.job_id)
            if job.lease_owner != self.owner:
                raise LeaseLost
            yield session, job, part

    def snooze(
        self,
        seconds: float,
        waiting: Message | None = None,
        *,
        count: bool = False,
        told: bool = False,
        unless: Callable[[Session, Job], bool] | None = None,
    ) -> None:
        """Look again in `seconds`; waiting uses up no attempt. `count` a look that found nothing new.

        `told`: a change of what it waits for is a line in the job's history. `unless`: whether that is over,
        asked in the same transaction; then the job goes on at once.
        """
        with self.transaction() as (session, job, part):
            if unless is not None and unless(session, job):
                seconds, waiting = 0, None
            job.next_at = utc_now() + timedelta(seconds=seconds)
            if job.waiting != waiting:
                if told and waiting:
                    transitions.log_event(session, job, ACTOR, waiting, Status(job.status))
                job.waiting = waiting
                part.revision += 1
            job.snooze_count = job.snooze_count + 1 if count else 0

    def back_off(self, seconds: float, waiting: Message) -> None:
        """Snooze for what is not the job's fault, longer each time it is still so, with jitter."""
        with self.transaction() as (_session, job, _part):
            longer = backoff_seconds(seconds, job.snooze_count)
        self.snooze(longer, waiting, count=True)

    @contextmanager
    def store_and_write(self, files: Mapping[str, Path]) -> Iterator[tuple[Session, Job, Part]]:
        """Store each file under its key, then write; a job that was canceled meanwhile keeps no blob.

        A poller that took over may have stored the same key: what a row refers to stays.
        """
        for key, file in files.items():
            storage().put(key, file)
        try:
            with self.transaction() as held:
                yield held
        except LeaseLost:
            if not queries.job_by_id(self.job_id).is_live:
                for key in files:
                    if find_blob(key) is None:
                        storage().delete(key)
            raise

    def release(self) -> None:
        """Let the job go, so that anybody may take its next step."""
        try:
            with self.transaction() as (_session, job, _part):
                job.lease_owner = job.lease_until = None
        except LeaseLost:
            return

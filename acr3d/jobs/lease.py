"""A job's lease: it names its owner and runs out by itself, so that a killed step is simply taken again."""

from __future__ import annotations

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
from acr3d.jobs.backoff import backoff_seconds
from acr3d.messages.message import Message
from acr3d.storage.blobs import discard, storage
from acr3d.storage.index import find_blob

LEASE = timedelta(seconds=60)
ACTOR = "poller"


class LeaseLost(Exception):
    """The job was canceled, or another poller claimed it after our lease ran out. Write nothing."""


@dataclass(frozen=True)
class JobLease:
    """The right of one step to work on one job; `stop` is set when the process is asked to end."""

    job_id: str
    owner: str
    stop: Event

    @contextmanager
    def transaction(self) -> Iterator[tuple[Session, Job, Part]]:
        """A transaction on the job and its part. Raises LeaseLost when the job is no longer ours."""
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
        in_history: bool = False,
        unless: Callable[[Session, Job], bool] | None = None,
    ) -> None:
        """Take the next step in `seconds`; waiting uses up no try. `count` a step that found nothing new.

        `in_history`: what it waits for, when that changes, becomes a line in the job's history. `unless`
        tells in the same transaction whether the reason is over; then the next step is due at once.
        """
        with self.transaction() as (session, job, part):
            if unless is not None and unless(session, job):
                seconds, waiting = 0, None
            if in_history and waiting and job.waiting != waiting:
                transitions.log_event(session, job, ACTOR, waiting, Status(job.status))
            _postpone(job, part, seconds, waiting)
            job.snooze_count = job.snooze_count + 1 if count else 0

    def back_off(self, seconds: float, waiting: Message) -> None:
        """Snooze for a reason that is not the job's fault, longer each time, with jitter."""
        with self.transaction() as (_session, job, part):
            _postpone(job, part, backoff_seconds(seconds, job.snooze_count), waiting)
            job.snooze_count += 1

    @contextmanager
    def store_and_write(self, files: Mapping[str, Path]) -> Iterator[tuple[Session, Job, Part]]:
        """Store each file under its key, then write; a job that has been canceled keeps no blob.

        A poller that took over may have stored the same key: what a row refers to stays.
        """
        for key, file in files.items():
            storage().put(key, file)
        try:
            with self.transaction() as locked:
                yield locked
        except LeaseLost:
            if not queries.job_by_id(self.job_id).is_live:
                discard(key for key in files if find_blob(key) is None)
            raise

    def release(self) -> None:
        """End the lease, so that any poller may take the job's next step."""
        try:
            with self.transaction() as (_session, job, _part):
                job.lease_owner = job.lease_until = None
        except LeaseLost:
            return


def _postpone(job: Job, part: Part, seconds: float, waiting: Message | None) -> None:
    job.next_at = utc_now() + timedelta(seconds=seconds)
    if job.waiting != waiting:
        job.waiting = waiting
        part.revision += 1

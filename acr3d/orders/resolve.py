"""A person's word on an order without an answer that could have made more than one task.

What was shown is what is decided: the tasks are named in the request and compared with what is known now. Of
two people at once one is first, and the other is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.db.models import Attempt, Job, UnmatchedTask, User
from acr3d.db.session import transaction
from acr3d.db.states import AttemptState, Status
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.jobs import queries, transitions
from acr3d.messages.message import Message
from acr3d.notify import wake
from acr3d.orders import attempts, unmatched


@dataclass(frozen=True)
class Undecided:
    """What a person needs to know to decide: the order, and the tasks that it could have made."""

    job: Job
    attempt: Attempt
    candidates: list[UnmatchedTask]
    others_waiting: int
    """Other jobs that are not sent before this is decided."""


def undecided(job_id: str) -> Undecided:
    """Raises Missing; Conflict when there is nothing to decide, or no longer."""
    job = queries.job_by_id(job_id)
    attempt = attempts.attempt_in_flight(job.id)
    found = unmatched.candidates(job.id)
    if job.status != Status.PENDING or attempt is None or not _is_open(attempt, found):
        raise _decided()
    waiting = 0 if attempt.asked_at else unmatched.others_waiting(job)
    return Undecided(job, attempt, found, waiting)


def adopt(job_id: str, task_id: str, actor: User) -> Job:
    """The task is the job's: it is followed as if its answer had come. Raises Missing or Conflict."""
    try:
        with transaction() as session:
            job, part = queries.locked_job(session, job_id)
            attempt, candidates = _open_attempt(session, job)
            if task_id not in {row.task_id for row in candidates}:
                raise Conflict(_("This task is no longer among those that could be the job's. Look again."))
            message = Message("order.task_chosen", task=task_id)
            attempts.adopt_task(session, job, part, attempt, task_id, message, actor.email)
    except IntegrityError as error:
        raise Conflict(_("This task belongs to another job by now. Look again.")) from error
    wake()
    return job


def order_anew(job_id: str, attempt_id: str, task_ids: Collection[str], actor: User) -> Job:
    """None of these tasks is what the attempt ordered; the job is ordered, and paid for, anew.

    Raises Missing or Conflict.
    """
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        attempt, candidates = _open_attempt(session, job)
        if attempt.id != attempt_id:
            raise _decided()
        if {row.task_id for row in candidates} - set(task_ids):
            raise Conflict(_("There are more tasks by now that could be this job's. Look again."))
        for row in candidates:
            row.dismissed_at, row.dismissed_by = utc_now(), actor.id
        message = Message("order.none_chosen")
        attempts.mark_refused(session, attempt, message)
        job.next_at, job.waiting = utc_now(), None
        part.revision += 1
        transitions.log_event(session, job, actor.email, message, Status(job.status))
    wake()
    return job


def _open_attempt(session: Session, job: Job) -> tuple[Attempt, list[UnmatchedTask]]:
    """The job's attempt that waits for somebody's word, held, and the tasks that it could have made."""
    found = attempts.attempt_in_flight(job.id, session)
    if found is None or job.status != Status.PENDING:
        raise _decided()
    attempt = attempts.locked_attempt(session, found.id)
    candidates = unmatched.candidates(job.id, session)
    if attempt.state != AttemptState.UNKNOWN or not _is_open(attempt, candidates):
        raise _decided()
    return attempt, candidates


def _is_open(attempt: Attempt, candidates: list[UnmatchedTask]) -> bool:
    """Whether there is anything for a person to say: else the engine's list is still looked through."""
    return bool(candidates or attempt.asked_at)


def _decided() -> Conflict:
    return Conflict(_("There is nothing to decide about this job, or somebody has just decided it."))

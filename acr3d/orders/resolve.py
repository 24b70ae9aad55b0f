"""An admin says which of several tasks belongs to an order whose answer was lost, or that none does.

The request names the tasks that were shown; if others have come up since, nothing is done. Of two people at
once, one is first and the other is told.
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
class AmbiguousOrder:
    """An order whose answer was lost, and the tasks that it could have made."""

    job: Job
    attempt: Attempt
    candidates: list[UnmatchedTask]
    others_waiting: int
    """Other jobs that are not sent before this is resolved."""


def ambiguous_order(job_id: str) -> AmbiguousOrder:
    """Raises Missing; Conflict when there is nothing to resolve, or no longer."""
    job = queries.job_by_id(job_id)
    attempt = attempts.attempt_in_flight(job.id)
    found = unmatched.candidates(job.id)
    if job.status != Status.PENDING or attempt is None or not _is_open(attempt, found):
        raise _nothing_to_resolve()
    waiting = 0 if attempt.asked_at else unmatched.others_waiting(job)
    return AmbiguousOrder(job, attempt, found, waiting)


def choose_task(job_id: str, task_id: str, actor: User) -> Job:
    """The task belongs to the job, which follows it as if its answer had come. Raises Missing or Conflict."""
    try:
        with transaction() as session:
            job, part = queries.locked_job(session, job_id)
            attempt, candidates = _open_attempt(session, job)
            if task_id not in {row.task_id for row in candidates}:
                raise Conflict(_("This task can no longer belong to the job. Reload the page."))
            message = Message("order.task_chosen", task=task_id)
            attempts.adopt_task(session, job, part, attempt, task_id, message, actor.email)
    except IntegrityError as error:
        raise Conflict(_("This task now belongs to another job. Reload the page.")) from error
    wake()
    return job


def order_again(job_id: str, attempt_id: str, task_ids: Collection[str], actor: User) -> Job:
    """None of these tasks is what the attempt ordered; the job is ordered, and paid for, again.

    Raises Missing or Conflict.
    """
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        attempt, candidates = _open_attempt(session, job)
        if attempt.id != attempt_id:
            raise _nothing_to_resolve()
        if {row.task_id for row in candidates} - set(task_ids):
            raise Conflict(_("More tasks could belong to this job by now. Reload the page."))
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
    """The job's attempt that waits for a choice, locked, and the tasks that it could have made."""
    found = attempts.attempt_in_flight(job.id, session)
    if found is None or job.status != Status.PENDING:
        raise _nothing_to_resolve()
    attempt = attempts.locked_attempt(session, found.id)
    candidates = unmatched.candidates(job.id, session)
    if attempt.state != AttemptState.UNKNOWN or not _is_open(attempt, candidates):
        raise _nothing_to_resolve()
    return attempt, candidates


def _is_open(attempt: Attempt, candidates: list[UnmatchedTask]) -> bool:
    """Whether an admin can choose; before that, the engine's list is still being searched."""
    return bool(candidates or attempt.asked_at)


def _nothing_to_resolve() -> Conflict:
    return Conflict(_("There is nothing to choose for this job, or somebody else has just chosen."))

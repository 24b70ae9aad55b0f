"""Revoking a canceled job's task at its engine, and saying what becomes of its credits.

A paid task is deleted only before it has begun, which refunds it. One that has begun counts as spent and is
asked for until it has ended: a failed one costs nothing after all, and a finished one stays at the engine for
as long as results are kept and can be attached to a part (`orders.unmatched_actions`). A task of our own
engine is stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from acr3d.billing import ledger
from acr3d.db.models import Attempt, Job
from acr3d.db.session import end_read
from acr3d.db.states import NextStep, Status
from acr3d.db.types import utc_now
from acr3d.engines.base import Provider
from acr3d.engines.errors import TaskNotFound, WrongState
from acr3d.engines.remote_task import PENDING
from acr3d.jobs import queries, transitions
from acr3d.jobs.lease import ACTOR, JobLease
from acr3d.messages.message import Message
from acr3d.orders.attempts import attempt_in_flight, locked_attempt
from acr3d.orders.reconcile import reconcile

ASK_AGAIN_SECONDS = 120
"""How often a task that goes on is asked for."""


@dataclass(frozen=True)
class _Outcome:
    """What became of a task, what it took (None: nobody tells), and both as codes of messages."""

    credits: int | None
    what: str
    money: str
    goes_on: bool = False

    def message(self, is_paid: bool) -> Message:
        what = Message(self.what)
        return Message("sentences", first=what, second=Message(self.money)) if is_paid else what


def revoke(lease: JobLease, job: Job, provider: Provider) -> None:
    """Revoke the task of a canceled job. Raises EngineError or LeaseLost."""
    in_flight = attempt_in_flight(job.id)
    if in_flight is not None:
        reconcile(lease, job, provider, in_flight)
        return
    attempts = queries.attempts_of(job.id)
    end_read()
    accepted = [one for one in attempts if one.account == provider.account and one.task_id]
    outcomes = {one.task_id or "": _revoke_task(lease, provider, one) for one in accepted}
    is_over = job.completed_at is None or utc_now() > job.completed_at + provider.results_kept
    going_on = [] if is_over else [one for one in outcomes.values() if one.goes_on]
    with lease.transaction() as (session, kept, _part):
        kept.next_step = NextStep.REVOKE if going_on else NextStep.NONE
        for task_id, outcome in outcomes.items():
            is_news = not (outcome.goes_on and ledger.is_settled(session, kept, task_id))
            ledger.settle(session, kept, task_id, outcome.credits)
            if not is_news:
                continue
            message = outcome.message(is_paid=bool(kept.estimated_credits))
            transitions.log_event(session, kept, ACTOR, message, Status(kept.status))
        if kept.estimated_credits and not accepted and all(one.unknown_at is None for one in attempts):
            message = Message("revoke.nothing_ordered")
            transitions.log_event(session, kept, ACTOR, message, Status(kept.status))
    if going_on:
        lease.snooze(ASK_AGAIN_SECONDS)


def _revoke_task(lease: JobLease, provider: Provider, attempt: Attempt) -> _Outcome:
    task_id, asked_at = attempt.task_id or "", attempt.removal_asked_at
    try:
        task = provider.get(task_id)
        is_removable = task.status == PENDING and provider.capabilities.cancel
        if is_removable:
            asked_at = _mark_removal_asked(lease, attempt.id)
        if is_removable or (provider.capabilities.cancel and not provider.capabilities.paid):
            provider.delete(task_id)
    except WrongState:
        return _begun()
    except TaskNotFound:
        return _gone(asked_at, provider)
    if is_removable:
        return _removed()
    if task.failed:
        return _Outcome(task.consumed_credits or 0, "revoke.task_failed", "credits.not_charged")
    if task.succeeded:
        return _Outcome(task.consumed_credits, "revoke.task_finished", "credits.spent")
    if provider.capabilities.cancel and not provider.capabilities.paid:
        return _Outcome(0, "revoke.task_stopped", "credits.not_charged")
    return _begun()


def _mark_removal_asked(lease: JobLease, attempt_id: str) -> datetime:
    """Commit, before the request is sent, that a waiting task is to be deleted: the answer may get lost."""
    now = utc_now()
    with lease.transaction() as (session, _job, _part):
        locked_attempt(session, attempt_id).removal_asked_at = now
    return now


def _gone(asked_at: datetime | None, provider: Provider) -> _Outcome:
    """Deleted by us before it began, if we asked; had it begun, it would stay while results are kept."""
    if asked_at is not None and utc_now() < asked_at + provider.results_kept:
        return _removed()
    return _Outcome(None, "revoke.task_gone", "credits.counted_as_spent")


def _removed() -> _Outcome:
    return _Outcome(0, "revoke.task_removed", "credits.given_back")


def _begun() -> _Outcome:
    return _Outcome(None, "revoke.task_goes_on", "credits.spent", goes_on=True)

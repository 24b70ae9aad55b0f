"""Taking the task of a canceled job back from its engine, and saying what truly becomes of its credits.

Only a task that has not begun is taken back, for its credits. One that has is paid for: it stays at the
engine as long as that keeps it, and can be given to a part (`orphans`).
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from acr3d.database import end_reading
from acr3d.generation import ledger, lookups, record
from acr3d.generation.engines import Link, estimate
from acr3d.generation.errors import TaskNotFound, WrongState
from acr3d.generation.hold import ACTOR, Hold
from acr3d.generation.settle import attempt_in_flight, settle
from acr3d.generation.states import Status
from acr3d.generation.task import PENDING
from acr3d.models import Job


@dataclass(frozen=True)
class _Outcome:
    """What became of a task, what it took (None: nobody tells), and both in words."""

    credits: int | None
    what: str
    money: str


def clean_up(hold: Hold, job: Job, link: Link) -> None:
    """Take the task of a canceled job back from the engine. Raises EngineError or LeaseLost."""
    in_flight = attempt_in_flight(job.id)
    if in_flight is not None:
        settle(hold, job, link, in_flight)
        return
    attempts = lookups.attempts_of(job.id)
    end_reading()
    accepted = [one.task_id for one in attempts if one.account == link.account and one.task_id]
    outcomes = {task_id: _take_back(link, task_id) for task_id in accepted}
    with hold.writing() as (session, kept, _part):
        kept.needs_cleanup = False
        for task_id, outcome in outcomes.items():
            ledger.settle(session, kept, task_id, outcome.credits)
            words = f"{outcome.what} {outcome.money}" if kept.estimated_credits else outcome.what
            record.note(session, kept, ACTOR, words, Status(kept.status))
        if kept.estimated_credits and not accepted and all(one.unknown_at is None for one in attempts):
            words = _("The engine had taken no order, so nothing is spent.")
            record.note(session, kept, ACTOR, words, Status(kept.status))


def _take_back(link: Link, task_id: str) -> _Outcome:
    try:
        task = link.client.get(task_id)
        if task.status == PENDING or not estimate(link.name):
            link.client.delete(task_id)
    except WrongState:
        return _begun()
    except TaskNotFound:
        return _Outcome(
            None, _("The engine's task was already gone."), _("Its credits count as spent, unless it failed.")
        )
    if task.status == PENDING:
        return _Outcome(
            0, _("The engine had not begun; its task was removed."), _("Its credits are given back.")
        )
    if task.failed:
        return _Outcome(
            task.consumed_credits or 0, _("The engine's task had failed."), _("Nothing was charged for it.")
        )
    if task.succeeded:
        return _Outcome(
            task.consumed_credits, _("The engine had finished the model."), _("Its credits are spent.")
        )
    return _begun()


def _begun() -> _Outcome:
    return _Outcome(None, _("The engine had begun and goes on."), _("Its credits are spent."))

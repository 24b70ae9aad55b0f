"""Settling an attempt: what became of an order, when the answer came and when it did not.

An order without an answer is looked for among the engine's newest tasks. Since an account has one attempt in
flight, at most one task of its time can belong to nobody; where more could be it, nothing is guessed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.columns import utc_now
from acr3d.database import end_reading, writing
from acr3d.extensions import db
from acr3d.generation import lookups, record
from acr3d.generation.engines import Link
from acr3d.generation.errors import Unanswered
from acr3d.generation.hold import ACTOR, Hold
from acr3d.generation.states import AttemptState, Status
from acr3d.generation.task import Task
from acr3d.models import Attempt, Job

JOB_DEADLINE = timedelta(hours=2)
LOOK_SECONDS = 15
_AMBIGUOUS_SECONDS = 60
_PAGES_LOOKED_THROUGH = 20
_IN_FLIGHT = (AttemptState.SENDING, AttemptState.UNKNOWN)


def settle(hold: Hold, job: Job, link: Link, attempt: Attempt) -> None:
    """Find out what became of an attempt without answer: adopt its task, clear it, or look again later.

    Raises EngineError, also when the engine's list has no end in sight.
    """
    if attempt.sent_at is None:
        no_task(attempt.id, _("Broken off before anything was sent."))
        hold.snooze(0)
        return
    if attempt.unknown_at is None:
        no_answer(attempt.id, _("Broken off before the engine's answer came."))
        attempt = db.session.get_one(Attempt, attempt.id)
    tasks = _candidates(link, job, attempt)
    if job.status == Status.CANCELED:
        _give_up(hold, job, attempt, tasks)
    elif len(tasks) == 1:
        accept(attempt.id, tasks[0].id, _("The engine had accepted the order; found by listing its tasks."))
    elif tasks:
        message = _("%(n)s tasks of the engine could be this job's; nothing is sent again.", n=len(tasks))
        hold.snooze(_AMBIGUOUS_SECONDS, message)
    elif attempt.unknown_at and utc_now() < attempt.unknown_at + timedelta(seconds=link.unknown_wait):
        message = _("Waiting to see whether the engine took the order; nothing is sent again.")
        hold.snooze(LOOK_SECONDS, message)
    else:
        no_task(attempt.id, _("The engine lists no such task: it was not created."))
        hold.snooze(0)


def attempt_in_flight(job_id: str, session: Session | None = None) -> Attempt | None:
    """The job's attempt whose outcome is not known yet."""
    query = select(Attempt).where(Attempt.job_id == job_id, Attempt.state.in_(_IN_FLIGHT))
    return (session or db.session).scalar(query)


def no_task(attempt_id: str, detail: str) -> None:
    """Write down that an attempt certainly brought no task; an outcome that is known already stays."""
    with writing() as session:
        attempt = _locked(session, attempt_id)
        if attempt.state in _IN_FLIGHT:
            attempt.state, attempt.detail = AttemptState.REFUSED, detail
            attempt.settled_at = utc_now()


def no_answer(attempt_id: str, detail: str) -> None:
    """Write down that no answer will come: the order may have been taken; a known outcome stays."""
    with writing() as session:
        attempt = _locked(session, attempt_id)
        if attempt.state in _IN_FLIGHT:
            attempt.state, attempt.detail = AttemptState.UNKNOWN, detail
            attempt.unknown_at = attempt.unknown_at or utc_now()


def accept(attempt_id: str, task_id: str, detail: str) -> None:
    """Write down the task, with the attempt and on the job in one transaction: between the two lies a second
    payment. Whoever holds the job by now; an answer that comes late still keeps its task from being lost."""
    job_id = db.session.get_one(Attempt, attempt_id).job_id
    with writing() as session:
        job, part = lookups.locked_job(session, job_id)
        attempt = _locked(session, attempt_id)
        if attempt.state == AttemptState.ACCEPTED:
            return
        attempt.state, attempt.task_id, attempt.detail = AttemptState.ACCEPTED, task_id, detail
        attempt.settled_at = utc_now()
        session.flush()
        if job.status == Status.PENDING and attempt_in_flight(job.id, session) is None:
            job.meshy_task_id = task_id
            job.submitted_at = utc_now()
            job.deadline_at = utc_now() + JOB_DEADLINE
            record.move(session, job, part, Status.SUBMITTED, ACTOR, detail)
        elif job.status == Status.CANCELED:
            job.needs_cleanup, job.next_at = True, utc_now()
        else:
            message = _("The engine also made task %(task)s for this job; nobody follows it.", task=task_id)
            record.note(session, job, ACTOR, message, Status(job.status))


def _give_up(hold: Hold, job: Job, attempt: Attempt, tasks: list[Task]) -> None:
    """A canceled job's order: only a task that echoes its prompt is surely ours to take back."""
    prompt = job.generation_config.get("texture_prompt")
    if len(tasks) == 1 and prompt and tasks[0].texture_prompt == prompt:
        accept(attempt.id, tasks[0].id, _("The engine had accepted the order; found by listing its tasks."))
        return
    if tasks:
        listed = ", ".join(task.id for task in tasks)
        detail = _("Possibly this job's, and left alone: task %(tasks)s.", tasks=listed)
    else:
        detail = _("The engine lists no such task: it was not created.")
    no_task(attempt.id, detail)
    with hold.writing() as (session, kept, _part):
        record.note(session, kept, ACTOR, detail, Status(kept.status))
    hold.snooze(0)


def _candidates(link: Link, job: Job, attempt: Attempt) -> list[Task]:
    """The engine's tasks that could be this attempt's: made in its time, owned by no attempt of ours, and not
    echoing another prompt."""
    slack = timedelta(seconds=link.clock_slack)
    earliest, latest = (attempt.sent_at or utc_now()) - slack, (attempt.unknown_at or utc_now()) + slack
    end_reading()
    listed = _newest_tasks(link, earliest)
    known = select(Attempt.task_id).where(
        Attempt.account == attempt.account, Attempt.task_id.in_([task.id for task in listed])
    )
    owned = set(db.session.scalars(known))
    prompts = ("", job.generation_config.get("texture_prompt", ""))
    return [
        task
        for task in listed
        if task.id not in owned
        and task.texture_prompt in prompts
        and (task.created_at is None or earliest <= task.created_at <= latest)
    ]


def _newest_tasks(link: Link, earliest: datetime) -> list[Task]:
    """The tasks back to `earliest`. A short page does not end the list: engines may give less than asked."""
    tasks: list[Task] = []
    for page_num in range(1, _PAGES_LOOKED_THROUGH + 1):
        page = link.client.list(page_num)
        tasks += page
        oldest = page[-1].created_at if page else None
        if not page or (oldest is not None and oldest < earliest):
            return tasks
    raise Unanswered("The engine's list of tasks has no end in sight; it is looked through again.")


def _locked(session: Session, attempt_id: str) -> Attempt:
    return session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)

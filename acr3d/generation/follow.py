"""Following a task at its engine until it ends, and taking the task of a canceled job back."""

from __future__ import annotations

from flask_babel import gettext as _

from acr3d.columns import utc_now
from acr3d.database import end_reading
from acr3d.generation import lookups, record
from acr3d.generation.engines import Link
from acr3d.generation.errors import TaskNotFound, WrongState
from acr3d.generation.hold import ACTOR, Hold
from acr3d.generation.settle import attempt_in_flight, settle
from acr3d.generation.states import AttemptState, Status
from acr3d.generation.task import PENDING, Task
from acr3d.models import Job


def follow(hold: Hold, job: Job, link: Link) -> None:
    """Look at the job's task once and write down what is new. Raises EngineError or LeaseLost."""
    task_id = job.meshy_task_id or ""
    try:
        task = link.client.get(task_id)
    except TaskNotFound:
        lose_task(hold)
        return
    if task.failed:
        _record_failure(hold, task)
    elif task.succeeded:
        _record_success(hold, task)
    elif job.deadline_at is not None and utc_now() > job.deadline_at:
        _fail(hold, _("The engine did not finish within two hours. Try again to look at the task once more."))
    else:
        _record_progress(hold, task, link)


def clean_up(hold: Hold, job: Job, link: Link) -> None:
    """Take the task of a canceled job back from the engine. Raises EngineError or LeaseLost."""
    in_flight = attempt_in_flight(job.id)
    if in_flight is not None:
        settle(hold, job, link, in_flight)
        return
    detail = None
    attempts = lookups.attempts_of(job.id)
    end_reading()
    for attempt in attempts:
        if attempt.state == AttemptState.ACCEPTED and attempt.task_id:
            detail = _take_back(link, attempt.task_id)
    with hold.writing() as (session, kept, _part):
        kept.needs_cleanup = False
        if detail:
            record.note(session, kept, ACTOR, detail, Status(kept.status))


def lose_task(hold: Hold) -> None:
    """The engine does not know the task any more; trying again orders a new one."""
    with hold.writing() as (session, job, part):
        job.meshy_task_id = None
        job.has_result = False
        message = _("The engine no longer knows this task; its result is lost. Try again to order a new one.")
        record.move(session, job, part, Status.FAILED, ACTOR, message)


def _take_back(link: Link, task_id: str) -> str:
    try:
        link.client.delete(task_id)
    except WrongState:
        return str(_("The engine had begun; it goes on, and its credits are spent."))
    except TaskNotFound:
        return str(_("The engine's task was already gone."))
    return str(_("The engine's task was removed."))


def _record_progress(hold: Hold, task: Task, link: Link) -> None:
    with hold.writing() as (session, job, part):
        is_new = task.progress != job.progress
        if task.status != PENDING and job.status == Status.SUBMITTED:
            job.processing_started_at = utc_now()
            record.move(session, job, part, Status.PROCESSING, ACTOR)
            is_new = True
        if is_new:
            job.progress = task.progress
            part.revision += 1
    looks = 0 if is_new else job.snooze_count + 1
    seconds = task.retry_after or link.looks[min(looks, len(link.looks) - 1)]
    hold.snooze(seconds, count=not is_new)


def _record_success(hold: Hold, task: Task) -> None:
    """The result is there: from now on the job waits for its download, which outranks everything."""
    with hold.writing() as (session, job, part):
        if job.status == Status.SUBMITTED:
            job.processing_started_at = utc_now()
            record.move(session, job, part, Status.PROCESSING, ACTOR)
        job.progress = 100
        job.has_result = True
        job.meshy_credits_used = task.consumed_credits
        job.task_expires_at = task.expires_at
        job.next_at = utc_now()
        part.revision += 1


def _record_failure(hold: Hold, task: Task) -> None:
    reason = task.error_message or _("it gave no reason")
    if task.input_refused:
        advice = _("Change the photos and generate again.")
    else:
        advice = _("Nothing was charged for it. Try again, or choose other photos.")
    with hold.writing() as (session, job, part):
        # A failed task is of no further use: trying again orders a new one. Its attempt keeps the id.
        job.meshy_task_id = None
        job.meshy_credits_used = task.consumed_credits
        message = _(
            "The engine could not make the model: %(reason)s %(advice)s", reason=_ended(reason), advice=advice
        )
        record.move(session, job, part, Status.FAILED, ACTOR, message)


def _fail(hold: Hold, message: str) -> None:
    with hold.writing() as (session, job, part):
        record.move(session, job, part, Status.FAILED, ACTOR, message)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."

"""Finding out what became of an order whose answer never came, by reading the engine's newest tasks.

A task that names its attempt is exactly that attempt's. Otherwise, since an account has one attempt in
flight at a time, at most one unmatched task of that time can be its task. Where several could be, nothing is
guessed: an admin chooses (`orders.resolve`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job
from acr3d.db.session import end_read
from acr3d.db.states import AttemptState, Status
from acr3d.db.types import utc_now
from acr3d.engines.base import Provider
from acr3d.engines.errors import Unanswered
from acr3d.engines.remote_task import Task
from acr3d.jobs import transitions
from acr3d.jobs.lease import ACTOR, JobLease
from acr3d.messages.message import Message
from acr3d.orders import unmatched
from acr3d.orders.admission import wake_next
from acr3d.orders.attempts import locked_attempt, mark_accepted, mark_not_created, mark_unknown

RECHECK_SECONDS = 15
_AMBIGUOUS_RECHECK_SECONDS = 60
_ADMIN_ASKED_RECHECK_SECONDS = 600  # the admin's choice wakes the job at once
_CLOCK_SKEW_OF_HOSTS = timedelta(seconds=60)  # by which the clocks of our own hosts may differ
_MOST_PAGES = 20
_ATTEMPT = "acr3d-attempt"


def order_metadata(job_id: str, attempt_id: str) -> dict[str, str]:
    """What is sent with an order so that its task can be recognised."""
    return {"acr3d-job": job_id, _ATTEMPT: attempt_id}


def reconcile(lease: JobLease, job: Job, provider: Provider, attempt: Attempt) -> None:
    """Find out what became of an attempt without an answer: adopt its task, clear it, or check again later.

    Raises EngineError, also when the engine's list seems endless.
    """
    if attempt.sent_at is None:
        mark_not_created(attempt.id, Message("order.not_sent"))
        lease.snooze(0)
        return
    if attempt.unknown_at is None:
        mark_unknown(attempt.id, Message("order.answer_lost"))
        attempt = db.session.get_one(Attempt, attempt.id)
    if attempt.asked_at is not None and job.status == Status.PENDING:
        lease.snooze(_ADMIN_ASKED_RECHECK_SECONDS, job.waiting)
        return
    if not provider.capabilities.list_tasks:
        _reconcile_without_list(lease, job, attempt)
        return
    tasks = _candidates(provider, job, attempt)
    may_appear = _may_still_appear(attempt, provider)
    if len(tasks) == 1 and (job.status == Status.PENDING or _is_certain(tasks[0], job, attempt)):
        mark_accepted(attempt.id, tasks[0].id, Message("order.found"), only_in_flight=True)
    elif tasks and job.status == Status.PENDING:
        _ask_admin(lease, attempt, tasks, may_appear=may_appear)
    elif may_appear:
        lease.snooze(RECHECK_SECONDS, Message("order.outcome_unknown"))
    elif job.status == Status.CANCELED:
        _leave_alone(lease, job, attempt, tasks)
    else:
        mark_not_created(attempt.id, Message("order.not_created"))
        lease.snooze(0)


def _may_still_appear(attempt: Attempt, provider: Provider) -> bool:
    """Whether the order's task may still appear in the engine's list; until then no other order is sent."""
    return utc_now() < (attempt.unknown_at or utc_now()) + timedelta(seconds=provider.unknown_wait)


def _ask_admin(lease: JobLease, attempt: Attempt, tasks: list[Task], *, may_appear: bool) -> None:
    """Show admins the tasks that could be the attempt's.

    While more of them may appear, the account stays closed to other orders; then only this job waits.
    """
    message = Message("order.ambiguous", n=len(tasks)) if tasks else Message("order.unlisted")
    with lease.transaction() as (session, job, _part):
        unmatched.record_tasks(session, attempt.account, tasks, job.id)
        kept = locked_attempt(session, attempt.id)
        if kept.state != AttemptState.UNKNOWN or kept.unknown_at is None:
            return
        if not may_appear:
            kept.asked_at = utc_now()
            session.flush()
            wake_next(session, attempt.account)
            transitions.log_event(session, job, ACTOR, message, Status(job.status))
    lease.snooze(_AMBIGUOUS_RECHECK_SECONDS, message)


def _reconcile_without_list(lease: JobLease, job: Job, attempt: Attempt) -> None:
    """The engine cannot tell whether there is a task, so an admin must; until then nothing is sent again."""
    if job.status == Status.PENDING:
        _ask_admin(lease, attempt, [], may_appear=False)
        return
    message = Message("order.unlisted")
    mark_not_created(attempt.id, message)
    with lease.transaction() as (session, kept, _part):
        transitions.log_event(session, kept, ACTOR, message, Status(kept.status))
    lease.snooze(0)


def _leave_alone(lease: JobLease, job: Job, attempt: Attempt, tasks: list[Task]) -> None:
    """Close a canceled job's attempt whose task, if there is one, is not certain enough to be revoked."""
    if tasks:
        message = Message("order.left_alone", tasks=", ".join(task.id for task in tasks))
    else:
        message = Message("order.not_created")
    mark_not_created(attempt.id, message)
    with lease.transaction() as (session, kept, _part):
        unmatched.record_tasks(session, attempt.account, tasks, job.id)
        transitions.log_event(session, kept, ACTOR, message, Status(kept.status))
    lease.snooze(0)


def _is_certain(task: Task, job: Job, attempt: Attempt) -> bool:
    """Whether the task names the attempt, or repeats the job's own prompt."""
    prompt = job.generation_config.get("texture_prompt")
    return task.metadata.get(_ATTEMPT) == attempt.id or bool(prompt and task.texture_prompt == prompt)


def _candidates(provider: Provider, job: Job, attempt: Attempt) -> list[Task]:
    """The engine's tasks that could be this attempt's.

    That is the task that names the attempt, or else those made since it was sent that name no other attempt
    and repeat no other prompt, belong to no attempt, and were not seen before. How late a task was made does
    not matter: the engine may be slow to take an order, and no other order is sent until then.

    If our clock was set back in between, the attempt's time begins at the earlier of its two times, and when
    a task was first seen is ignored: one candidate too many is better than a second payment.
    """
    sent_at = attempt.sent_at or utc_now()
    unknown_at = attempt.unknown_at or utc_now()
    earliest = min(sent_at, unknown_at) - timedelta(seconds=provider.clock_slack)
    end_read()
    listed = _newest_tasks(provider, earliest)
    ids = [task.id for task in listed]
    before = sent_at - _CLOCK_SKEW_OF_HOSTS if sent_at <= unknown_at else None
    others = unmatched.owned_ids(ids) | unmatched.excluded_ids(attempt.account, ids, before, attempt.job_id)
    free = [task for task in listed if task.id not in others]
    named = [task for task in free if task.metadata.get(_ATTEMPT) == attempt.id]
    prompts = ("", job.generation_config.get("texture_prompt", ""))
    return named or [
        task
        for task in free
        if _ATTEMPT not in task.metadata
        and task.texture_prompt in prompts
        and (task.created_at is None or earliest <= task.created_at)
    ]


def _newest_tasks(provider: Provider, earliest: datetime) -> list[Task]:
    """The tasks back to `earliest`. A short page does not end the list: engines may send fewer than asked."""
    tasks: list[Task] = []
    for page_num in range(1, _MOST_PAGES + 1):
        page = provider.list(page_num)
        tasks += page
        oldest = page[-1].created_at if page else None
        if not page or (oldest is not None and oldest < earliest):
            return tasks
    raise Unanswered(Message("engine.endless_list"))

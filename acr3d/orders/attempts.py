"""Settling an attempt: what became of an order, when the answer came and when it did not.

An order without an answer is looked for among the engine's newest tasks. A task that names its attempt is
exactly that attempt's, or not. Otherwise, since an account has one attempt in flight, at most one task of its
time can belong to nobody; where more could be it, nothing is guessed, and a person decides (`decide`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.billing import ledger
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, Part
from acr3d.db.session import end_read, transaction
from acr3d.db.states import AttemptState, NextStep, Status
from acr3d.db.types import utc_now
from acr3d.engines.base import Provider
from acr3d.engines.errors import Unanswered
from acr3d.engines.remote_task import Task
from acr3d.jobs import queries, transitions
from acr3d.jobs.lease import ACTOR, JobLease
from acr3d.messages.message import Message
from acr3d.orders import unmatched
from acr3d.orders.admission import wake_next

JOB_DEADLINE = timedelta(hours=2)
LOOK_SECONDS = 15
HOSTS_APART = timedelta(seconds=60)  # by which the clocks of our own hosts may differ
_AMBIGUOUS_SECONDS = 60
_ASKED_SECONDS = 600  # a person's word moves the job at once
_PAGES_LOOKED_THROUGH = 20
IN_FLIGHT = (AttemptState.SENDING, AttemptState.UNKNOWN)
_ATTEMPT = "acr3d-attempt"


def order_metadata(job_id: str, attempt_id: str) -> dict[str, str]:
    """What is sent along with an order to recognise its task by."""
    return {"acr3d-job": job_id, _ATTEMPT: attempt_id}


def settle(lease: JobLease, job: Job, provider: Provider, attempt: Attempt) -> None:
    """Find out what became of an attempt without answer: adopt its task, clear it, or look again later.

    Raises EngineError, also when the engine's list has no end in sight.
    """
    if attempt.sent_at is None:
        mark_not_created(attempt.id, Message("order.not_sent"))
        lease.snooze(0)
        return
    if attempt.unknown_at is None:
        mark_unknown(attempt.id, Message("order.answer_lost"))
        attempt = db.session.get_one(Attempt, attempt.id)
    if attempt.asked_at is not None and job.status == Status.PENDING:
        lease.snooze(_ASKED_SECONDS, job.waiting)
        return
    if not provider.capabilities.list_tasks:
        _settle_without_list(lease, job, attempt)
        return
    tasks = _candidates(provider, job, attempt)
    may_come = _may_come(attempt, provider)
    if len(tasks) == 1 and (job.status == Status.PENDING or _is_surely(tasks[0], job, attempt)):
        mark_accepted(attempt.id, tasks[0].id, Message("order.found"), only_in_flight=True)
    elif tasks and job.status == Status.PENDING:
        _ask(lease, attempt, tasks, may_come=may_come)
    elif may_come:
        lease.snooze(LOOK_SECONDS, Message("order.outcome_unknown"))
    elif job.status == Status.CANCELED:
        _leave_alone(lease, job, attempt, tasks)
    else:
        mark_not_created(attempt.id, Message("order.not_created"))
        lease.snooze(0)


def attempt_in_flight(job_id: str, session: Session | None = None) -> Attempt | None:
    """The job's attempt whose outcome is not known yet."""
    query = select(Attempt).where(Attempt.job_id == job_id, Attempt.state.in_(IN_FLIGHT))
    return (session or db.session).scalar(query)


def mark_not_created(attempt_id: str, message: Message) -> None:
    """Write down that an attempt certainly brought no task; an outcome that is known already stays."""
    with transaction() as session:
        attempt = locked_attempt(session, attempt_id)
        if attempt.state in IN_FLIGHT:
            mark_refused(session, attempt, message)


def mark_unknown(attempt_id: str, message: Message) -> None:
    """Write down that no answer will come: the order may have been taken; a known outcome stays."""
    with transaction() as session:
        attempt = locked_attempt(session, attempt_id)
        if attempt.state in IN_FLIGHT:
            attempt.state, attempt.message = AttemptState.UNKNOWN, message
            attempt.unknown_at = attempt.unknown_at or utc_now()


def mark_accepted(attempt_id: str, task_id: str, message: Message, *, only_in_flight: bool = False) -> None:
    """Write down the task, with the attempt and on the job in one transaction: between the two lies a second
    payment. Whoever holds the job by now; an answer that comes late still keeps its task from being lost.
    `only_in_flight`: not when the outcome is known meanwhile, since the task was only found."""
    job_id = db.session.get_one(Attempt, attempt_id).job_id
    with transaction() as session:
        job, part = queries.locked_job(session, job_id)
        attempt = locked_attempt(session, attempt_id)
        is_open = attempt.state in IN_FLIGHT
        if is_open or (attempt.state == AttemptState.REFUSED and not only_in_flight):
            adopt_task(session, job, part, attempt, task_id, message)


def adopt_task(
    session: Session,
    job: Job,
    part: Part,
    attempt: Attempt,
    task_id: str,
    message: Message,
    actor: str = ACTOR,
) -> None:
    """The same inside the caller's transaction, which holds job, part and attempt."""
    attempt.state, attempt.task_id, attempt.message = AttemptState.ACCEPTED, task_id, message
    attempt.settled_at = utc_now()
    ledger.order(session, job, task_id)
    session.flush()
    is_awaited = job.status == Status.PENDING and job.account == attempt.account
    if is_awaited and attempt_in_flight(job.id, session) is None:
        job.meshy_task_id = task_id
        job.submitted_at = utc_now()
        job.deadline_at = utc_now() + JOB_DEADLINE
        transitions.transition(session, job, part, Status.SUBMITTED, actor, message)
    elif job.status == Status.CANCELED:
        job.next_step, job.next_at = NextStep.REVOKE, utc_now()
    else:
        extra = Message("order.extra_task", task=task_id)
        transitions.log_event(session, job, actor, extra, Status(job.status))


def mark_refused(session: Session, attempt: Attempt, message: Message) -> None:
    """An attempt that certainly brought no task, inside the caller's transaction, which holds it."""
    attempt.state, attempt.message = AttemptState.REFUSED, message
    attempt.settled_at = utc_now()
    session.flush()
    wake_next(session, attempt.account)


def locked_attempt(session: Session, attempt_id: str) -> Attempt:
    """The attempt as it is now, held until the transaction ends."""
    return session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)


def _may_come(attempt: Attempt, provider: Provider) -> bool:
    """Whether the order's task may still show up in the engine's list; until then nobody else may order."""
    return utc_now() < (attempt.unknown_at or utc_now()) + timedelta(seconds=provider.unknown_wait)


def _ask(lease: JobLease, attempt: Attempt, tasks: list[Task], *, may_come: bool) -> None:
    """Show a person the tasks that could be the attempt's. The account stays closed to other orders while
    there may come more of them; then only this job waits."""
    message = Message("order.ambiguous", n=len(tasks)) if tasks else Message("order.unlisted")
    with lease.transaction() as (session, job, _part):
        unmatched.remember(session, attempt.account, tasks, job.id)
        kept = locked_attempt(session, attempt.id)
        if kept.state != AttemptState.UNKNOWN or kept.unknown_at is None:
            return
        if not may_come:
            kept.asked_at = utc_now()
            session.flush()
            wake_next(session, attempt.account)
            transitions.log_event(session, job, ACTOR, message, Status(job.status))
    lease.snooze(_AMBIGUOUS_SECONDS, message)


def _settle_without_list(lease: JobLease, job: Job, attempt: Attempt) -> None:
    """The engine cannot say whether there is a task, so a person must; until then nothing is sent again."""
    if job.status == Status.PENDING:
        _ask(lease, attempt, [], may_come=False)
        return
    mark_not_created(attempt.id, Message("order.unlisted"))
    lease.snooze(0)


def _leave_alone(lease: JobLease, job: Job, attempt: Attempt, tasks: list[Task]) -> None:
    """A canceled job's order whose task, if there is one, is not surely ours to take back."""
    if tasks:
        message = Message("order.left_alone", tasks=", ".join(task.id for task in tasks))
    else:
        message = Message("order.not_created")
    mark_not_created(attempt.id, message)
    with lease.transaction() as (session, kept, _part):
        unmatched.remember(session, attempt.account, tasks, job.id)
        transitions.log_event(session, kept, ACTOR, message, Status(kept.status))
    lease.snooze(0)


def _is_surely(task: Task, job: Job, attempt: Attempt) -> bool:
    prompt = job.generation_config.get("texture_prompt")
    return task.metadata.get(_ATTEMPT) == attempt.id or bool(prompt and task.texture_prompt == prompt)


def _candidates(provider: Provider, job: Job, attempt: Attempt) -> list[Task]:
    """The engine's tasks that could be this attempt's: the one that names it, or those made in its time that
    name no other and echo no other prompt; no attempt of ours owns them, and they were not there before.
    How late a task was made says nothing: the engine may be slow to take an order, and no other of ours is
    sent meanwhile.

    When our clock was set back in between, the attempt's time begins at its earlier end, and what was seen
    when says nothing: rather one candidate too many than a second payment."""
    sent_at = attempt.sent_at or utc_now()
    unknown_at = attempt.unknown_at or utc_now()
    earliest = min(sent_at, unknown_at) - timedelta(seconds=provider.clock_slack)
    end_read()
    listed = _newest_tasks(provider, earliest)
    ids = [task.id for task in listed]
    before = sent_at - HOSTS_APART if sent_at <= unknown_at else None
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
    """The tasks back to `earliest`. A short page does not end the list: engines may give less than asked."""
    tasks: list[Task] = []
    for page_num in range(1, _PAGES_LOOKED_THROUGH + 1):
        page = provider.list(page_num)
        tasks += page
        oldest = page[-1].created_at if page else None
        if not page or (oldest is not None and oldest < earliest):
            return tasks
    raise Unanswered(Message("engine.endless_list"))

"""The rows of unmatched tasks: tasks at the engine that no job follows, as they were last seen there.

Some were ordered by other software with the same account; some are ours, and their answer was lost. Which is
which only a person can say (`resolve`, `unmatched_actions`). `unmatched_actions.scan_accounts` reads the list
of the account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, exists, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job, UnmatchedTask
from acr3d.db.states import AttemptState, NextStep, Status
from acr3d.db.types import is_id, utc_now
from acr3d.engines.remote_task import Task

DELETING = timedelta(minutes=3)  # more than a request and its turn can take
_MOST_LISTED = 200
_IN_FLIGHT = (AttemptState.SENDING, AttemptState.UNKNOWN)
# Of an accepted attempt's task. What a canceled job ordered, or a job ordered twice, no job follows any more.
_IS_FOLLOWED = or_(
    Job.next_step == NextStep.REVOKE,
    and_(Job.meshy_task_id == Attempt.task_id, Job.status != Status.CANCELED),
)


def record_tasks(
    session: Session, account: str, tasks: Iterable[Task], maybe_job_id: str | None = None
) -> list[UnmatchedTask]:
    """Record the tasks' present state. `maybe_job_id`: whose unanswered order could have made them."""
    seen = {task.id: task for task in tasks}
    rows = {row.task_id: row for row in session.scalars(_of(account, seen))}
    for task in seen.values():
        row = rows.get(task.id)
        if row is None:
            row = rows[task.id] = UnmatchedTask(account=account, task_id=task.id)
            session.add(row)
        _describe(row, task)
        row.maybe_job_id = maybe_job_id or row.maybe_job_id
    session.flush()
    return list(rows.values())


def known_ids(account: str, task_ids: Collection[str]) -> set[str]:
    """Which of these tasks have a row."""
    query = select(UnmatchedTask.task_id).where(
        UnmatchedTask.account == account, UnmatchedTask.task_id.in_(task_ids)
    )
    return set(db.session.scalars(query))


def excluded_ids(account: str, task_ids: Collection[str], moment: datetime | None, job_id: str) -> set[str]:
    """Which of these tasks an order of `job_id` sent after `moment` cannot have made.

    They were there before (not checked when it is None), could belong to another order that waits for an
    admin's choice, or were dismissed.
    """
    query = select(UnmatchedTask.task_id).where(
        UnmatchedTask.account == account, UnmatchedTask.task_id.in_(task_ids)
    )
    is_out = or_(_is_dismissed(), and_(_is_candidate(), UnmatchedTask.maybe_job_id != job_id))
    if moment is not None:
        is_out = or_(is_out, UnmatchedTask.first_seen_at < moment)
    return set(db.session.scalars(query.where(is_out)))


def owned_ids(task_ids: Collection[str]) -> set[str]:
    """Which of these tasks belong to an attempt, of any account: with another key an account has another
    fingerprint, but lists the same tasks."""
    query = select(Attempt.task_id).where(Attempt.task_id.in_(task_ids))
    return {task_id for task_id in db.session.scalars(query) if task_id}


def followed_ids(task_ids: Collection[str], session: Session | None = None) -> set[str]:
    """Which of these tasks a job follows, has the result of, or still has to revoke."""
    query = select(Attempt.task_id).join(Job, Job.id == Attempt.job_id)
    query = query.where(Attempt.task_id.in_(task_ids), _IS_FOLLOWED)
    return {task_id for task_id in (session or db.session).scalars(query) if task_id}


def ordering_jobs(task_ids: Collection[str]) -> dict[str, str]:
    """The jobs that ordered these tasks, by task id; they may no longer follow them."""
    query = select(Attempt.task_id, Attempt.job_id).where(Attempt.task_id.in_(task_ids))
    return {task_id: job_id for task_id, job_id in db.session.execute(query) if task_id}


def delete_unseen(session: Session, account: str, since: datetime) -> None:
    """Delete the rows of tasks that the account has not listed since then, except those that a person has
    dismissed or has to choose from."""
    gone = delete(UnmatchedTask).where(
        UnmatchedTask.account == account,
        UnmatchedTask.seen_at < since,
        ~_is_dismissed(),
        ~_is_candidate(),
    )
    session.execute(gone.execution_options(synchronize_session=False))


def unmatched_tasks(account: str) -> list[UnmatchedTask]:
    """The account's tasks that no job follows, newest first."""
    query = (
        select(UnmatchedTask)
        .where(_is_unmatched(account))
        .order_by(UnmatchedTask.made_at.desc(), UnmatchedTask.id)
    )
    return list(db.session.scalars(query.limit(_MOST_LISTED)))


def count_unmatched_tasks(account: str) -> int:
    return (
        db.session.scalar(select(func.count()).select_from(UnmatchedTask).where(_is_unmatched(account))) or 0
    )


def count_rows(account: str) -> int:
    """How many of the account's tasks have a row, whatever became of them."""
    query = select(func.count()).select_from(UnmatchedTask).where(UnmatchedTask.account == account)
    return db.session.scalar(query) or 0


def dismissed_tasks(account: str) -> list[UnmatchedTask]:
    """The account's tasks that people have dismissed or deleted, with who it was, the latest first."""
    query = select(UnmatchedTask).where(
        UnmatchedTask.account == account, UnmatchedTask.dismissed_at.is_not(None)
    )
    query = query.options(joinedload(UnmatchedTask.dismisser)).limit(_MOST_LISTED)
    return list(db.session.scalars(query.order_by(UnmatchedTask.dismissed_at.desc(), UnmatchedTask.id)))


def candidates(job_id: str, session: Session | None = None) -> list[UnmatchedTask]:
    """The tasks that the job's unanswered order could have made, oldest first."""
    has_attempt = exists().where(Attempt.task_id == UnmatchedTask.task_id)
    query = select(UnmatchedTask).where(
        UnmatchedTask.maybe_job_id == job_id, UnmatchedTask.dismissed_at.is_(None), ~has_attempt
    )
    return list((session or db.session).scalars(query.order_by(UnmatchedTask.made_at, UnmatchedTask.id)))


def jobs_to_resolve() -> list[str]:
    """The jobs whose order has an outcome that only a person can tell."""
    shown = select(UnmatchedTask.maybe_job_id).where(_is_candidate(), UnmatchedTask.dismissed_at.is_(None))
    asked = select(Attempt.job_id).join(Job, Job.id == Attempt.job_id)
    asked = asked.where(
        Attempt.state.in_(_IN_FLIGHT), Attempt.asked_at.is_not(None), Job.status == Status.PENDING
    )
    return [job_id for job_id in db.session.scalars(shown.union(asked)) if job_id]


def task_by_id(
    unmatched_id: str, session: Session | None = None, *, lock: bool = False
) -> UnmatchedTask | None:
    """The row, or None; with `lock` it is locked until the transaction ends."""
    if not is_id(unmatched_id):
        return None
    query = select(UnmatchedTask).where(UnmatchedTask.id == unmatched_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (session or db.session).scalar(query)


def is_dismissed(task: UnmatchedTask) -> bool:
    """Whether a person has dismissed the task or is deleting it right now.

    A time too far ahead was written before the clock was set back, and does not count.
    """
    until = task.deleting_until
    is_being_deleted = until is not None and utc_now() < until < utc_now() + 2 * DELETING
    return task.dismissed_at is not None or is_being_deleted


def _is_dismissed() -> ColumnElement[bool]:
    """The same as a condition."""
    is_being_deleted = UnmatchedTask.deleting_until.between(utc_now(), utc_now() + 2 * DELETING)
    return or_(UnmatchedTask.dismissed_at.is_not(None), func.coalesce(is_being_deleted, false()))


def _is_unmatched(account: str) -> ColumnElement[bool]:
    is_kept = or_(UnmatchedTask.expires_at.is_(None), UnmatchedTask.expires_at > utc_now())
    return and_(
        UnmatchedTask.account == account,
        ~_is_dismissed(),
        is_kept,
        ~exists().where(Attempt.task_id == UnmatchedTask.task_id, Job.id == Attempt.job_id, _IS_FOLLOWED),
        ~_is_candidate(),
    )


def _is_candidate() -> ColumnElement[bool]:
    """Whether the order that could have made the task is still unanswered, and its job waits for it."""
    return exists().where(
        Attempt.job_id == UnmatchedTask.maybe_job_id,
        Attempt.state.in_(_IN_FLIGHT),
        Job.id == Attempt.job_id,
        Job.status == Status.PENDING,
    )


def _of(account: str, task_ids: Collection[str]) -> Select[UnmatchedTask]:
    return select(UnmatchedTask).where(UnmatchedTask.account == account, UnmatchedTask.task_id.in_(task_ids))


def _describe(row: UnmatchedTask, task: Task) -> None:
    row.status, row.progress = task.status, task.progress
    row.texture_prompt = task.texture_prompt
    row.has_thumbnail = task.thumbnail_url is not None
    row.made_at, row.expires_at = task.created_at, task.expires_at
    row.consumed_credits = task.consumed_credits
    row.seen_at = utc_now()


def others_waiting(job: Job) -> int:
    """How many other jobs of the same account wait to be sent."""
    query = select(func.count()).select_from(Job).where(Job.account == job.account, Job.id != job.id)
    return db.session.scalar(query.where(Job.status == Status.PENDING)) or 0


def in_flight(session: Session, account: str) -> Sequence[Attempt]:
    """The account's attempts whose outcome is not known."""
    query = select(Attempt).where(Attempt.account == account, Attempt.state.in_(_IN_FLIGHT))
    return session.scalars(query).all()

"""Tasks in an engine's account that belong to no attempt of ours, as they were last seen there.

Some were ordered by other software with the same account; some are ours, but nobody learnt of it. Which is
which only a person can say (`decide`, `orphans`). Here are the rows; `orphans.sweep` asks the account.
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
# Of an accepted attempt's task. What a canceled job ordered, or a job ordered twice, nobody follows any more.
_IS_FOLLOWED = or_(
    Job.next_step == NextStep.REVOKE,
    and_(Job.meshy_task_id == Attempt.task_id, Job.status != Status.CANCELED),
)


def remember(
    session: Session, account: str, tasks: Iterable[Task], maybe_job_id: str | None = None
) -> list[UnmatchedTask]:
    """Write down how these tasks stand; `maybe_job_id`: whose unanswered order they could be."""
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
    """Which of these tasks an order of `job_id` sent after `moment` cannot have made: they were there before
    (not asked when it is None), could be those of another order that waits for a person's word, or a person
    has said that they are none of ours."""
    query = select(UnmatchedTask.task_id).where(
        UnmatchedTask.account == account, UnmatchedTask.task_id.in_(task_ids)
    )
    is_out = or_(_is_set_aside(), and_(_is_candidate(), UnmatchedTask.maybe_job_id != job_id))
    if moment is not None:
        is_out = or_(is_out, UnmatchedTask.first_seen_at < moment)
    return set(db.session.scalars(query.where(is_out)))


def owned_ids(task_ids: Collection[str]) -> set[str]:
    """Which of these tasks an attempt of ours has; of any account, since one whose key was changed is another
    to us, but lists the same tasks."""
    query = select(Attempt.task_id).where(Attempt.task_id.in_(task_ids))
    return {task_id for task_id in db.session.scalars(query) if task_id}


def followed_ids(task_ids: Collection[str], session: Session | None = None) -> set[str]:
    """Which of these tasks a job of ours follows, has its result of, or is still to take back."""
    query = select(Attempt.task_id).join(Job, Job.id == Attempt.job_id)
    query = query.where(Attempt.task_id.in_(task_ids), _IS_FOLLOWED)
    return {task_id for task_id in (session or db.session).scalars(query) if task_id}


def ordered_for(task_ids: Collection[str]) -> dict[str, str]:
    """The jobs that ordered these tasks, though they may follow them no more, by task id."""
    query = select(Attempt.task_id, Attempt.job_id).where(Attempt.task_id.in_(task_ids))
    return {task_id: job_id for task_id, job_id in db.session.execute(query) if task_id}


def forget_unseen(session: Session, account: str, since: datetime) -> None:
    """Drop the rows of tasks that the account's list did not show since then, unless a person has said, or is
    to say, something of them."""
    gone = delete(UnmatchedTask).where(
        UnmatchedTask.account == account,
        UnmatchedTask.seen_at < since,
        ~_is_set_aside(),
        ~_is_candidate(),
    )
    session.execute(gone.execution_options(synchronize_session=False))


def unmatched_tasks(account: str) -> list[UnmatchedTask]:
    """The tasks of the account that belong to nobody as far as anybody knows, newest first."""
    query = (
        select(UnmatchedTask)
        .where(_is_orphan(account))
        .order_by(UnmatchedTask.made_at.desc(), UnmatchedTask.id)
    )
    return list(db.session.scalars(query.limit(_MOST_LISTED)))


def count_unmatched_tasks(account: str) -> int:
    return db.session.scalar(select(func.count()).select_from(UnmatchedTask).where(_is_orphan(account))) or 0


def set_aside(account: str) -> list[UnmatchedTask]:
    """What people have put aside or deleted of the account, with who it was, the last one first."""
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


def awaiting_decision() -> list[str]:
    """The jobs of whose order only a person can say which task it made, if any."""
    shown = select(UnmatchedTask.maybe_job_id).where(_is_candidate(), UnmatchedTask.dismissed_at.is_(None))
    asked = select(Attempt.job_id).join(Job, Job.id == Attempt.job_id)
    asked = asked.where(
        Attempt.state.in_(_IN_FLIGHT), Attempt.asked_at.is_not(None), Job.status == Status.PENDING
    )
    return [job_id for job_id in db.session.scalars(shown.union(asked)) if job_id]


def stray_by_id(stray_id: str, session: Session | None = None, *, lock: bool = False) -> UnmatchedTask | None:
    """The row, or None; with `lock` it is held until the transaction ends."""
    if not is_id(stray_id):
        return None
    query = select(UnmatchedTask).where(UnmatchedTask.id == stray_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (session or db.session).scalar(query)


def is_set_aside(stray: UnmatchedTask) -> bool:
    """Whether a person has said that it is none of ours, or is deleting it right now. A time too far ahead
    was written before the clock was set back."""
    until = stray.deleting_until
    is_being_deleted = until is not None and utc_now() < until < utc_now() + 2 * DELETING
    return stray.dismissed_at is not None or is_being_deleted


def _is_set_aside() -> ColumnElement[bool]:
    """The same for the database."""
    is_being_deleted = UnmatchedTask.deleting_until.between(utc_now(), utc_now() + 2 * DELETING)
    return or_(UnmatchedTask.dismissed_at.is_not(None), func.coalesce(is_being_deleted, false()))


def _is_orphan(account: str) -> ColumnElement[bool]:
    is_kept = or_(UnmatchedTask.expires_at.is_(None), UnmatchedTask.expires_at > utc_now())
    return and_(
        UnmatchedTask.account == account,
        ~_is_set_aside(),
        is_kept,
        ~exists().where(Attempt.task_id == UnmatchedTask.task_id, Job.id == Attempt.job_id, _IS_FOLLOWED),
        ~_is_candidate(),
    )


def _is_candidate() -> ColumnElement[bool]:
    """Whether the order that could have made it is still unanswered, and its job waits for it."""
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

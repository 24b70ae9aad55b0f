"""Which jobs are due, and who takes them: the poller's questions to the jobs table.

No query reads jobs that have ended, however many there are: each names the partial index's condition.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update

from acr3d.db.extensions import db
from acr3d.db.models import HAS_NEXT_STEP, Job
from acr3d.db.session import database_now, transaction
from acr3d.db.states import NextStep
from acr3d.db.types import utc_now
from acr3d.jobs.lease import LEASE

FEW = 3  # up to this many tasks of one account are polled one by one; more are polled in bulk
FARTHEST = timedelta(hours=2)  # no job waits longer for its next step
# A job of an account that is not set up here is left to the poller that has it for this long.
OTHER_ACCOUNTS_WAIT = timedelta(seconds=60)

IS_POLLED = Job.next_step == NextStep.POLL


@dataclass(frozen=True)
class Lane:
    """Steps that run beside those of other lanes: which ones, how many at once, and which job goes first."""

    name: str
    size: int
    steps: tuple[NextStep, ...]
    order: tuple[ColumnElement[Any], ...] = (Job.next_at,)  # type: ignore[assignment]


# Downloads go first: results are paid for, and the engine deletes them.
DOWNLOADS = Lane(
    "download",
    2,
    (NextStep.DOWNLOAD,),
    (Job.task_expires_at.is_(None), Job.task_expires_at, Job.next_at),  # type: ignore[arg-type]
)
REQUESTS = Lane("request", 4, (NextStep.SUBMIT, NextStep.POLL, NextStep.REVOKE))
OPTIMIZING = Lane("optimize", 1, (NextStep.OPTIMIZE,))
LANES = (DOWNLOADS, REQUESTS, OPTIMIZING)


@dataclass(frozen=True)
class ReachableAccounts:
    """The accounts that are set up in this process."""

    accounts: Collection[str]

    def ours(self) -> ColumnElement[bool]:
        return or_(Job.next_step == NextStep.OPTIMIZE, Job.account.in_(sorted(self.accounts)))

    def ours_or_overdue(self, now: datetime) -> ColumnElement[bool]:
        return or_(self.ours(), Job.next_at <= now - OTHER_ACCOUNTS_WAIT)


def accounts_to_bulk_poll(reach: ReachableAccounts) -> list[str]:
    """The accounts with more than FEW tasks that are due to be polled."""
    now = database_now(db.session())
    wanted = (HAS_NEXT_STEP, IS_POLLED, _free(now), _is_time(now), reach.ours_or_overdue(now))
    query = select(Job.account).where(*wanted).group_by(Job.account).having(func.count() > FEW)
    found = list(db.session.scalars(query))
    db.session.commit()
    return found


def due(lane: Lane, before: datetime, count: int) -> list[tuple[str, str, str]]:
    """The first `count` free jobs of the lane that were due `before`: (job id, engine, account)."""
    wanted = (HAS_NEXT_STEP, Job.next_step.in_(lane.steps), _free(utc_now()), _is_time(before))
    query = select(Job.id, Job.engine, Job.account).where(*wanted).order_by(*lane.order).limit(count)
    found = [(row.id, row.engine, row.account) for row in db.session.execute(query)]
    db.session.commit()
    return found


def claim(
    poller_id: str,
    lane: Lane,
    count: int,
    reach: ReachableAccounts,
    in_bulk: Collection[str] = (),
    job_id: str | None = None,
) -> list[tuple[str, str]]:
    """Lease at most `count` due jobs of the lane, or this one, to us: [(job id, lease owner)].

    Tasks of the accounts `in_bulk` are left to `claim_batch`.
    """
    if count <= 0:
        return []
    with transaction() as session:
        now = database_now(session)
        wanted = [Job.next_step.in_(lane.steps), _is_time(now), reach.ours_or_overdue(now)]
        if job_id is not None:
            wanted.append(Job.id == job_id)
        if in_bulk:
            wanted.append(~and_(IS_POLLED, Job.account.in_(in_bulk)))
        owner, taken = _lease(poller_id, now, wanted, lane.order, count)
    return [(job_id, owner) for job_id in taken]


def claim_batch(poller_id: str, account: str) -> str | None:
    """Lease all of the account's free tasks to us, due or not, since one list shows them all.

    Returns the lease owner, or None when there are no such tasks.
    """
    with transaction() as session:
        now = database_now(session)
        owner, taken = _lease(poller_id, now, [IS_POLLED, Job.account == account], REQUESTS.order, None)
    return owner if taken else None


def next_due(reach: ReachableAccounts, open_lanes: Iterable[Lane]) -> datetime | None:
    """When the next free job becomes due for one of the lanes."""
    steps = [step for lane in open_lanes for step in lane.steps]
    is_ours = (_free(utc_now()), reach.ours(), Job.next_step.in_(steps))
    query = select(func.min(Job.next_at)).where(HAS_NEXT_STEP, *is_ours)
    soonest = db.session.scalar(query)
    db.session.commit()
    return soonest


def renew(owners: Collection[str]) -> None:
    """Renew the leases of these owners."""
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.id.in_(locked(Job.lease_owner.in_(owners))))
            .values(lease_until=database_now(session) + LEASE)
            .execution_options(synchronize_session=False)
        )


def release(owner: str) -> None:
    """End the leases of `owner`; a poller's id ends all leases of that poller."""
    with transaction() as session:
        mine = or_(Job.lease_owner == owner, Job.lease_owner.startswith(f"{owner}:", autoescape=True))
        session.execute(
            update(Job)
            .where(Job.id.in_(locked(mine)))
            .values(lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


def locked(wanted: ColumnElement[bool]) -> Select[str]:
    """The ids of such jobs, locked in the order of their ids, so that two transactions cannot deadlock.

    SQLite has no row locks, and would read the whole table for that order.
    """
    query = select(Job.id).where(HAS_NEXT_STEP, wanted)
    if db.session().get_bind().dialect.name != "postgresql":
        return query
    return query.order_by(Job.id).with_for_update()


def _lease(
    poller_id: str,
    now: datetime,
    wanted: Iterable[ColumnElement[bool]],
    order: tuple[ColumnElement[Any], ...],
    count: int | None,
) -> tuple[str, list[str]]:
    """Lease such jobs to a new owner, inside the caller's transaction; each job goes to one poller only.

    Each claim has an owner of its own, so that no step mistakes a later claim's lease for its own.
    """
    owner = f"{poller_id}:{secrets.token_hex(6)}"
    candidates = select(Job.id).where(HAS_NEXT_STEP, _free(now), *wanted).order_by(*order).limit(count)
    taken = db.session.scalars(
        update(Job)
        .where(Job.id.in_(candidates.with_for_update(skip_locked=True)), _free(now))
        .values(lease_owner=owner, lease_until=now + LEASE)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return owner, list(taken)


def _free(now: datetime) -> ColumnElement[bool]:
    """Not leased. A time too far ahead was written before the clock was set back."""
    return or_(Job.lease_until.is_(None), Job.lease_until < now, Job.lease_until > now + 2 * LEASE)


def _is_time(now: datetime) -> ColumnElement[bool]:
    return or_(Job.next_at <= now, Job.next_at > now + FARTHEST)

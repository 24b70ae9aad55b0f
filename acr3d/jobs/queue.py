"""Which jobs are due, and who takes them: the poller's questions to the jobs table.

None of them looks at jobs that have ended, however many there are: each names the partial index's condition.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, update

from acr3d.db.extensions import db
from acr3d.db.models import TO_DO, Job
from acr3d.db.session import database_now, transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.jobs.lease import LEASE

FEW = 3  # so many tasks of one account are asked for one by one; more are looked at together
FARTHEST = timedelta(hours=2)  # nothing waits longer between two looks
# A job for an engine that is not set up here is left to the poller that has it, for so long.
STRANGERS_WAIT = timedelta(seconds=60)

FOLLOWED = and_(Job.status.in_((Status.SUBMITTED, Status.PROCESSING)), Job.has_result.is_(False))


@dataclass(frozen=True)
class Lane:
    """Steps of one kind: how many at once, which jobs are due for it, and who goes first."""

    name: str
    size: int
    due: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...] = (Job.next_at,)  # type: ignore[assignment]


# Fetching comes first: results are deleted at the engine, and are paid for.
FETCH = Lane(
    "fetch",
    2,
    and_(Job.has_result, Job.status == Status.PROCESSING),
    (Job.task_expires_at.is_(None), Job.task_expires_at, Job.next_at),  # type: ignore[arg-type]
)
TALK = Lane("talk", 4, or_(Job.needs_cleanup, Job.status == Status.PENDING, FOLLOWED))
OPTIMIZE = Lane("optimize", 1, Job.status == Status.OPTIMIZING)
LANES = (FETCH, TALK, OPTIMIZE)


@dataclass(frozen=True)
class ReachableAccounts:
    """The accounts that this process can speak for."""

    accounts: Collection[str]

    def ours(self) -> ColumnElement[bool]:
        return or_(Job.status == Status.OPTIMIZING, Job.account.in_(sorted(self.accounts)))

    def ours_or_nobodys(self, now: datetime) -> ColumnElement[bool]:
        return or_(self.ours(), Job.next_at <= now - STRANGERS_WAIT)


def busy_accounts(reach: ReachableAccounts) -> list[str]:
    """The accounts with more than FEW tasks to look at now."""
    now = database_now(db.session())
    wanted = (TO_DO, FOLLOWED, _free(now), _is_time(now), reach.ours_or_nobodys(now))
    query = select(Job.account).where(*wanted).group_by(Job.account).having(func.count() > FEW)
    found = list(db.session.scalars(query))
    db.session.commit()
    return found


def claim(
    poller_id: str, lane: Lane, room: int, reach: ReachableAccounts, crowded: Collection[str]
) -> list[tuple[str, str]]:
    """At most `room` due jobs of the lane, now leased to us, each with its lease's owner."""
    if room <= 0:
        return []
    single = ~and_(FOLLOWED, Job.account.in_(crowded)) if crowded else None
    with transaction() as session:
        now = database_now(session)
        wanted = [lane.due, _is_time(now), reach.ours_or_nobodys(now), *([] if single is None else [single])]
        owner, taken = _take(poller_id, now, wanted, lane.order, room)
    return [(job_id, owner) for job_id in taken]


def claim_batch(poller_id: str, account: str) -> str | None:
    """All of the account's tasks that nobody holds, due or not, since one list shows them all; their lease's
    owner, or None when there are none."""
    with transaction() as session:
        now = database_now(session)
        owner, taken = _take(poller_id, now, [FOLLOWED, Job.account == account], TALK.order, None)
    return owner if taken else None


def next_due(reach: ReachableAccounts, open_lanes: Iterable[Lane]) -> datetime | None:
    """When the next job that nobody holds becomes due for one of the lanes."""
    lanes = or_(false(), *(lane.due for lane in open_lanes))
    query = select(func.min(Job.next_at)).where(TO_DO, _free(utc_now()), reach.ours(), lanes)
    soonest = db.session.scalar(query)
    db.session.commit()
    return soonest


def renew(owners: Collection[str]) -> None:
    """Keep the leases of these owners."""
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.id.in_(locked(Job.lease_owner.in_(owners))))
            .values(lease_until=database_now(session) + LEASE)
            .execution_options(synchronize_session=False)
        )


def release(owner: str) -> None:
    """Free what is still leased to `owner`; a poller's id frees all of its owners' jobs."""
    with transaction() as session:
        mine = or_(Job.lease_owner == owner, Job.lease_owner.startswith(f"{owner}:", autoescape=True))
        session.execute(
            update(Job)
            .where(Job.id.in_(locked(mine)))
            .values(lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


def locked(wanted: ColumnElement[bool]) -> Select[str]:
    """The ids of such jobs, locked in their order, else two that lock many could wait for each other.

    SQLite has no locks on rows, and would read the whole table for that order.
    """
    query = select(Job.id).where(TO_DO, wanted)
    if db.session().get_bind().dialect.name != "postgresql":
        return query
    return query.order_by(Job.id).with_for_update()


def _take(
    poller_id: str,
    now: datetime,
    wanted: Iterable[ColumnElement[bool]],
    order: tuple[ColumnElement[Any], ...],
    room: int | None,
) -> tuple[str, list[str]]:
    """Lease such jobs to a new owner, inside the caller's transaction. Of two pollers one gets each job.

    An owner is new with each claim, so that no step takes a later one's lease for its own.
    """
    owner = f"{poller_id}:{secrets.token_hex(6)}"
    candidates = select(Job.id).where(TO_DO, _free(now), *wanted).order_by(*order).limit(room)
    taken = db.session.scalars(
        update(Job)
        .where(Job.id.in_(candidates.with_for_update(skip_locked=True)), _free(now))
        .values(lease_owner=owner, lease_until=now + LEASE)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return owner, list(taken)


def _free(now: datetime) -> ColumnElement[bool]:
    """Held by nobody. A time too far ahead was written before the clock was set back."""
    return or_(Job.lease_until.is_(None), Job.lease_until < now, Job.lease_until > now + 2 * LEASE)


def _is_time(now: datetime) -> ColumnElement[bool]:
    return or_(Job.next_at <= now, Job.next_at > now + FARTHEST)

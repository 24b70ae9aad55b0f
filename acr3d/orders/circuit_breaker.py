"""Pausing all submitting to one account: what one job is refused for no fault of its own, all would be.

The pause stands in the database, so it holds for every process. A refused key, an empty account and the like
end when the account's balance, which costs nothing to ask for, answers well: then one job is sent, and when
its order is taken the others go on. A full queue and a rate limit end when their time is up, a full queue
also as soon as a task of ours ends. Times grow until an order is taken. (Michael Nygard, "Release It!", 2nd
edition 2018, chapter 5: the circuit breaker.)
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from acr3d.billing.engine_account import locked_account
from acr3d.db.extensions import db
from acr3d.db.models import EngineAccount, Job, Part
from acr3d.db.session import end_read, transaction
from acr3d.db.states import Pause, Status
from acr3d.db.types import utc_now
from acr3d.engines import errors
from acr3d.engines.providers import Provider
from acr3d.jobs.lease import LONGEST_WAIT
from acr3d.messages.message import Message
from acr3d.orders.admission import wake_next

log = logging.getLogger("acr3d.jobs")

_CAUSES: dict[type[errors.RequestRefused], Pause] = {
    errors.KeyRefused: Pause.KEY,
    errors.NoCredits: Pause.CREDITS,
    errors.PlanRefused: Pause.PLAN,
    errors.WrongAddress: Pause.ADDRESS,
    errors.QueueFull: Pause.FULL,
    errors.RateLimited: Pause.RATE,
}
_SHORT = frozenset({Pause.FULL, Pause.RATE})  # over when their time is up
_FIRST_SECONDS = {Pause.FULL: 15, Pause.RATE: 5}
LOOK_SECONDS = 60
_BALANCE_AGE = timedelta(minutes=30)
_FARTHEST = timedelta(hours=2)  # a look farther ahead was planned before the clock was set back


@dataclass(frozen=True)
class Wait:
    """Why a job is not submitted now, and for how many seconds."""

    seconds: float
    message: Message
    is_told: bool = False  # in the job's history
    grows: bool = False  # longer each time it is still so


def account_of(fingerprint: str, session: Session | None = None) -> EngineAccount | None:
    """What we know of the account; nothing until its first job."""
    return (session or db.session).get(EngineAccount, fingerprint, populate_existing=True)


def blocked_reason(account: EngineAccount | None) -> Wait | None:
    """How long the account's pause, if there is one, keeps a job waiting."""
    if account is None or account.pause is None or _is_over(account):
        return None
    pause = Pause(account.pause)
    seconds = max((account.look_at - utc_now()).total_seconds(), 1)
    return Wait(min(seconds, _FARTHEST.total_seconds()), message(pause), pause not in _SHORT)


def trip(fingerprint: str, engine: str, error: errors.EngineError) -> None:
    """Let nobody submit to the account for now, if `error` says that it, and not a job, is the cause."""
    cause = _CAUSES.get(type(error))  # type: ignore[arg-type]
    if cause is None:
        return
    with transaction() as session:
        account = locked_account(session, fingerprint, engine)
        if account.pause == cause and not _is_over(account):
            return
        if account.pause and cause in _SHORT and account.pause not in _SHORT:
            return  # the graver cause stays
        account.pause, account.paused_at = cause, utc_now()
        _plan_look(account, error.retry_after)
    log.warning("account.paused cause=%s account=%s: %s", cause, fingerprint[:8], error)


def probe(provider: Provider, *, only_paused: bool = True) -> None:
    """If it is time, and nobody else does, ask the account for its balance; a good answer ends its pause.

    With `only_paused` false, also when nothing hinders and the balance known is old.
    """
    if not _take_look(provider, only_paused):
        return
    try:
        balance = provider.client.balance()
    except errors.KeyRefused as error:
        trip(provider.account, provider.name, error)
        return
    except errors.EngineError:
        return  # the next look is planned already
    with transaction() as session:
        account = locked_account(session, provider.account, provider.name)
        account.balance, account.balance_at = balance, utc_now()
        ended = account.pause
        if (
            ended is None
            or ended in _SHORT
            or (ended == Pause.CREDITS and balance < _needed(session, provider))
        ):
            return
        account.pause = account.paused_at = None
        wake_next(
            session, provider.account
        )  # one order shows whether it is true; the others go on after that


def close(fingerprint: str) -> None:
    """The account took an order: nothing hinders, and the next job may come."""
    with transaction() as session:
        account = account_of(fingerprint, session)
        if account is not None and (account.looks or account.pause):
            account = locked_account(session, fingerprint, account.engine)
            account.pause = account.paused_at = None
            account.looks = 0
            _go_on(session, fingerprint)
        wake_next(session, fingerprint)


def message(cause: Pause) -> Message:
    """What a waiting job says."""
    return Message(f"pause.{cause}")


def _is_over(account: EngineAccount) -> bool:
    """Whether the pause ends by time alone, and that is up."""
    return account.pause in _SHORT and _is_time(account.look_at)


def _is_time(moment: datetime) -> bool:
    return not utc_now() < moment < utc_now() + _FARTHEST


def _plan_look(account: EngineAccount, seconds: int | None = None) -> None:
    first = _FIRST_SECONDS.get(Pause(account.pause), LOOK_SECONDS) if account.pause else LOOK_SECONDS
    grown = min(first * 2 ** min(account.looks, 6), LONGEST_WAIT)
    account.looks += 1
    account.look_at = utc_now() + timedelta(seconds=seconds or grown)


def _take_look(provider: Provider, only_paused: bool) -> bool:
    """Whether the look is due, and ours: the next one is planned before this one is made."""
    known = account_of(provider.account)
    end_read()
    if only_paused if known is None else not _is_due(known, only_paused):
        return False
    with transaction() as session:
        account = locked_account(session, provider.account, provider.name)
        if not _is_due(account, only_paused):
            return False
        if account.pause:
            _plan_look(account)
        else:
            account.look_at = utc_now() + timedelta(seconds=LOOK_SECONDS)
    return True


def _is_due(account: EngineAccount, only_paused: bool) -> bool:
    if not _is_time(account.look_at):
        return False
    if account.pause:
        return account.pause not in _SHORT
    return not only_paused and (account.balance_at is None or _is_time(account.balance_at + _BALANCE_AGE))


def _needed(session: Session, provider: Provider) -> int:
    """The credits that the job next in turn will take."""
    query = select(Job.estimated_credits).where(Job.account == provider.account, Job.status == Status.PENDING)
    return session.scalar(query.order_by(Job.created_at, Job.id).limit(1)) or 1


def _go_on(session: Session, fingerprint: str) -> None:
    """Let the jobs that waited for the account look again at once."""
    codes = [message(cause).code for cause in Pause if cause not in _SHORT]
    waiting = (Job.account == fingerprint, Job.status == Status.PENDING, Job.waiting_code.in_(codes))
    quietly = {"synchronize_session": False}
    parts = update(Part).where(Part.id.in_(select(Job.part_id).where(*waiting)))
    session.execute(parts.values(revision=Part.revision + 1), execution_options=quietly)
    nothing = Job.waiting.values(None)
    jobs = update(Job).where(*waiting).values(**nothing, snooze_count=0, next_at=utc_now())
    session.execute(jobs, execution_options=quietly)

"""The circuit breaker of an account: what one order is refused for no fault of its own, all would be.

closed      orders are sent
open        no order is sent, because of a `BreakerCause`. It is a row in the database, so it holds for every
            process
half-open   the cause is probably gone: one order is sent, and the others follow when it is accepted

A refused key, an empty account and the like open it until a probe, a free question for the balance, is
answered well; an engine without a balance is tried again when the time is up. A full queue and a rate limit
open it until their time is up, a full queue also until one of our tasks ends. The times grow until an order
is accepted. (Michael Nygard, "Release It!", 2nd edition 2018, chapter 5.)
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
from acr3d.db.states import BreakerCause, Status
from acr3d.db.types import utc_now
from acr3d.engines import errors
from acr3d.engines.base import Provider
from acr3d.engines.registry import engines, known
from acr3d.jobs.backoff import LONGEST_WAIT
from acr3d.messages.message import Message
from acr3d.orders.admission import wake_next

log = logging.getLogger("acr3d.jobs")

_CAUSES: dict[type[errors.EngineError], BreakerCause] = {
    errors.KeyRefused: BreakerCause.KEY,
    errors.NoCredits: BreakerCause.CREDITS,
    errors.PlanRefused: BreakerCause.PLAN,
    errors.ModelRetired: BreakerCause.MODEL,
    errors.WrongAddress: BreakerCause.ADDRESS,
    errors.QueueFull: BreakerCause.FULL,
    errors.RateLimited: BreakerCause.RATE,
}
_ENDS_BY_TIME = frozenset({BreakerCause.FULL, BreakerCause.RATE})
_FIRST_SECONDS = {BreakerCause.FULL: 15, BreakerCause.RATE: 5}
PROBE_SECONDS = 60
_BALANCE_AGE = timedelta(minutes=30)
_FARTHEST = timedelta(hours=2)  # a later probe was planned before the clock was set back


@dataclass(frozen=True)
class Wait:
    """Why a job is not submitted now, and for how many seconds."""

    seconds: float
    message: Message
    is_told: bool = False  # in the job's history
    grows: bool = False  # longer each time it is still so


def account_of(fingerprint: str, session: Session | None = None) -> EngineAccount | None:
    """What we know of the account; None before its first job."""
    return (session or db.session).get(EngineAccount, fingerprint, populate_existing=True)


def blocked_reason(account: EngineAccount | None) -> Wait | None:
    """How long an open breaker keeps a job waiting; None when it is closed or half-open."""
    if account is None or account.open_cause is None or _is_over(account):
        return None
    cause = BreakerCause(account.open_cause)
    seconds = max((account.probe_at - utc_now()).total_seconds(), 1)
    text = message(cause, account.engine, _model_of(account))
    return Wait(min(seconds, _FARTHEST.total_seconds()), text, cause not in _ENDS_BY_TIME)


def trip(fingerprint: str, engine: str, error: errors.EngineError) -> None:
    """Open the breaker if `error` says that the account, and not the job, is the cause."""
    cause = _CAUSES.get(type(error))
    if cause is None:
        return
    with transaction() as session:
        account = locked_account(session, fingerprint, engine)
        if account.open_cause == cause and not _is_over(account):
            return
        if account.open_cause and cause in _ENDS_BY_TIME and account.open_cause not in _ENDS_BY_TIME:
            return  # the graver cause stays
        account.open_cause, account.opened_at = cause, utc_now()
        _plan_probe(account, error.retry_after)
    log.warning("account.paused cause=%s account=%s: %s", cause, fingerprint[:8], error)


def probe(provider: Provider, *, only_if_open: bool = True) -> None:
    """Ask the account for its balance, if that is due and no other process does; a good answer half-opens it.

    With `only_if_open` false, also when the breaker is closed and the known balance is old. An engine that
    tells no balance half-opens when the time is up: its next order is the probe.
    """
    if not _claim_probe(provider, only_if_open):
        return
    balance = None
    if provider.capabilities.balance:
        try:
            balance = provider.balance()
        except errors.KeyRefused as error:
            trip(provider.account, provider.name, error)
            return
        except errors.EngineError:
            return  # the next probe is planned already
    with transaction() as session:
        account = locked_account(session, provider.account, provider.name)
        if balance is not None:
            account.balance, account.balance_at = balance, utc_now()
        cause = account.open_cause
        is_short = (
            cause == BreakerCause.CREDITS and balance is not None and balance < _needed(session, provider)
        )
        if cause is None or cause in _ENDS_BY_TIME or is_short:
            return
        account.open_cause = account.opened_at = None
        wake_next(session, provider.account)


def close(fingerprint: str) -> None:
    """The account accepted an order: close the breaker and wake the next job."""
    with transaction() as session:
        account = account_of(fingerprint, session)
        if account is not None and (account.probes or account.open_cause):
            account = locked_account(session, fingerprint, account.engine)
            end(session, account)
        wake_next(session, fingerprint)


def end(session: Session, account: EngineAccount) -> None:
    """Close the breaker of a locked account, and make what waited for it due."""
    account.open_cause = account.opened_at = None
    account.probes = 0
    _wake_waiting(session, account)


def message(cause: BreakerCause, engine: str, model: str = "") -> Message:
    """What a waiting job of this engine says; `model` is the one that was refused."""
    found = known(engine)
    if cause in _ENDS_BY_TIME:
        return Message(_code(cause))
    if found is None:
        return Message(_code(cause), engine=engine, key="", address="", model="")
    words = found.wording
    settings = {"key": words.key_setting, "address": words.address_setting, "model": model}
    return Message(_code(cause), engine=words.name, **settings)


def _model_of(account: EngineAccount) -> str:
    provider = engines().provider(account.engine)
    return account.model or (provider.default_model if provider else "")


def _code(cause: BreakerCause) -> str:
    return f"breaker.{cause}"


def _is_over(account: EngineAccount) -> bool:
    """Whether time alone ends the cause, and the time is up."""
    return account.open_cause in _ENDS_BY_TIME and _is_time(account.probe_at)


def _is_time(moment: datetime) -> bool:
    return not utc_now() < moment < utc_now() + _FARTHEST


def _plan_probe(account: EngineAccount, seconds: int | None = None) -> None:
    cause = BreakerCause(account.open_cause) if account.open_cause else None
    first = _FIRST_SECONDS.get(cause, PROBE_SECONDS) if cause else PROBE_SECONDS
    grown = min(first * 2 ** min(account.probes, 6), LONGEST_WAIT)
    account.probes += 1
    account.probe_at = utc_now() + timedelta(seconds=seconds or grown)


def _claim_probe(provider: Provider, only_if_open: bool) -> bool:
    """Whether a probe is due, and ours: the next one is planned before this one is made."""
    known_account = account_of(provider.account)
    end_read()
    if only_if_open if known_account is None else not _is_due(known_account, provider, only_if_open):
        return False
    with transaction() as session:
        account = locked_account(session, provider.account, provider.name)
        if not _is_due(account, provider, only_if_open):
            return False
        if account.open_cause:
            _plan_probe(account)
        else:
            account.probe_at = utc_now() + timedelta(seconds=PROBE_SECONDS)
    return True


def _is_due(account: EngineAccount, provider: Provider, only_if_open: bool) -> bool:
    if not _is_time(account.probe_at):
        return False
    if account.open_cause:
        return account.open_cause not in _ENDS_BY_TIME
    is_wanted = not only_if_open and provider.capabilities.balance
    return is_wanted and (account.balance_at is None or _is_time(account.balance_at + _BALANCE_AGE))


def _needed(session: Session, provider: Provider) -> int:
    """The credits that the job next in turn will take."""
    query = select(Job.estimated_credits).where(Job.account == provider.account, Job.status == Status.PENDING)
    return session.scalar(query.order_by(Job.created_at, Job.id).limit(1)) or 1


def _wake_waiting(session: Session, account: EngineAccount) -> None:
    """Make the jobs that waited for the account due now."""
    codes = [_code(cause) for cause in BreakerCause if cause not in _ENDS_BY_TIME]
    waiting = (
        Job.account == account.fingerprint,
        Job.status == Status.PENDING,
        Job.waiting_code.in_(codes),
    )
    quietly = {"synchronize_session": False}
    parts = update(Part).where(Part.id.in_(select(Job.part_id).where(*waiting)))
    session.execute(parts.values(revision=Part.revision + 1), execution_options=quietly)
    jobs = update(Job).where(*waiting).values(**Job.waiting.values(None), snooze_count=0, next_at=utc_now())
    session.execute(jobs, execution_options=quietly)

"""Submitting a job exactly once, though the engine knows no idempotency key.

The attempt is committed before anything is sent, and `sent_at` before the socket opens. From then on a crash,
a timeout or a 5xx means "unknown", and an unknown outcome is settled by listing the engine's newest tasks.
One attempt in flight per account makes that decidable. (Brandur Leach, "Implementing Stripe-like Idempotency
Keys in Postgres", 2017: an atomic phase on each side of a call to the outside.)
"""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.billing.engine_account import locked_account
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job
from acr3d.db.states import AttemptState, NextStep
from acr3d.db.types import new_id, utc_now
from acr3d.engines.base import Order, Provider
from acr3d.engines.errors import EngineError, Unanswered
from acr3d.engines.registry import engines
from acr3d.jobs.lease import JobLease
from acr3d.jobs.ordered_captures import ordered_captures
from acr3d.jobs.ordered_photos import ordered_photos, ordered_with_outlines, waits_for_outlines
from acr3d.messages.message import Message
from acr3d.orders import circuit_breaker, disk_space, engine_models
from acr3d.orders.attempts import (
    IN_FLIGHT,
    JOB_DEADLINE,
    attempt_in_flight,
    mark_accepted,
    mark_not_created,
    mark_unknown,
)
from acr3d.orders.circuit_breaker import Wait
from acr3d.orders.reconcile import RECHECK_SECONDS, order_metadata, reconcile

_DISK_FULL_SECONDS = 60
_OUTLINE_SECONDS = 1


def submit(lease: JobLease, job: Job, provider: Provider) -> None:
    """Bring a pending job to `submitted`, or let it wait. Raises EngineError, StorageError or LeaseLost."""
    in_flight = attempt_in_flight(job.id)
    if in_flight is not None:
        reconcile(lease, job, provider, in_flight)
        return
    if wait := _blocked_reason(db.session(), job):
        circuit_breaker.probe(provider)
        wait = _blocked_reason(db.session(), job)
    if wait:
        wait_for(lease, wait)
        return
    if provider.capabilities.outlines and waits_for_outlines(job):
        lease.snooze(_OUTLINE_SECONDS, Message("outline.waits"))
        return
    order = _order(job, provider)
    attempt_id = _begin(lease, job)
    if isinstance(attempt_id, Wait):
        wait_for(lease, attempt_id)
        return
    _mark_sent(lease, attempt_id)
    try:
        task_id = provider.create(order, order_metadata(job.id, attempt_id))
    except EngineError as error:
        if error.unknown or isinstance(error, Unanswered):  # a lost answer, whatever a provider calls it
            mark_unknown(attempt_id, error.message)
            lease.snooze(RECHECK_SECONDS if provider.unknown_wait else 0, error.message)
            return
        # While our attempt is in flight, so that no other job can begin.
        circuit_breaker.trip(job.account, job.engine, error)
        mark_not_created(attempt_id, error.message)
        raise
    else:
        mark_accepted(attempt_id, task_id, Message("order.accepted"))
        circuit_breaker.close(job.account)
        engine_models.note_retirement(provider)


def _order(job: Job, provider: Provider) -> Order:
    if job.capture_ids:
        return provider.prepare_captures(ordered_captures(job), job.generation_config)
    if not provider.capabilities.outlines:
        model = engine_models.in_use(provider)
        return provider.prepare(ordered_photos(job), job.generation_config, model=model)
    photos, outlines = ordered_with_outlines(job)
    return provider.prepare(photos, job.generation_config, outlines, engine_models.in_use(provider))


def wait_for(lease: JobLease, wait: Wait) -> None:
    """Let the job wait for `wait`, unless its reason is over by now."""

    def is_over(session: Session, job: Job) -> bool:
        reason = _blocked_reason(session, job)
        return reason is None or reason.message != wait.message

    if wait.grows:
        lease.back_off(wait.seconds, wait.message)
    else:
        lease.snooze(wait.seconds, wait.message, in_history=wait.is_told, unless=is_over)


def _begin(lease: JobLease, job: Job) -> str | Wait:
    """The new attempt's id, or why there is none. The locked accounts keep others from beginning now."""
    attempt = Attempt(
        id=new_id(),
        job_id=job.id,
        account=job.account,
        state=AttemptState.SENDING,
        params_sha256=_params_hash(job),
    )
    try:
        with lease.transaction() as (session, _job, _part):
            locked_account(session, job.account, job.engine)
            if wait := _blocked_reason(session, job):
                return wait
            session.add(attempt)
            session.flush()
    except IntegrityError:
        # The order in flight wakes the next one when it is settled.
        return Wait(RECHECK_SECONDS, Message("order.another_is_sent"), grows=True)
    return attempt.id


def _blocked_reason(session: Session, job: Job) -> Wait | None:
    """Why the job cannot be sent now."""
    if wait := circuit_breaker.blocked_reason(circuit_breaker.account_of(job.account, session)):
        return wait
    provider = engines().provider(job.engine)
    if provider and _tasks_in_work(session, job.account) >= provider.max_concurrent_tasks:
        return Wait(RECHECK_SECONDS, Message("order.no_place"), grows=True)
    return Wait(_DISK_FULL_SECONDS, disk_space.FULL, is_told=True) if disk_space.is_short(session) else None


def _mark_sent(lease: JobLease, attempt_id: str) -> None:
    """Committed before the socket opens: from here on, a crash leaves the outcome "unknown"."""
    with lease.transaction() as (session, _job, _part):
        session.get_one(Attempt, attempt_id).sent_at = utc_now()


def _tasks_in_work(session: Session, account: str) -> int:
    """How many jobs the account works on, or may work on: those with an order in flight count."""
    ordered = select(Attempt.job_id).where(Attempt.account == account, Attempt.state.in_(IN_FLIGHT))
    # An order that waits for a person's decision may wait for days; its task, if any, ended long before.
    ordered = ordered.where(or_(Attempt.asked_at.is_(None), Attempt.sent_at > utc_now() - JOB_DEADLINE))
    in_work = or_(Job.next_step == NextStep.POLL, Job.id.in_(ordered))
    return session.scalar(select(func.count()).select_from(Job).where(Job.account == account, in_work)) or 0


def _params_hash(job: Job) -> str:
    inputs = job.capture_ids or job.selected_image_metadata
    order = [inputs, job.generation_config, job.engine, job.engine_base]
    return hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()

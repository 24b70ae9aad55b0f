"""One step of one job, and what each kind of failure means for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from acr3d import logs, metrics
from acr3d.db.extensions import db
from acr3d.db.models import Job, Part
from acr3d.db.outage import outage_of, report
from acr3d.db.session import end_read
from acr3d.db.states import NextStep, Status
from acr3d.db.types import utc_now
from acr3d.engines import errors
from acr3d.engines.base import Provider
from acr3d.engines.registry import engines, known
from acr3d.jobs import transitions
from acr3d.jobs.backoff import LONGEST_WAIT, MOST_TRIES, retry_delay
from acr3d.jobs.lease import ACTOR, JobLease, LeaseLost
from acr3d.jobs.steps.download import download_result
from acr3d.jobs.steps.optimize import optimize
from acr3d.jobs.steps.poll import poll
from acr3d.jobs.steps.revoke import revoke
from acr3d.jobs.steps.submit import submit, wait_for
from acr3d.messages.message import Message, MessageError
from acr3d.net.download import DownloadError, DownloadRefused, DownloadStopped
from acr3d.orders import circuit_breaker
from acr3d.orders.attempts import attempt_in_flight
from acr3d.orders.circuit_breaker import Wait
from acr3d.sandbox import ChildRefused, ChildStopped
from acr3d.storage.blobs import StorageError

SETUP_SECONDS = 60

_AT_ENGINE: dict[NextStep, Callable[[JobLease, Job, Provider], None]] = {
    NextStep.SUBMIT: submit,
    NextStep.POLL: poll,
    NextStep.DOWNLOAD: download_result,
    NextStep.REVOKE: revoke,
}

log = logging.getLogger("acr3d.jobs")


def advance(lease: JobLease, step: Callable[[JobLease], None] | None = None) -> None:
    """Take the leased job's next step, or this `step`, and end its lease. An error concerns only this job."""
    with logs.about(job=lease.job_id):
        _advance(lease, step or _step)


def _advance(lease: JobLease, step: Callable[[JobLease], None]) -> None:
    try:
        step(lease)
    except LeaseLost:
        log.info("job.lease_lost job=%s", lease.job_id)
    except (ChildStopped, DownloadStopped):
        log.info("job.released job=%s", lease.job_id)
    except Exception as error:
        if lease.stop.is_set():  # interrupted by our own shutdown, which costs no try
            log.info("job.released job=%s why=%s", lease.job_id, type(error).__name__)
        else:
            _settle_error(lease, error)
    lease.release()


def _step(lease: JobLease) -> None:
    job = db.session.get_one(Job, lease.job_id, populate_existing=True)
    end_read()
    if job.next_step == NextStep.NONE:
        raise LeaseLost  # it ended after it was claimed
    with metrics.job_step(job.next_step):
        _run_step(lease, job)


def _run_step(lease: JobLease, job: Job) -> None:
    if job.next_step == NextStep.OPTIMIZE:
        optimize(lease, job)
        return
    provider = engines().provider(job.engine)
    if provider is None or not provider.owns(job):
        _wait_for_setup(lease, job)
    else:
        _AT_ENGINE[NextStep(job.next_step)](lease, job, provider)


def _wait_for_setup(lease: JobLease, job: Job) -> None:
    """The job's engine or account is not set up here. A canceled job waits only while its task may exist."""
    if job.next_step != NextStep.REVOKE:
        lease.snooze(SETUP_SECONDS, other_account(job.engine), in_history=True)
    elif job.completed_at is not None and utc_now() > job.completed_at + _results_kept(job.engine):
        with lease.transaction() as (session, kept, part):
            _end(session, kept, part, Message("revoke.no_account"))
    else:
        lease.snooze(LONGEST_WAIT)


def _settle_error(lease: JobLease, error: Exception) -> None:
    try:
        _handle_error(lease, error)
    except LeaseLost:
        log.info("job.lease_lost job=%s", lease.job_id)


def _handle_error(lease: JobLease, error: Exception) -> None:
    """Wait, try again later, or fail: the error says which."""
    if isinstance(error, errors.EngineError) and error.repeatable:
        if error.of_account and (wait := _account_wait(lease, error)):
            wait_for(lease, wait)
        else:
            lease.back_off(error.retry_after or error.retry_seconds, error.message)
    elif attempt_in_flight(lease.job_id) is not None:
        # It must not fail while its order is unsettled: the account would stay closed to all other jobs.
        lease.back_off(SETUP_SECONDS, _reason(lease, error))
    elif isinstance(error, ChildRefused):
        _fail_to_optimize(lease, error)
    elif isinstance(error, errors.EngineError | DownloadRefused):
        _fail(lease, error)
    else:
        _try_later(lease, error)


def _account_wait(lease: JobLease, error: errors.EngineError) -> Wait | None:
    """How long a job that was not sent waits because its whole account is paused."""
    job = db.session.get_one(Job, lease.job_id, populate_existing=True)
    circuit_breaker.trip(job.account, job.engine, error)
    wait = circuit_breaker.blocked_reason(circuit_breaker.account_of(job.account))
    end_read()
    if job.status != Status.PENDING or attempt_in_flight(job.id) is not None:
        return None
    return wait


def _try_later(lease: JobLease, error: Exception) -> None:
    """Our own failure: at most MOST_TRIES, with a growing delay between them.

    A result that is paid for is downloaded again for as long as the engine keeps it.
    """
    reason = _reason(lease, error)
    with lease.transaction() as (session, job, part):
        job.retry_count += 1
        if job.retry_count >= MOST_TRIES and not _can_still_download(job, error):
            _end(session, job, part, Message("job.tried_often", reason=reason, n=job.retry_count))
            return
        job.next_at = utc_now() + retry_delay(job.retry_count)
        job.waiting = Message("job.retried_soon", reason=reason)
        part.revision += 1
        transitions.log_event(session, job, ACTOR, reason, Status(job.status))


def _reason(lease: JobLease, error: Exception) -> Message:
    """What people read; an error without a message for them goes to the log."""
    if isinstance(error, MessageError):
        return error.message
    if outage_of(error):
        report(error, f"job.step_failed job={lease.job_id}")
    else:
        log.error("job.step_failed job=%s", lease.job_id, exc_info=error)
    return Message("job.our_failure")


def _can_still_download(job: Job, error: Exception) -> bool:
    """Whether the engine still keeps the result, and only the way into our storage failed."""
    is_kept = job.task_expires_at is not None and utc_now() < job.task_expires_at
    return is_kept and job.next_step == NextStep.DOWNLOAD and isinstance(error, DownloadError | StorageError)


def _fail(lease: JobLease, error: MessageError) -> None:
    with lease.transaction() as (session, job, part):
        job.input_refused = job.status == Status.PENDING and isinstance(error, errors.InputRefused)
        _end(session, job, part, error.message)


def _fail_to_optimize(lease: JobLease, error: ChildRefused) -> None:
    """The optimizer refused the raw model. The file is kept, since a later version may read it; and a retry
    downloads it once more, since the engine may have sent wrong bytes."""
    with lease.transaction() as (session, job, part):
        _end(session, job, part, Message("job.raw_model_kept", reason=error.message))
        job.raw_refused = True


def _end(session: Session, job: Job, part: Part, message: Message) -> None:
    """Fail the job; a canceled one only ends trying to revoke its task."""
    if job.next_step == NextStep.REVOKE:
        job.next_step = NextStep.NONE
        transitions.log_event(session, job, ACTOR, message, Status(job.status))
    else:
        transitions.transition(session, job, part, Status.FAILED, ACTOR, message)


def other_account(engine: str) -> Message:
    """Why a job waits whose engine or account is not set up here."""
    found = known(engine)
    return found.other_account() if found else Message("job.engine_removed")


def _results_kept(engine: str) -> timedelta:
    return (known(engine) or Provider).results_kept

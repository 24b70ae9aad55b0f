"""One step of one job, and what each kind of failure means for it."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from acr3d.children import ChildError, ChildRefused, ChildStopped
from acr3d.columns import utc_now
from acr3d.database import end_reading
from acr3d.download import DownloadError, DownloadRefused, DownloadStopped
from acr3d.extensions import db
from acr3d.generation import errors, pauses, record
from acr3d.generation.engines import engines
from acr3d.generation.fetch import fetch_result
from acr3d.generation.finish import optimize
from acr3d.generation.follow import follow
from acr3d.generation.hold import ACTOR, LONGEST_WAIT, Hold, LeaseLost
from acr3d.generation.pauses import Wait
from acr3d.generation.settle import attempt_in_flight
from acr3d.generation.states import Status
from acr3d.generation.submit import submit, wait_for
from acr3d.generation.take_back import clean_up
from acr3d.generation.task import RESULTS_KEPT
from acr3d.models import Job, Part
from acr3d.storage import StorageError

MOST_TRIES = 5
FIRST_BACKOFF_SECONDS = 60
SETUP_SECONDS = 60
BUSY_SECONDS = 15
_INPUT_REFUSED = (400, 413, 422)

log = logging.getLogger("acr3d.generation")


def advance(hold: Hold, step: Callable[[Hold], None] | None = None) -> None:
    """Take the held job's next step, or this `step`, and let it go again.

    Whatever happens is this job's alone.
    """
    try:
        (step or _step)(hold)
    except LeaseLost:
        log.info("generation.lease_lost job=%s", hold.job_id)
    except (ChildStopped, DownloadStopped):
        log.info("generation.handed_back job=%s", hold.job_id)
    except Exception as error:
        if hold.stop.is_set():  # broken off by our own end, which costs no try
            log.info("generation.handed_back job=%s why=%s", hold.job_id, type(error).__name__)
        else:
            _settle_failure(hold, error)
    hold.release()


def _step(hold: Hold) -> None:
    job = db.session.get_one(Job, hold.job_id, populate_existing=True)
    end_reading()
    if job.status == Status.OPTIMIZING:
        optimize(hold, job)
        return
    link = engines().link(job.engine)
    if link is None or not link.fits(job):
        _wait_for_setup(hold, job)
    elif job.needs_cleanup:
        clean_up(hold, job, link)
    elif job.status == Status.PENDING:
        submit(hold, job, link)
    elif job.has_result:
        fetch_result(hold, job, link)
    else:
        follow(hold, job, link)


def _wait_for_setup(hold: Hold, job: Job) -> None:
    """The job's engine or account is not set up here; a canceled job does not wait for it for ever."""
    if not job.needs_cleanup:
        hold.snooze(SETUP_SECONDS, mismatch(job.engine), told=True)
    elif job.completed_at is not None and utc_now() > job.completed_at + RESULTS_KEPT:
        message = _("Its account was not set up here since it was canceled; its task is left alone.")
        with hold.writing() as (session, kept, part):
            _end(session, kept, part, message)
    else:
        hold.snooze(LONGEST_WAIT)


def _settle_failure(hold: Hold, error: Exception) -> None:
    try:
        _judge(hold, error)
    except LeaseLost:
        log.info("generation.lease_lost job=%s", hold.job_id)


def _judge(hold: Hold, error: Exception) -> None:
    """Wait, try again later, or fail: the error says which."""
    if isinstance(error, errors.SetupRefused | errors.TooMany) and (wait := _account_wait(hold, error)):
        wait_for(hold, wait)
    elif isinstance(error, errors.TooMany):
        hold.wait(error.retry_after or BUSY_SECONDS, str(error))
    elif isinstance(error, errors.SetupRefused | errors.Unreachable | errors.Unanswered):
        hold.wait(error.retry_after or SETUP_SECONDS, str(error))
    elif attempt_in_flight(hold.job_id) is not None:
        # It must not end unsettled: the account would stay closed to every other job.
        hold.wait(SETUP_SECONDS, _reason(hold, error))
    elif isinstance(error, ChildRefused):
        _fail_to_optimize(hold, error)
    elif isinstance(error, errors.EngineError | DownloadRefused):
        _fail(hold, error)
    else:
        _try_later(hold, error)


def _account_wait(hold: Hold, error: errors.Refused) -> Wait | None:
    """How long a job that was not sent waits, since its whole account does."""
    job = db.session.get_one(Job, hold.job_id, populate_existing=True)
    pauses.pause(job.account, job.engine, error)
    wait = pauses.hindrance(pauses.account_of(job.account))
    end_reading()
    if job.status != Status.PENDING or attempt_in_flight(job.id) is not None:
        return None
    return wait


def _try_later(hold: Hold, error: Exception) -> None:
    """Our own failure: at most MOST_TRIES, a minute doubling between them, with jitter.

    A result that is paid for and still there is fetched again until it is there no more.
    """
    reason = _reason(hold, error)
    with hold.writing() as (session, job, part):
        job.retry_count += 1
        if job.retry_count >= MOST_TRIES and not _may_still_be_fetched(job, error):
            message = _("%(reason)s It was tried %(n)s times.", reason=reason, n=job.retry_count)
            _end(session, job, part, message)
            return
        doublings = min(job.retry_count, MOST_TRIES) - 1
        seconds = FIRST_BACKOFF_SECONDS * 2**doublings * random.uniform(0.8, 1.2)  # noqa: S311
        job.next_at = utc_now() + timedelta(seconds=seconds)
        job.waiting_for = _("%(reason)s It is tried again soon.", reason=reason)
        part.revision += 1
        record.note(session, job, ACTOR, reason, Status(job.status))


def _reason(hold: Hold, error: Exception) -> str:
    """What to tell people; what was not made to be told goes to the log."""
    if isinstance(error, errors.EngineError | ChildError | DownloadError | StorageError):
        return str(error)
    log.error("generation.step_broke job=%s", hold.job_id, exc_info=error)
    return str(_("Something broke on our side; the log tells more."))


def _may_still_be_fetched(job: Job, error: Exception) -> bool:
    """Whether the engine still keeps a result, and only the way to our storage failed."""
    is_kept = job.has_result and job.task_expires_at is not None and utc_now() < job.task_expires_at
    return is_kept and isinstance(error, DownloadError | StorageError)


def _fail(hold: Hold, error: Exception) -> None:
    with hold.writing() as (session, job, part):
        is_refused = isinstance(error, errors.InvalidRequest) and error.status in _INPUT_REFUSED
        job.input_refused = job.status == Status.PENDING and is_refused
        _end(session, job, part, str(error))


def _fail_to_optimize(hold: Hold, error: ChildRefused) -> None:
    """The kept raw model is refused: a later optimizer may read it, or the engine may have sent wrong bytes;
    so it is there to be fetched once more, should a person try again."""
    with hold.writing() as (session, job, part):
        _end(session, job, part, _("%(reason)s The raw model is kept as it came.", reason=error))
        job.has_result = job.meshy_task_id is not None


def _end(session: Session, job: Job, part: Part, message: str) -> None:
    """Fail the job; of a canceled one only the cleanup ends."""
    job.has_result = False  # trying again begins with a look at the task
    if job.needs_cleanup:
        job.needs_cleanup = False
        record.note(session, job, ACTOR, message, Status(job.status))
    else:
        record.move(session, job, part, Status.FAILED, ACTOR, message)


def mismatch(engine: str) -> str:
    """Why a job waits that belongs to an engine or account which is not set up here."""
    if engine == "builtin":
        text = _(
            "This job belongs to the built-in engine of another host; it waits until that one runs. "
            "To make the model here, cancel it and generate again."
        )
    else:
        text = _(
            "This job belongs to another Meshy account or address than the one set up now. "
            "It waits and is not ordered again; put MESHY_API_KEY and MESHY_API_BASE back, or cancel it."
        )
    return str(text)

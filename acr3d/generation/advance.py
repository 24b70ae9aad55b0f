"""One step of one job, and what each kind of failure means for it."""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from acr3d.children import ChildError, ChildRefused, ChildStopped
from acr3d.columns import utc_now
from acr3d.database import end_reading
from acr3d.download import DownloadError, DownloadRefused, DownloadStopped
from acr3d.extensions import db
from acr3d.generation import errors, record
from acr3d.generation.engines import engines
from acr3d.generation.fetch import fetch_result
from acr3d.generation.finish import optimize
from acr3d.generation.follow import clean_up, follow
from acr3d.generation.hold import ACTOR, Hold, LeaseLost
from acr3d.generation.settle import attempt_in_flight
from acr3d.generation.states import Status
from acr3d.generation.submit import submit
from acr3d.models import Job, Part
from acr3d.storage import StorageError

MOST_TRIES = 5
FIRST_BACKOFF_SECONDS = 60
SETUP_SECONDS = 60
BUSY_SECONDS = 15

log = logging.getLogger("acr3d.generation")


def advance(hold: Hold) -> None:
    """Take the held job's next step and let it go again. Whatever happens is this job's alone."""
    try:
        _step(hold)
    except LeaseLost:
        log.info("generation.lease_lost job=%s", hold.job_id)
    except (ChildStopped, DownloadStopped):
        log.info("generation.handed_back job=%s", hold.job_id)
    except Exception as error:
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
        hold.snooze(SETUP_SECONDS, _mismatch(job))
    elif job.needs_cleanup:
        clean_up(hold, job, link)
    elif job.status == Status.PENDING:
        submit(hold, job, link)
    elif job.has_result:
        fetch_result(hold, job, link)
    else:
        follow(hold, job, link)


def _settle_failure(hold: Hold, error: Exception) -> None:
    try:
        _judge(hold, error)
    except LeaseLost:
        log.info("generation.lease_lost job=%s", hold.job_id)


def _judge(hold: Hold, error: Exception) -> None:
    """Wait, try again later, or fail: the error says which."""
    if isinstance(error, errors.TooMany):
        hold.wait(error.retry_after or BUSY_SECONDS, str(error))
    elif isinstance(error, errors.SetupRefused | errors.Unreachable | errors.Unanswered):
        hold.wait(error.retry_after or SETUP_SECONDS, str(error))
    elif attempt_in_flight(hold.job_id) is not None:
        # It must not end unsettled: the account would stay closed to every other job.
        hold.wait(SETUP_SECONDS, str(error))
    elif isinstance(error, errors.EngineError | ChildRefused | DownloadRefused):
        _fail(hold, str(error))
    else:
        _try_later(hold, error)


def _try_later(hold: Hold, error: Exception) -> None:
    """Our own failure: at most MOST_TRIES, a minute doubling between them, with jitter."""
    told = isinstance(error, ChildError | DownloadError | StorageError)
    if not told:
        log.error("generation.step_broke job=%s", hold.job_id, exc_info=error)
    reason = str(error) if told else _("Something broke on our side; the log tells more.")
    with hold.writing() as (session, job, part):
        job.retry_count += 1
        if job.retry_count >= MOST_TRIES:
            message = _("%(reason)s It was tried %(n)s times.", reason=reason, n=MOST_TRIES)
            _end(session, job, part, message)
            return
        seconds = FIRST_BACKOFF_SECONDS * 2 ** (job.retry_count - 1) * random.uniform(0.8, 1.2)  # noqa: S311
        job.next_at = utc_now() + timedelta(seconds=seconds)
        job.waiting_for = _("%(reason)s It is tried again soon.", reason=reason)
        part.revision += 1
        record.note(session, job, ACTOR, reason, Status(job.status))


def _fail(hold: Hold, message: str) -> None:
    with hold.writing() as (session, job, part):
        _end(session, job, part, message)


def _end(session: Session, job: Job, part: Part, message: str) -> None:
    """Fail the job; of a canceled one only the cleanup ends."""
    job.has_result = False  # trying again begins with a look at the task
    if job.needs_cleanup:
        job.needs_cleanup = False
        record.note(session, job, ACTOR, message, Status(job.status))
    else:
        record.move(session, job, part, Status.FAILED, ACTOR, message)


def _mismatch(job: Job) -> str:
    if job.engine == "builtin":
        text = _("This job belongs to the built-in engine of another host; it waits until that one runs.")
    else:
        text = _(
            "This job belongs to another Meshy account or address than the one set up now. "
            "It waits and is not ordered again; put MESHY_API_KEY and MESHY_API_BASE back, or cancel it."
        )
    return str(text)

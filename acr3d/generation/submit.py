"""Submitting a job exactly once, though the engine knows no idempotency key.

The attempt is committed before anything is sent, and `sent_at` before the socket opens. From then on a crash,
a timeout or a 5xx means "unknown", and an unknown outcome is settled by listing the engine's newest tasks.
One attempt in flight per account makes that decidable. (Brandur Leach, "Implementing Stripe-like Idempotency
Keys in Postgres", 2017: an atomic phase on each side of a call to the outside.)
"""

from __future__ import annotations

import hashlib
import json

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from acr3d import settings
from acr3d.columns import new_id, utc_now
from acr3d.extensions import db
from acr3d.generation.engines import Link, create_options
from acr3d.generation.errors import EngineError, OutcomeUnknown
from acr3d.generation.hold import Hold
from acr3d.generation.settle import LOOK_SECONDS, accept, attempt_in_flight, no_answer, no_task, settle
from acr3d.generation.states import AttemptState, Status
from acr3d.models import Attempt, Job
from acr3d.storage import storage

_BUSY_SECONDS = 2


def submit(hold: Hold, job: Job, link: Link) -> None:
    """Bring a pending job to `submitted`, or let it wait. Raises EngineError, StorageError or LeaseLost."""
    in_flight = attempt_in_flight(job.id)
    if in_flight is not None:
        settle(hold, job, link, in_flight)
        return
    if _tasks_in_work(job.account) >= settings.current().max_concurrent_tasks:
        hold.snooze(LOOK_SECONDS, _("Waiting for a free place: other models are being made."))
        return
    photos = [_read(one["storage_path"]) for one in job.selected_image_metadata]
    angles = [one["angle"] for one in job.selected_image_metadata]
    options = create_options(job, link)
    attempt_id = _begin(hold, job)
    if attempt_id is None:
        hold.snooze(_BUSY_SECONDS, _("Waiting: another job is being sent to the engine."))
        return
    _mark_sent(hold, attempt_id)
    try:
        task_id = link.client.create(list(zip(photos, angles, strict=True)), options)
    except OutcomeUnknown as error:
        no_answer(attempt_id, str(error))
        hold.snooze(LOOK_SECONDS if link.unknown_wait else 0, str(error))
    except EngineError as error:
        no_task(attempt_id, str(error))
        raise
    else:
        accept(attempt_id, task_id, _("The engine accepted the order."))


def _begin(hold: Hold, job: Job) -> str | None:
    """The new attempt's id, or None while another attempt of the account is in flight."""
    attempt = Attempt(
        id=new_id(),
        job_id=job.id,
        account=job.account,
        state=AttemptState.SENDING,
        params_sha256=_params_hash(job),
    )
    try:
        with hold.writing() as (session, _job, _part):
            session.add(attempt)
            session.flush()
    except IntegrityError:
        return None
    return attempt.id


def _mark_sent(hold: Hold, attempt_id: str) -> None:
    """Committed before the socket opens: whatever happens from here on, the outcome is "unknown"."""
    with hold.writing() as (session, _job, _part):
        session.get_one(Attempt, attempt_id).sent_at = utc_now()


def _tasks_in_work(account: str) -> int:
    at_engine = (Status.SUBMITTED, Status.PROCESSING)
    query = select(func.count()).select_from(Job).where(Job.account == account, Job.status.in_(at_engine))
    return db.session.scalar(query.where(Job.has_result.is_(False))) or 0


def _read(key: str) -> bytes:
    with storage().open(key) as file:
        return file.read()


def _params_hash(job: Job) -> str:
    said = [job.selected_image_metadata, job.generation_config, job.engine, job.engine_base]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

"""Submitting a job exactly once, though the engine knows no idempotency key.

The attempt is committed before anything is sent, and `sent_at` before the socket opens. From then on a crash,
a timeout or a 5xx means "unknown", and an unknown outcome is settled by listing the engine's newest tasks.
One attempt in flight per account makes that decidable. (Brandur Leach, "Implementing Stripe-like Idempotency
Keys in Postgres", 2017: an atomic phase on each side of a call to the outside.)
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from acr3d import settings
from acr3d.columns import new_id, utc_now
from acr3d.database import writing
from acr3d.extensions import db
from acr3d.generation import lookups, record
from acr3d.generation.engines import Link, create_options
from acr3d.generation.errors import EngineError, OutcomeUnknown
from acr3d.generation.hold import ACTOR, Hold
from acr3d.generation.meshy import PAGE_SIZE, Timeouts
from acr3d.generation.states import AttemptState, Status
from acr3d.generation.task import Task
from acr3d.models import Attempt, Job
from acr3d.storage import storage

JOB_DEADLINE = timedelta(hours=2)
_BUSY_SECONDS = 2
_SETTLE_SECONDS = 15
_AMBIGUOUS_SECONDS = 60
_PAGES_LOOKED_THROUGH = 20


def submit(hold: Hold, job: Job, link: Link) -> None:
    """Bring a pending job to `submitted`, or let it wait. Raises EngineError, StorageError or LeaseLost."""
    in_flight = attempt_in_flight(job.id)
    if in_flight is not None:
        settle(hold, link, in_flight)
        return
    if _tasks_in_work(job.account) >= settings.current().max_concurrent_tasks:
        hold.snooze(_SETTLE_SECONDS, _("Waiting for a free place: other models are being made."))
        return
    photos = [_read(one["storage_path"]) for one in job.selected_image_metadata]
    angles = [one["angle"] for one in job.selected_image_metadata]
    attempt_id = _begin(hold, job)
    if attempt_id is None:
        hold.snooze(_BUSY_SECONDS, _("Waiting: another job is being sent to the engine."))
        return
    _mark_sent(hold, attempt_id)
    try:
        task_id = link.client.create(list(zip(photos, angles, strict=True)), create_options(job, link))
    except OutcomeUnknown as error:
        _answer(attempt_id, AttemptState.UNKNOWN, str(error))
        hold.snooze(_SETTLE_SECONDS if link.unknown_wait else 0, str(error))
    except EngineError as error:
        _answer(attempt_id, AttemptState.REFUSED, str(error))
        raise
    else:
        _accept(attempt_id, task_id, _("The engine accepted the order."))


def settle(hold: Hold, link: Link, attempt: Attempt) -> None:
    """Find out what became of an attempt without answer: adopt its task, clear it, or look again later."""
    if attempt.sent_at is None:
        _answer(attempt.id, AttemptState.REFUSED, _("Broken off before anything was sent."))
        hold.snooze(0)
        return
    candidates = _candidates(link, attempt, attempt.sent_at)
    if len(candidates) == 1:
        detail = _("The engine had accepted the order; found by listing its tasks.")
        _accept(attempt.id, candidates[0].id, detail)
    elif candidates:
        hold.snooze(
            _AMBIGUOUS_SECONDS,
            _("%(n)s tasks of the engine could be this job's; nothing is sent again.", n=len(candidates)),
        )
    elif utc_now() < attempt.sent_at + timedelta(seconds=link.unknown_wait):
        hold.snooze(
            _SETTLE_SECONDS, _("Waiting to see whether the engine took the order; nothing is sent again.")
        )
    else:
        _answer(attempt.id, AttemptState.REFUSED, _("The engine lists no such task: it was not created."))
        hold.snooze(0)


def attempt_in_flight(job_id: str) -> Attempt | None:
    """The job's attempt whose outcome is not known yet."""
    states = (AttemptState.SENDING, AttemptState.UNKNOWN)
    return db.session.scalar(select(Attempt).where(Attempt.job_id == job_id, Attempt.state.in_(states)))


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


def _answer(attempt_id: str, state: AttemptState, detail: str) -> None:
    """Write down that an attempt brought no task, or that nobody knows yet."""
    with writing() as session:
        attempt = session.get_one(Attempt, attempt_id)
        attempt.state = state
        attempt.detail = detail
        if state is AttemptState.REFUSED:
            attempt.settled_at = utc_now()


def _accept(attempt_id: str, task_id: str, detail: str) -> None:
    """Write down the task, with the attempt and on the job in one transaction: between the two lies a second
    payment. Done whoever holds the job by now, and for a canceled one too, whose cleanup needs the id."""
    with writing() as session:
        attempt = session.get_one(Attempt, attempt_id)
        job, part = lookups.locked_job(session, attempt.job_id)
        attempt.state = AttemptState.ACCEPTED
        attempt.task_id = task_id
        attempt.detail = detail
        attempt.settled_at = utc_now()
        job.meshy_task_id = task_id
        if job.status != Status.PENDING:
            return
        job.submitted_at = utc_now()
        job.deadline_at = utc_now() + JOB_DEADLINE
        record.move(session, job, part, Status.SUBMITTED, ACTOR, detail)


def _candidates(link: Link, attempt: Attempt, sent_at: datetime) -> list[Task]:
    """The engine's tasks that could be this attempt's: made in its window, owned by no attempt of ours."""
    slack = timedelta(seconds=link.clock_slack)
    earliest, latest = sent_at - slack, sent_at + timedelta(seconds=Timeouts().create) + slack
    listed = _newest_tasks(link, earliest)
    known = select(Attempt.task_id).where(
        Attempt.account == attempt.account, Attempt.task_id.in_([task.id for task in listed])
    )
    owned = set(db.session.scalars(known))
    return [
        task
        for task in listed
        if task.id not in owned and (task.created_at is None or earliest <= task.created_at <= latest)
    ]


def _newest_tasks(link: Link, earliest: datetime) -> list[Task]:
    tasks: list[Task] = []
    for page_num in range(1, _PAGES_LOOKED_THROUGH + 1):
        page = link.client.list(page_num)
        tasks += page
        oldest = page[-1].created_at if page else None
        if len(page) < PAGE_SIZE or (oldest is not None and oldest < earliest):
            break
    return tasks


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

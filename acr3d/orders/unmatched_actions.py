"""Orphans: tasks in Meshy's list that no job of ours follows, and what a person can make of them.

They may be ours, paid for and never heard of or waited for, or other software's with the same account; so
nothing happens to them by itself. The built-in engine has none: nobody else orders there, nothing is paid.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.db.models import Attempt, Job, UnmatchedTask, User
from acr3d.db.session import end_read, transaction
from acr3d.db.states import AttemptState, Status
from acr3d.db.types import new_id, utc_now
from acr3d.engines.base import Provider
from acr3d.engines.errors import EngineError, TaskNotFound, WrongState
from acr3d.engines.registry import engines
from acr3d.engines.remote_task import SUCCEEDED, Task
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.jobs import queries, transitions
from acr3d.jobs.service import one_live_job
from acr3d.messages.message import Message
from acr3d.messages.wording import worded
from acr3d.net.download import DownloadError, DownloadSpec, download_file
from acr3d.notify import wake
from acr3d.orders import unmatched
from acr3d.orders.attempts import JOB_DEADLINE
from acr3d.parts.parts import locked_part
from acr3d.photos import sanitize
from acr3d.photos.sanitize import PhotoRefused

THUMBNAIL_SECONDS = 20
_PAGES = 20  # of fifty: results are kept for three days, so the list has an end
_SILENT = Message.plain("")  # a preview that cannot be had is told to nobody
_PREVIEW = DownloadSpec(
    max_bytes=8 << 20,
    if_interrupted=_SILENT,
    if_gone=_SILENT,
    if_refused=_SILENT,
    if_too_large=_SILENT,
)
# The server's threads are for other pages too, also while Meshy is silent.
_few_previews = threading.BoundedSemaphore(2)
_PREVIEW_WAIT = 3.0

log = logging.getLogger("acr3d.jobs")


def present() -> list[UnmatchedTask]:
    """The orphans of the accounts that are set up now, newest first."""
    return [row for provider in _shared() for row in unmatched.unmatched_tasks(provider.account)]


def count() -> int:
    return sum(unmatched.count_unmatched_tasks(provider.account) for provider in _shared())


def set_aside() -> list[UnmatchedTask]:
    """What people have put aside or deleted of those accounts, with who it was, the last one first."""
    return [row for provider in _shared() for row in unmatched.set_aside(provider.account)]


def has_account() -> bool:
    """Whether there is an account that could have orphans."""
    return bool(_shared())


def sweep() -> None:
    """Look through each account's list and write down what belongs to nobody. Raises EngineError."""
    for provider in _shared():
        _sweep(provider)


def _sweep(provider: Provider) -> None:
    end_read()
    began = utc_now()
    tasks, is_whole = _listed(provider)
    ids = [task.id for task in tasks]
    followed, known = unmatched.followed_ids(ids), unmatched.known_ids(provider.account, ids)
    # One that failed cost nothing and has no result; it is of interest only to a page that shows it already.
    news = [task for task in tasks if task.id not in followed and (not task.failed or task.id in known)]
    try:
        with transaction() as session:
            unmatched.remember(session, provider.account, news)
            if is_whole:
                unmatched.forget_unseen(session, provider.account, began)
    except IntegrityError:
        log.info("unmatched_tasks.swept_twice")  # another process wrote the same rows just now


def refresh() -> list[UnmatchedTask]:
    """Look now, for a person. Raises Refused."""
    if not has_account():
        raise _no_account()
    try:
        sweep()
    except EngineError as error:
        raise InvalidInput(worded(error.message)) from error
    return present()


def attach(stray_id: str, part_id: str, actor: User) -> Job:
    """Make the task a job of the part: its result is fetched, made small and waits for a person as a draft.

    It costs nothing more. Raises Missing, Refused or Conflict.
    """
    provider = _provider_of(stray_id)
    with one_live_job(), transaction() as session:
        part = locked_part(session, part_id)
        stray = _free(session, stray_id, provider)
        if stray.status != SUCCEEDED:
            raise Conflict(_("Meshy has not finished this task yet. Look again when it has."))
        if queries.live_job(session, part_id):
            raise Conflict(_("A model of this part is already being made. Wait for it, or cancel it first."))
        job = Job(
            id=new_id(),
            part_id=part_id,
            created_by=actor.id,
            status=Status.SUBMITTED,
            selected_image_ids=[],
            selected_image_urls=[],
            selected_image_metadata=[],
            generation_config={},
            engine=provider.name,
            engine_base=provider.base,
            account=provider.account,
            meshy_task_id=stray.task_id,
            submitted_at=utc_now(),
            deadline_at=utc_now() + JOB_DEADLINE,
        )
        session.add(job)
        session.flush()
        message = Message("order.task_attached", task=stray.task_id)
        _give(session, stray, job, message)
        transitions.log_event(session, job, actor.email, message)
        transitions.sync_part(session, job, part)
    wake()
    return job


def delete(stray_id: str, actor: User) -> None:
    """Delete the task at Meshy, for good. Raises Missing, Refused or Conflict.

    Nobody may attach meanwhile what is about to go; should we die on the way, it shows up again.
    """
    provider = _provider_of(stray_id)
    task_id = _begin_deleting(stray_id, provider)
    try:
        provider.delete(task_id)
    except TaskNotFound:
        pass  # which is what was wanted
    except EngineError as error:
        _end_deleting(stray_id)
        if isinstance(error, WrongState):
            raise Conflict(
                _("Meshy is still working on this task; it can be deleted when it has ended.")
            ) from error
        raise InvalidInput(worded(error.message)) from error
    _end_deleting(stray_id, by=actor.id)
    log.info("unmatched_task.deleted task=%s by=%s", task_id, actor.id)


def dismiss(stray_id: str, actor: User) -> None:
    """It is none of ours: show it no more. Raises Missing, Refused or Conflict."""
    provider = _provider_of(stray_id)
    with transaction() as session:
        stray = _free(session, stray_id, provider)
        stray.dismissed_at, stray.dismissed_by = utc_now(), actor.id


def bring_back(stray_id: str, actor: User) -> None:
    """List again what was put aside. Raises Missing, Refused or Conflict."""
    provider = _provider_of(stray_id)
    with transaction() as session:
        stray = _decidable(session, stray_id, provider)
        if stray.is_deleted:
            raise Conflict(_("This task is deleted at Meshy; it cannot be brought back."))
        # A task of an earlier order must not show up as one that a later order of the same job has made.
        stray.dismissed_at = stray.dismissed_by = stray.maybe_job_id = None
        task_id = stray.task_id
    log.info("unmatched_task.restored task=%s by=%s", task_id, actor.id)


def preview(stray_id: str) -> bytes | None:
    """A small JPEG of the task's own picture, fetched with a fresh address; None when it cannot be had.

    Raises Missing.
    """
    stray = unmatched.stray_by_id(stray_id)
    if stray is None:
        raise Missing(_("There is no such task any more."))
    provider = _with_account(stray.account)
    if provider is None or not stray.has_thumbnail:
        return None
    task_id = stray.task_id
    end_read()
    if not _few_previews.acquire(timeout=_PREVIEW_WAIT):
        return None
    try:
        return _fetched(provider, provider.get(task_id))
    except (EngineError, DownloadError, PhotoRefused, OSError) as problem:
        log.info("unmatched_task.no_preview task=%s why=%s", task_id, type(problem).__name__)
        return None
    finally:
        _few_previews.release()


def _fetched(provider: Provider, task: Task) -> bytes | None:
    if not task.thumbnail_url:
        return None
    with tempfile.TemporaryFile() as file:
        download_file(
            task.thumbnail_url,
            file,
            _PREVIEW,
            allowed_origins=provider.allowed_origins,
            private_origins=provider.private_origins,
            seconds=THUMBNAIL_SECONDS,
            stall_seconds=THUMBNAIL_SECONDS / 2,
        )
        return sanitize.clean(file).thumbnail


def _listed(provider: Provider) -> tuple[list[Task], bool]:
    """The account's tasks, newest first, and whether they are all there are."""
    tasks: list[Task] = []
    for page_num in range(1, _PAGES + 1):
        page = provider.list(page_num)
        if not page:
            return tasks, True
        tasks += page
    return tasks, False


def _begin_deleting(stray_id: str, provider: Provider) -> str:
    with transaction() as session:
        stray = _free(session, stray_id, provider)
        stray.deleting_until = utc_now() + unmatched.DELETING
        return stray.task_id


def _end_deleting(stray_id: str, by: str | None = None) -> None:
    """`by`: who has deleted it; otherwise it is still there."""
    with transaction() as session:
        stray = unmatched.stray_by_id(stray_id, session, lock=True)
        if stray is None:
            return
        stray.deleting_until = None
        if by is not None:
            stray.dismissed_at, stray.dismissed_by, stray.is_deleted = utc_now(), by, True


def _free(session: Session, stray_id: str, provider: Provider) -> UnmatchedTask:
    """The row, held, when the task is an orphan still and no unanswered order's."""
    stray = _decidable(session, stray_id, provider)
    if unmatched.is_set_aside(stray) or unmatched.followed_ids([stray.task_id], session):
        raise Conflict(_("Somebody has just decided about this task. Look again."))
    return stray


def _decidable(session: Session, stray_id: str, provider: Provider) -> UnmatchedTask:
    """The row, held, when the task is no unanswered order's."""
    stray = unmatched.stray_by_id(stray_id, session, lock=True)
    if stray is None or stray.account != provider.account:
        raise Missing(_("There is no such task any more."))
    # Orders first: the answer of one that is no longer in flight is then seen to have come.
    if any(_could_be(attempt, stray, provider) for attempt in unmatched.in_flight(session, provider.account)):
        raise Conflict(
            _("This task may be that of an order whose answer is still missing. Look again later.")
        )
    return stray


def _could_be(attempt: Attempt, stray: UnmatchedTask, provider: Provider) -> bool:
    """Whether the order without an answer could have made the task; as `settle` sees it."""
    if stray.maybe_job_id == attempt.job_id:
        return True
    if attempt.sent_at is None or attempt.asked_at is not None:
        return False
    earliest = attempt.sent_at - timedelta(seconds=provider.clock_slack)
    return stray.first_seen_at >= earliest and (stray.made_at is None or stray.made_at >= earliest)


def _give(session: Session, stray: UnmatchedTask, job: Job, message: Message) -> None:
    """Make the task this job's, also one that another job of ours ordered and no longer follows."""
    query = select(Attempt).where(Attempt.task_id == stray.task_id).with_for_update()
    attempt = session.scalar(query) or Attempt(params_sha256="", task_id=stray.task_id)
    attempt.job_id, attempt.account = job.id, job.account
    attempt.state, attempt.message, attempt.settled_at = AttemptState.ACCEPTED, message, utc_now()
    session.add(attempt)


def _shared() -> list[Provider]:
    """The accounts that can have such tasks: those that other programs may use too, and that list tasks."""
    return [provider for provider in engines().paid() if provider.capabilities.list_tasks]


def _with_account(account: str) -> Provider | None:
    return next((provider for provider in _shared() if provider.account == account), None)


def _provider_of(stray_id: str) -> Provider:
    """The engine that has the task. Raises InvalidInput without any account, Missing when it has another."""
    if not has_account():
        raise _no_account()
    stray = unmatched.stray_by_id(stray_id)
    provider = _with_account(stray.account) if stray else None
    end_read()
    if provider is None:
        raise Missing(_("There is no such task any more."))
    return provider


def _no_account() -> InvalidInput:
    return InvalidInput(_("No paid engine is set up here."))

"""Unmatched tasks: finding them in the engines' lists, and what a person can do with them.

They may be ours, paid for and then lost or given up, or other software's with the same account; so nothing
happens to them by itself. The built-in engine has none: only we order there, and nothing is paid.
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
from acr3d.net.time_limit import time_limit
from acr3d.notify import wake
from acr3d.orders import unmatched
from acr3d.orders.attempts import JOB_DEADLINE
from acr3d.parts.conversion import converted
from acr3d.parts.parts import locked_part
from acr3d.photos.limits import PhotoRefused

THUMBNAIL_SECONDS = 20
_PAGES = 20  # of fifty: results are kept for three days, so the list has an end
_MOST_LISTED = 2_000  # tasks in one scan, should the pages be larger
_MOST_KEPT = 5_000  # rows of one account
_LISTING_SECONDS = 60  # a person may be waiting for it
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


def current_tasks() -> list[UnmatchedTask]:
    """The unmatched tasks of the present accounts, newest first."""
    return [row for provider in _shared_accounts() for row in unmatched.unmatched_tasks(provider.account)]


def count_tasks() -> int:
    return sum(unmatched.count_unmatched_tasks(provider.account) for provider in _shared_accounts())


def dismissed_tasks() -> list[UnmatchedTask]:
    """Those accounts' tasks that people have dismissed or deleted, with who it was, the latest first."""
    return [row for provider in _shared_accounts() for row in unmatched.dismissed_tasks(provider.account)]


def has_account() -> bool:
    """Whether there is an account that could have unmatched tasks."""
    return bool(_shared_accounts())


def scan_accounts() -> None:
    """Read each account's list and record the tasks that no job follows. Raises EngineError."""
    problems: list[EngineError] = []
    for provider in _shared_accounts():
        try:
            _scan(provider)
        except EngineError as problem:
            problems.append(problem)  # the other accounts can be read all the same
    if problems:
        raise problems[0]


def _scan(provider: Provider) -> None:
    end_read()
    began = utc_now()
    tasks, is_whole = _listed(provider)
    ids = [task.id for task in tasks]
    followed, known = unmatched.followed_ids(ids), unmatched.known_ids(provider.account, ids)
    # A failed task cost nothing and has no result; it matters only where it is listed already.
    free = [task for task in tasks if task.id not in followed and (not task.failed or task.id in known)]
    news = _within(_MOST_KEPT - unmatched.count_rows(provider.account), free, known)
    try:
        with transaction() as session:
            unmatched.record_tasks(session, provider.account, news)
            if is_whole:
                unmatched.delete_unseen(session, provider.account, began)
    except IntegrityError:
        log.info("unmatched_tasks.scanned_twice")  # another process wrote the same rows just now


def _within(room: int, tasks: list[Task], known: set[str]) -> list[Task]:
    """The known ones, and of the others, newest first, as many as there is room for."""
    others = [task for task in tasks if task.id not in known]
    if len(others) > room:
        log.warning("unmatched_tasks.too_many left_out=%d", len(others) - max(room, 0))
    return [task for task in tasks if task.id in known] + others[: max(room, 0)]


def refresh() -> list[UnmatchedTask]:
    """Scan the accounts now and return their unmatched tasks. Raises InvalidInput."""
    if not has_account():
        raise _no_account()
    try:
        scan_accounts()
    except EngineError as error:
        raise InvalidInput(worded(error.message)) from error
    return current_tasks()


def attach(unmatched_id: str, part_id: str, actor: User) -> Job:
    """Make the task a job of the part: its result is downloaded, optimized and becomes a draft.

    It costs nothing more. Raises Missing, InvalidInput or Conflict.
    """
    provider = _provider_of(unmatched_id)
    with one_live_job(), transaction() as session:
        part = locked_part(session, part_id)
        row = _unclaimed_task(session, unmatched_id, provider)
        if row.status != SUCCEEDED:
            raise Conflict(_("Meshy has not finished this task yet. Try again when it has."))
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
            meshy_task_id=row.task_id,
            submitted_at=utc_now(),
            deadline_at=utc_now() + JOB_DEADLINE,
        )
        session.add(job)
        session.flush()
        message = Message("order.task_attached", task=row.task_id)
        _assign(session, row, job, message)
        transitions.log_event(session, job, actor.email, message)
        transitions.sync_part(session, job, part)
    wake()
    return job


def delete(unmatched_id: str, actor: User) -> None:
    """Delete the task at its engine, for good. Raises Missing, InvalidInput or Conflict.

    Meanwhile nobody can attach it. If we are killed halfway, it is listed again.
    """
    provider = _provider_of(unmatched_id)
    if not provider.capabilities.cancel:
        raise InvalidInput(
            _(
                "%(engine)s deletes no tasks on request, so nothing was deleted. Dismiss the task if it is "
                "not yours; it expires by itself.",
                engine=worded(provider.wording.subject),
            )
        )
    task_id = _begin_deleting(unmatched_id, provider)
    try:
        provider.delete(task_id)
    except TaskNotFound:
        pass  # which is what was wanted
    except EngineError as error:
        _end_deleting(unmatched_id)
        if isinstance(error, WrongState):
            raise Conflict(_("Meshy is still working on this task. Delete it when it has ended.")) from error
        raise InvalidInput(worded(error.message)) from error
    _end_deleting(unmatched_id, by=actor.id)
    log.info("unmatched_task.deleted task=%s by=%s", task_id, actor.id)


def can_delete(row: UnmatchedTask) -> bool:
    """Whether the task's engine deletes tasks on request."""
    provider = _with_account(row.account)
    return provider is not None and provider.capabilities.cancel


def dismiss(unmatched_id: str, actor: User) -> None:
    """Stop listing the task: it is not ours. Raises Missing, InvalidInput or Conflict."""
    provider = _provider_of(unmatched_id)
    with transaction() as session:
        row = _unclaimed_task(session, unmatched_id, provider)
        row.dismissed_at, row.dismissed_by = utc_now(), actor.id


def restore(unmatched_id: str, actor: User) -> None:
    """List a dismissed task again. Raises Missing, InvalidInput or Conflict."""
    provider = _provider_of(unmatched_id)
    with transaction() as session:
        row = _task_without_order(session, unmatched_id, provider)
        if row.is_deleted:
            raise Conflict(_("This task was deleted at Meshy and cannot be restored."))
        # A task of an earlier order must not show up as one that a later order of the same job has made.
        row.dismissed_at = row.dismissed_by = row.maybe_job_id = None
        task_id = row.task_id
    log.info("unmatched_task.restored task=%s by=%s", task_id, actor.id)


def preview(unmatched_id: str) -> bytes | None:
    """A small JPEG of the task's own picture, downloaded from a fresh address; None when there is none.

    Raises Missing.
    """
    row = unmatched.task_by_id(unmatched_id)
    if row is None:
        raise Missing(_("This task no longer exists."))
    provider = _with_account(row.account)
    if provider is None or not row.has_thumbnail:
        return None
    task_id = row.task_id
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
        return converted(file).thumbnail


def _listed(provider: Provider) -> tuple[list[Task], bool]:
    """The account's newest tasks, newest first, and whether they are all there are."""
    tasks: list[Task] = []
    with time_limit(_LISTING_SECONDS):
        for page_num in range(1, _PAGES + 1):
            page = provider.list(page_num)
            if not page:
                return tasks, True
            tasks += page
            if len(tasks) >= _MOST_LISTED:
                break
    return tasks[:_MOST_LISTED], False


def _begin_deleting(unmatched_id: str, provider: Provider) -> str:
    with transaction() as session:
        row = _unclaimed_task(session, unmatched_id, provider)
        row.deleting_until = utc_now() + unmatched.DELETING
        return row.task_id


def _end_deleting(unmatched_id: str, by: str | None = None) -> None:
    """`by`: who has deleted the task; None when it is still there."""
    with transaction() as session:
        row = unmatched.task_by_id(unmatched_id, session, lock=True)
        if row is None:
            return
        row.deleting_until = None
        if by is not None:
            row.dismissed_at, row.dismissed_by, row.is_deleted = utc_now(), by, True


def _unclaimed_task(session: Session, unmatched_id: str, provider: Provider) -> UnmatchedTask:
    """The row, locked, if the task is still unmatched and cannot belong to an unanswered order."""
    row = _task_without_order(session, unmatched_id, provider)
    if unmatched.is_dismissed(row) or unmatched.followed_ids([row.task_id], session):
        raise Conflict(_("Somebody else has just handled this task. Reload the page."))
    return row


def _task_without_order(session: Session, unmatched_id: str, provider: Provider) -> UnmatchedTask:
    """The row, locked, if the task cannot belong to an unanswered order."""
    row = unmatched.task_by_id(unmatched_id, session, lock=True)
    if row is None or row.account != provider.account:
        raise Missing(_("This task no longer exists."))
    # Orders first: the answer of one that is no longer in flight is then seen to have come.
    if any(_could_be(attempt, row, provider) for attempt in unmatched.in_flight(session, provider.account)):
        raise Conflict(_("This task may belong to an order whose answer is still missing. Try again later."))
    return row


def _could_be(attempt: Attempt, row: UnmatchedTask, provider: Provider) -> bool:
    """Whether the unanswered order could have made the task, judged as in `reconcile`."""
    if row.maybe_job_id == attempt.job_id:
        return True
    if attempt.sent_at is None or attempt.asked_at is not None:
        return False
    earliest = attempt.sent_at - timedelta(seconds=provider.clock_slack)
    return row.first_seen_at >= earliest and (row.made_at is None or row.made_at >= earliest)


def _assign(session: Session, row: UnmatchedTask, job: Job, message: Message) -> None:
    """Give the task to this job, even if another job ordered it and no longer follows it."""
    query = select(Attempt).where(Attempt.task_id == row.task_id).with_for_update()
    attempt = session.scalar(query) or Attempt(params_sha256="", task_id=row.task_id)
    attempt.job_id, attempt.account = job.id, job.account
    attempt.state, attempt.message, attempt.settled_at = AttemptState.ACCEPTED, message, utc_now()
    session.add(attempt)


def _shared_accounts() -> list[Provider]:
    """The accounts that can have unmatched tasks: other programs may use them too, and they list tasks."""
    return [provider for provider in engines().paid() if provider.capabilities.list_tasks]


def _with_account(account: str) -> Provider | None:
    return next((provider for provider in _shared_accounts() if provider.account == account), None)


def _provider_of(unmatched_id: str) -> Provider:
    """The engine that has the task. Raises InvalidInput without any account, Missing when it has another."""
    if not has_account():
        raise _no_account()
    row = unmatched.task_by_id(unmatched_id)
    provider = _with_account(row.account) if row else None
    end_read()
    if provider is None:
        raise Missing(_("This task no longer exists."))
    return provider


def _no_account() -> InvalidInput:
    return InvalidInput(_("No paid engine is set up here."))

"""Keeps an open page up to date: one small request, answered with 204 while nothing has changed.

A page has one polling element. Its URL says what the page shows and which revision it last saw. The response
holds a new polling element and, out of band, only the fragments that changed. Lists ask more rarely while
nothing moves. On a part's page there is no new element then and polling ends; an action that starts something
brings it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import url_for

from acr3d.captures.captures import MOVING, Position, positions_of
from acr3d.db.content_stamp import present_stamp
from acr3d.db.models import Job, ModelVersion, Part, User
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.jobs import model_files, queries, service
from acr3d.jobs.queries import JobPage
from acr3d.notices import listing
from acr3d.orders import unmatched
from acr3d.orders.attempts import attempt_in_flight
from acr3d.parts import parts
from acr3d.parts.photos import images_of
from acr3d.photo_checks.results import PhotoCheckResult, check_result
from acr3d.web.downloads import Download, for_staff
from acr3d.worker.condition import poller_problem

_SHOWN = 11  # jobs whose histories are shown, including the newest
PART_SECONDS, LIST_SECONDS, IDLE_SECONDS = 3, 10, 30
"""Seconds between two polls of a part's page, of a list, and of a list on which nothing moves."""


def part_context(part_id: str) -> dict[str, Any]:
    """Everything that a part's page or its fragments show. Raises Missing."""
    part = parts.part_by_id(part_id)
    jobs = queries.jobs_of(part_id)
    job = jobs[0] if jobs else None
    versions = queries.versions_of(part_id)
    images = images_of(part_id)
    photo_check = check_result(part, images)
    positions = positions_of(part_id)
    return {
        "positions": positions,
        "part": part,
        "images": images,
        "photo_check": photo_check,
        "job": job,
        "earlier_jobs": jobs[1:_SHOWN],
        "can_choose_task": job is not None and job.status == Status.PENDING and _is_ambiguous(job),
        "histories": queries.histories([one.id for one in jobs[:_SHOWN]]),
        "versions": versions,
        "downloads": _downloads(versions, jobs),
        "retry_pays": job is not None and job.status == Status.FAILED and service.retry_pays(job),
        "order_is_open": job is not None and attempt_in_flight(job.id) is not None,
        "engines": engines().available(),
        "live_part": part_poller(part_id, job, versions, photo_check, positions),
    }


def _downloads(versions: list[ModelVersion], jobs: list[Job]) -> dict[str, dict[str, Download]]:
    """The files of each version, by its id and the word in the address."""
    files, jobs_by_id = model_files.files_of(versions), {job.id: job for job in jobs}
    return {one.id: for_staff(one, files[one.id], jobs_by_id[one.job_id]) for one in versions}


def _is_ambiguous(job: Job) -> bool:
    """Whether a person must say what became of the job's order."""
    attempt = attempt_in_flight(job.id)
    return bool(unmatched.candidates(job.id)) or (attempt is not None and attempt.asked_at is not None)


def part_poller(
    part_id: str,
    job: Job | None,
    versions: list[ModelVersion],
    photo_check: PhotoCheckResult,
    positions: list[Position],
) -> dict[str, Any]:
    """The polling element of a part's page. Polls only while the newest job runs, or photos are checked or a
    capture is read."""
    revision = part_revision(job, versions, photo_check, positions)
    moving = (job is not None and job.is_live) or _is_coming(photo_check) or _is_read(positions)
    return {
        "url": url_for("admin.parts.live", part_id=part_id, rev=revision) if moving else None,
        "seconds": PART_SECONDS,
    }


def _is_coming(photo_check: PhotoCheckResult) -> bool:
    """Whether a result is expected soon, so that polling makes sense."""
    return photo_check.state == "waiting" and poller_problem() is None


def _is_read(positions: list[Position]) -> bool:
    return any(one.newest is not None and one.newest.state in MOVING for one in positions)


def part_revision(
    job: Job | None,
    versions: list[ModelVersion],
    photo_check: PhotoCheckResult,
    positions: list[Position],
) -> str:
    """Five words, one per group of fragments: job, progress, model versions, photo check, captures."""
    state = (job.id, job.status, job.waiting_for, job.error_message, job.retry_count) if job else ()
    checked = (photo_check.state, photo_check.checked.fingerprint if photo_check.checked else "")
    made = _digest((v.id, v.state) for v in versions)
    filmed = _digest((one.newest.id, one.newest.state) for one in positions if one.newest)
    words = (_digest(state), str(job.progress if job else 0), made, _digest(checked), filmed)
    return ".".join(words)


def changed_groups(before: str, now: str) -> set[str]:
    """Which groups of fragments changed; all of them if `before` is not a valid revision."""
    groups = ("job", "progress", "versions", "photo_check", "captures")
    old, new = before.split("."), now.split(".")
    if len(old) != len(new):
        return set(groups)
    return {group for group, was, is_ in zip(groups, old, new, strict=True) if was != is_}


def jobs_poller(page: JobPage, status: str | None) -> dict[str, Any]:
    """The polling element of the list of jobs; it also notices new ones."""
    revision = jobs_revision(page.jobs)
    return {
        "url": url_for("admin.jobs.live", page=page.number, status=status, rev=revision),
        "seconds": _list_seconds(page.jobs),
    }


def overview_poller(running: Sequence[Job], revision: str) -> dict[str, Any]:
    """The polling element of the overview; `revision`: see `overview_revision`."""
    return {"url": url_for("admin.overview_live", rev=revision), "seconds": _list_seconds(running)}


def parts_poller(shown: Sequence[Part], jobs: Mapping[str, Job]) -> dict[str, Any]:
    """The polling element of a list of parts; it also notices what others start and publish."""
    ids = [part.id for part in shown]
    url = url_for("admin.parts.live_list", part=ids, rev=parts_revision(shown, jobs)) if ids else None
    return {"url": url, "seconds": _list_seconds(jobs.values())}


def parts_revision(shown: Sequence[Part], jobs: Mapping[str, Job]) -> str:
    states = sorted((part.id, part.model_3d_url, part.is_published) for part in shown)
    return f"{_digest(states)}.{_states(sorted(jobs.values(), key=lambda job: job.id))}"


def jobs_revision(jobs: Sequence[Job]) -> str:
    """Two words: which jobs are listed, and their states."""
    return f"{_digest((job.id, job.is_live, job.waits_for_review) for job in jobs)}.{_states(jobs)}"


def overview_revision(running: Sequence[Job], user: User) -> str:
    """Two words: everything that the overview shows, by a few single values; and the running jobs' states.

    The hour is among them for what changes by itself, such as results that will expire.
    """
    newest = queries.newest_event_id(), listing.newest_id(), user.notices_seen
    return f"{_digest((*newest, present_stamp().value, f'{utc_now():%d%H}'))}.{_states(running)}"


def is_moved(seen: str, revision: str) -> bool:
    """Whether the first words of two revisions differ: the list itself is another one."""
    return seen.partition(".")[0] != revision.partition(".")[0]


def _list_seconds(jobs: Iterable[Job]) -> int:
    return LIST_SECONDS if any(job.is_live for job in jobs) else IDLE_SECONDS


def _states(jobs: Iterable[Job]) -> str:
    return _digest((job.id, job.status, job.progress, job.waiting_for) for job in jobs)


def _digest(facts: object) -> str:
    shown = repr(facts if isinstance(facts, tuple) else list(facts))  # type: ignore[call-overload]
    return hashlib.sha256(shown.encode()).hexdigest()[:12]

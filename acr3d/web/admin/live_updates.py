"""Keeps an open page up to date: one small request, answered with 204 while nothing has changed.

A page has one polling element. Its URL says what the page shows and which revision it last saw. The response
holds a new polling element and, out of band, only the fragments that changed. When nothing changes any more,
there is no new element and polling ends. An action that starts something brings it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from flask import url_for

from acr3d.db.models import Job, ModelVersion
from acr3d.db.states import Status
from acr3d.engines.registry import engines
from acr3d.jobs import queries, service
from acr3d.orders import unmatched
from acr3d.orders.attempts import attempt_in_flight
from acr3d.parts import parts
from acr3d.parts.photos import images_of
from acr3d.photo_checks.results import PhotoCheckResult, check_result
from acr3d.worker.condition import poller_problem

_SHOWN = 11  # jobs whose histories are shown, including the newest
PART_SECONDS, LIST_SECONDS = 3, 10
"""Seconds between two polls of a part's page, and of a list."""


def part_context(part_id: str) -> dict[str, Any]:
    """Everything that a part's page or its fragments show. Raises Missing."""
    part = parts.part_by_id(part_id)
    jobs = queries.jobs_of(part_id)
    job = jobs[0] if jobs else None
    versions = queries.versions_of(part_id)
    images = images_of(part_id)
    photo_check = check_result(part, images)
    return {
        "part": part,
        "images": images,
        "photo_check": photo_check,
        "job": job,
        "earlier_jobs": jobs[1:_SHOWN],
        "can_choose_task": job is not None and job.status == Status.PENDING and _is_ambiguous(job),
        "histories": queries.histories([one.id for one in jobs[:_SHOWN]]),
        "versions": versions,
        "retry_pays": job is not None and job.status == Status.FAILED and service.retry_pays(job),
        "order_is_open": job is not None and attempt_in_flight(job.id) is not None,
        "engines": engines().available(),
        "live_part": part_poller(part_id, job, versions, photo_check),
    }


def _is_ambiguous(job: Job) -> bool:
    """Whether a person must say what became of the job's order."""
    attempt = attempt_in_flight(job.id)
    return bool(unmatched.candidates(job.id)) or (attempt is not None and attempt.asked_at is not None)


def part_poller(
    part_id: str, job: Job | None, versions: list[ModelVersion], photo_check: PhotoCheckResult
) -> dict[str, Any]:
    """The polling element of a part's page. Polls only while the newest job runs or photos are checked."""
    revision = part_revision(job, versions, photo_check)
    moving = (job is not None and job.is_live) or _is_coming(photo_check)
    return {
        "url": url_for("admin.parts.live", part_id=part_id, rev=revision) if moving else None,
        "seconds": PART_SECONDS,
    }


def _is_coming(photo_check: PhotoCheckResult) -> bool:
    """Whether a result is expected soon, so that polling makes sense."""
    return photo_check.state == "waiting" and poller_problem() is None


def part_revision(job: Job | None, versions: list[ModelVersion], photo_check: PhotoCheckResult) -> str:
    """Four words, one per group of fragments: job, progress, model versions, photo check."""
    state = (job.id, job.status, job.waiting_for, job.error_message, job.retry_count) if job else ()
    checked = (photo_check.state, photo_check.checked.fingerprint if photo_check.checked else "")
    made = _digest((v.id, v.state) for v in versions)
    words = (_digest(state), str(job.progress if job else 0), made, _digest(checked))
    return ".".join(words)


def changed_groups(before: str, now: str) -> set[str]:
    """Which groups of fragments changed; all of them if `before` is not a valid revision."""
    groups = ("job", "progress", "versions", "photo_check")
    old, new = before.split("."), now.split(".")
    if len(old) != len(new):
        return set(groups)
    return {group for group, was, is_ in zip(groups, old, new, strict=True) if was != is_}


def jobs_poller(jobs: Iterable[Job]) -> dict[str, Any]:
    """The polling element of a list, for those of `jobs` that are live."""
    live = [job for job in jobs if job.is_live]
    ids = [job.id for job in live]
    url = url_for("admin.jobs.live", job=ids, rev=jobs_revision(live)) if live else None
    return {"url": url, "seconds": LIST_SECONDS}


def jobs_revision(jobs: Iterable[Job]) -> str:
    return _digest((job.id, job.status, job.progress, job.waiting_for) for job in jobs)


def _digest(facts: object) -> str:
    shown = repr(facts if isinstance(facts, tuple) else list(facts))  # type: ignore[call-overload]
    return hashlib.sha256(shown.encode()).hexdigest()[:12]

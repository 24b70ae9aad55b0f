"""Heavy work by kind: what waits, and how one piece of it is claimed.

A pass starts it in the poller's own threads, or names it to Procrastinate (`worker.tasks`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from acr3d.captures import queue as captures
from acr3d.captures.reading import read
from acr3d.engines.registry import engines, known
from acr3d.imports import queue as imports
from acr3d.jobs import model_files, queue
from acr3d.jobs.lease import JobLease
from acr3d.jobs.queue import DOWNLOADS, OPTIMIZING, Lane, ReachableAccounts
from acr3d.jobs.runner import advance
from acr3d.photo_checks import queue as photo_checks
from acr3d.photo_checks.run import check_photos
from acr3d.worker import import_process
from acr3d.worker.step_threads import Step


@dataclass(frozen=True)
class Piece:
    """One piece of work: its kind, its id there, and who can do it: a worker of this queue."""

    kind: str
    id: str
    queue: str


@dataclass(frozen=True)
class Claimed:
    """A step that is ours to take. `owner`: of the lease that must be renewed meanwhile."""

    step: Step
    owner: str | None = None


@dataclass(frozen=True)
class Kind:
    """`waiting`: at most so many pieces that were due before a moment. `claim`: for a poller, a piece, or the
    one that has waited longest; None when it is not due, or somebody else has it."""

    name: str
    priority: int
    waiting: Callable[[datetime, int], list[Piece]]
    claim: Callable[[str, str | None], Claimed | None]
    has_lease: bool = True
    """Without, two workers may do the same piece at once, which does no harm."""


def own_queues() -> list[str]:
    """The queues of the engines on this host, whose results no other host can fetch."""
    return [_at(one.account) for one in engines().available() if one.capabilities.local]


def claim(kind: str, poller_id: str, piece: str) -> Claimed | None:
    """Claim this piece; None when there is nothing to do."""
    return next(one for one in KINDS if one.name == kind).claim(poller_id, piece)


def step_of(lease_of: str, owner: str) -> Claimed:
    """The next step of the job that `owner` has leased."""

    def step(stop: threading.Event) -> None:
        advance(JobLease(lease_of, owner, stop))

    return Claimed(step, owner)


def _at(account: str) -> str:
    return f"{DOWNLOADS.name}-{account[:12]}"


def _jobs(lane: Lane, before: datetime, count: int) -> list[Piece]:
    def queue_of(engine: str, account: str) -> str:
        found = known(engine)
        is_local = lane is DOWNLOADS and found is not None and found.capabilities.local
        return _at(account) if is_local else lane.name

    rows = queue.due(lane, before, count)
    return [Piece(lane.name, job_id, queue_of(engine, account)) for job_id, engine, account in rows]


def _job(lane: Lane, poller_id: str, job_id: str | None) -> Claimed | None:
    reach = ReachableAccounts(engines().accounts())
    found = queue.claim(poller_id, lane, 1, reach, job_id=job_id)
    return step_of(*found[0]) if found else None


def _part(_poller_id: str, part_id: str | None) -> Claimed | None:
    claimed = photo_checks.claim(part_id)
    return Claimed(lambda stop: check_photos(claimed, stop)) if claimed else None


def _capture(_poller_id: str, capture_id: str | None) -> Claimed | None:
    claimed = captures.claim(capture_id)
    return Claimed(lambda stop: read(claimed, stop)) if claimed else None


def _import(_poller_id: str, import_id: str | None) -> Claimed | None:
    claimed = imports.claim(import_id)
    return Claimed(lambda stop: import_process.go_on(claimed, stop)) if claimed else None


def _files(_poller_id: str, version_id: str | None) -> Claimed:
    def make(stop: threading.Event) -> None:
        model_files.catch_up(stop, version_id)

    return Claimed(make)


def _ids(name: str, due: Callable[[datetime, int], list[str]], before: datetime, count: int) -> list[Piece]:
    return [Piece(name, one, name) for one in due(before, count)]


def _kind(
    name: str,
    priority: int,
    due: Callable[[datetime, int], list[str]],
    claim: Callable[[str, str | None], Claimed | None],
    *,
    has_lease: bool = True,
) -> Kind:
    return Kind(name, priority, partial(_ids, name, due), claim, has_lease)


# Downloads first: results are paid for, and the engine deletes them. Then what people wait for.
DOWNLOAD = Kind(DOWNLOADS.name, 50, partial(_jobs, DOWNLOADS), partial(_job, DOWNLOADS))
PHOTOS = _kind("photos", 40, photo_checks.due, _part)
OPTIMIZE = Kind(OPTIMIZING.name, 30, partial(_jobs, OPTIMIZING), partial(_job, OPTIMIZING))
CAPTURES = _kind("captures", 20, captures.due, _capture)
FILES = _kind("files", 10, lambda _before, count: model_files.waiting(count), _files, has_lease=False)
IMPORTS = _kind("imports", 0, imports.due, _import)
KINDS = (DOWNLOAD, PHOTOS, OPTIMIZE, CAPTURES, FILES, IMPORTS)
QUEUES = tuple(kind.name for kind in KINDS)

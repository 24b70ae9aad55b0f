"""The poller: which jobs are due, who takes them, and the APScheduler job that asks every so often.

A pass does only short things: it claims due jobs under a lease and hands each to a small pool, in lanes, so
that a slow step of one kind never holds up the others. Any number of pollers may run; leases keep them apart.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import socket
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import IO

from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy import ColumnElement, and_, delete, false, func, or_, select, update

from acr3d import settings
from acr3d.columns import utc_now
from acr3d.database import database_now, writing
from acr3d.extensions import db
from acr3d.generation.advance import advance
from acr3d.generation.engines import engines
from acr3d.generation.hold import LEASE, Hold
from acr3d.generation.states import LIVE, Status
from acr3d.models import Job, Poller
from acr3d.storage import storage

RENEW_SECONDS = 15
SHORTEST_WAIT = timedelta(seconds=0.5)
FARTHEST = timedelta(hours=2)  # nothing waits longer between two looks

log = logging.getLogger("acr3d.poller")

_LANES: dict[str, tuple[int, ColumnElement[bool]]] = {
    # Fetching comes first: results are deleted at the engine, and are paid for.
    "fetch": (2, and_(Job.has_result, Job.status == Status.PROCESSING)),
    "talk": (4, or_(Job.needs_cleanup, and_(~Job.has_result, Job.status != Status.OPTIMIZING))),
    "optimize": (1, Job.status == Status.OPTIMIZING),
}
_TO_DO = or_(Job.status.in_(LIVE), Job.needs_cleanup)


class JobPoller:
    """One poller of this process. `start` and `stop` it once; or `run_once` for a single pass."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.id = str(uuid.uuid4())
        self.stopping = threading.Event()
        self._pool = ThreadPoolExecutor(sum(size for size, _due in _LANES.values()), "acr3d-job")
        self._held: dict[str, str] = {}  # lease owner → lane
        self._held_lock = threading.Lock()
        self._pass_lock = threading.Lock()
        self._running: set[Future[None]] = set()
        self._alive: IO[str] | None = None
        self._passes = False  # whether passes follow one another, or there is just one
        # A wake-up that finds a pass running waits for the lock; a few of those are plenty.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 3, "misfire_grace_time": None}
        )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def start(self) -> None:
        """Begin to pass every `ACR3D_POLL_SECONDS`, and at once."""
        self._register()
        with self.app.app_context():
            seconds = settings.current().poll_seconds
        self._scheduler.add_job(self._guarded_pass, "interval", seconds=seconds, next_run_time=_now())
        self._scheduler.add_job(self._renew, "interval", seconds=RENEW_SECONDS)
        self._passes = True  # before the first pass, which plans the second
        self._scheduler.start()

    def wake(self) -> None:
        """Pass soon: there is new work. Safe from any thread, cheap when called often."""
        self._pass_at(_now())

    def stop(self, seconds: float = 20) -> None:
        """Take nothing more, end children, hand back what is not finished; at most `seconds`."""
        self.stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        end = time.monotonic() + seconds
        with self.app.app_context():
            engines().stop(seconds / 2)
            wait(self._running, timeout=max(0, end - time.monotonic()))
            engines().close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._unregister()

    def run_once(self) -> None:
        """One pass, and what it started, to the end: the steps and the built-in engine's own work."""
        self._register()
        self._scheduler.add_job(self._renew, "interval", seconds=RENEW_SECONDS)
        self._scheduler.start()
        with self.app.app_context():
            self._pass()
            wait(self._running)
            engines().finish()
        self._scheduler.shutdown(wait=True)
        self._unregister()

    def _guarded_pass(self) -> None:
        """A pass that fails, as when the database is away, is logged; the next one tries again."""
        if self.stopping.is_set():
            return
        try:
            with self._pass_lock, self.app.app_context():
                self._pass()
        except Exception:
            log.exception("poller.pass_broke")

    def _pass(self) -> None:
        self._note_pass()
        for lane, (_size, due) in _LANES.items():
            for job_id, owner in self._claim(due, self._room(lane)):
                self._begin(job_id, owner, lane)
        if self._passes:
            self._pass_at(self._next_due())

    def _room(self, lane: str) -> int:
        with self._held_lock:
            return _LANES[lane][0] - list(self._held.values()).count(lane)

    def _claim(self, due: ColumnElement[bool], room: int) -> list[tuple[str, str]]:
        """At most `room` due jobs, now leased to us, each with its lease's owner.

        Of two pollers one gets each job. An owner is new with each claim, so that no step takes a later one's
        lease for its own.
        """
        if room <= 0:
            return []
        owner = f"{self.id}:{secrets.token_hex(6)}"
        with writing() as session:
            now = database_now(session)
            # A time too far ahead was written before the clock was set back.
            free = or_(Job.lease_until.is_(None), Job.lease_until < now, Job.lease_until > now + 2 * LEASE)
            is_time = or_(Job.next_at <= now, Job.next_at > now + FARTHEST)
            wanted = and_(_TO_DO, due, free, is_time)
            candidates = select(Job.id).where(wanted).order_by(Job.next_at).limit(room)
            claimed = session.scalars(
                update(Job)
                .where(Job.id.in_(candidates.with_for_update(skip_locked=True)), free)
                .values(lease_owner=owner, lease_until=now + LEASE)
                .returning(Job.id)
                .execution_options(synchronize_session=False)
            )
            return [(job_id, owner) for job_id in claimed]

    def _begin(self, job_id: str, owner: str, lane: str) -> None:
        with self._held_lock:
            self._held[f"{owner}:{job_id}"] = lane
        future = self._pool.submit(self._work, job_id, owner)
        self._running.add(future)
        future.add_done_callback(self._running.discard)

    def _work(self, job_id: str, owner: str) -> None:
        try:
            with self.app.app_context():
                advance(Hold(job_id, owner, self.stopping))
        except Exception:
            log.exception(
                "poller.step_broke job=%s", job_id
            )  # the lease runs out, and the step is taken again
        finally:
            with self._held_lock:
                self._held.pop(f"{owner}:{job_id}", None)
            self.wake()

    def _next_due(self) -> datetime:
        """When the next job that nobody holds, and that we have room for, becomes due."""
        free = or_(Job.lease_until.is_(None), Job.lease_until < utc_now())
        open_lanes = [due for lane, (_size, due) in _LANES.items() if self._room(lane) > 0]
        wanted = and_(_TO_DO, free, or_(false(), *open_lanes))
        soonest = db.session.scalar(select(func.min(Job.next_at)).where(wanted))
        return max(soonest, _now() + SHORTEST_WAIT) if soonest else _now() + timedelta(days=1)

    def _pass_at(self, moment: datetime) -> None:
        if not self._passes or self.stopping.is_set():
            return
        planned = self._scheduler.get_job("due")
        if planned is not None and planned.next_run_time <= moment:
            return
        self._scheduler.add_job(self._guarded_pass, "date", run_date=moment, id="due", replace_existing=True)

    def _renew(self) -> None:
        """Keep the leases of what we work on."""
        with self._held_lock:
            owners = {held.rpartition(":")[0] for held in self._held}
        if not owners:
            return
        try:
            with self.app.app_context(), writing() as session:
                until = database_now(session) + LEASE
                session.execute(
                    update(Job)
                    .where(Job.lease_owner.in_(owners))
                    .values(lease_until=until)
                    .execution_options(synchronize_session=False)
                )
        except Exception:
            log.exception("poller.renew_broke")

    # --- who is alive -------------------------------------------------------------------------

    def _register(self) -> None:
        """Hold a lock file for as long as we live, and take over from pollers of this host that died."""
        with self.app.app_context():
            folder = settings.current().instance / "pollers"
            folder.mkdir(exist_ok=True)
            self._alive = (folder / self.id).open("w")
            fcntl.flock(self._alive, fcntl.LOCK_EX)
            for path in folder.iterdir():
                if path.name != self.id and _is_dead(path):
                    self._forget(path.name)
                    path.unlink(missing_ok=True)
            storage().discard_leftovers()

    def _unregister(self) -> None:
        with self.app.app_context():
            self._forget(self.id)
            (settings.current().instance / "pollers" / self.id).unlink(missing_ok=True)
        if self._alive is not None:
            self._alive.close()

    def _forget(self, poller_id: str) -> None:
        with writing() as session:
            session.execute(
                update(Job)
                .where(Job.lease_owner.startswith(poller_id))
                .values(lease_owner=None, lease_until=None)
                .execution_options(synchronize_session=False)
            )
            session.execute(delete(Poller).where(Poller.id == poller_id))

    def _note_pass(self) -> None:
        with writing() as session:
            now = database_now(session)
            row = session.get(Poller, self.id)
            if row is None:
                row = Poller(id=self.id, host=socket.gethostname(), pid=os.getpid(), last_pass_at=now)
                session.add(row)
            row.last_pass_at = now


def _is_dead(path: os.PathLike[str]) -> bool:
    """Whether the poller that held this lock file is gone: the kernel freed the lock, however it ended."""
    try:
        with open(path) as file:  # noqa: PTH123 - PathLike
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _now() -> datetime:
    return datetime.now(UTC)

"""The poller: asks every so often which jobs are due, and lets each take its next step in a thread.

A pass does only short things: it claims due jobs under a lease and hands them on, in lanes, so that a slow
step of one kind never holds up the others. Any number of pollers may run; leases keep them apart.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.engines.errors import EngineError
from acr3d.engines.providers import engines
from acr3d.jobs import queue
from acr3d.jobs.lease import JobLease
from acr3d.jobs.queue import LANES, Lane, ReachableAccounts
from acr3d.jobs.runner import advance
from acr3d.jobs.steps.bulk_poll import bulk_poll
from acr3d.orders import circuit_breaker
from acr3d.orders.unmatched_actions import sweep
from acr3d.photo_checks import queue as photo_checks
from acr3d.photo_checks.run import check_photos
from acr3d.worker.heartbeat import Presence, count_alive
from acr3d.worker.notify import Listener, tell_others
from acr3d.worker.timer import Timer

RENEW_SECONDS = 15
SWEEP_SECONDS = 300
_PHOTOS = "photos"  # the lane of their checks: one at a time
SHORTEST_WAIT = timedelta(seconds=0.5)
_WATCHERS = 2  # accounts that are looked at together, at once

log = logging.getLogger("acr3d.poller")


class JobPoller:
    """One poller of this process. `start` and `stop` it once; or `run_once` for a single pass."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.id = str(uuid.uuid4())
        self.stopping = threading.Event()
        self._presence = Presence(self.id)
        self._listener = Listener(app, self.wake, self._look)
        self._held: dict[str, str] = {}  # what is worked on, beginning with its lease's owner → lane
        self._held_lock = threading.Lock()
        self._pass_lock = threading.Lock()
        # Daemons: one that hangs on an engine's silence must not keep the process from ending.
        self._steps: set[threading.Thread] = set()
        self._passes = False  # whether passes follow one another, or there is just one
        # A wake-up that finds a pass running waits for the lock; a few of those are plenty.
        self._scheduler = Timer(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 3, "misfire_grace_time": None}
        )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def start(self) -> None:
        """Begin to pass every `ACR3D_POLL_SECONDS`, and at once."""
        with self.app.app_context():
            self._presence.begin()
            seconds = settings.current().poll_seconds
        self._scheduler.add_job(self._guarded_pass, "interval", seconds=seconds, next_run_time=_now())
        self._scheduler.add_job(self._renew, "interval", seconds=RENEW_SECONDS)
        self._scheduler.add_job(self._aside, "interval", ("sweep", sweep), seconds=SWEEP_SECONDS)
        self._scheduler.add_job(self._aside, "interval", ("look", look), seconds=circuit_breaker.LOOK_SECONDS)
        self._passes = True  # before the first pass, which plans the second
        self._scheduler.start()
        self._listener.start()

    def wake(self) -> None:
        """Pass soon: there is new work. Safe from any thread, cheap when called often."""
        self._pass_at(_now())

    def stop(self, seconds: float = 12) -> None:
        """Take nothing more, end children, hand back what is not finished; at most `seconds`."""
        end = time.monotonic() + seconds
        self.stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
            self._listener.stop()
        if self._pass_lock.acquire(timeout=seconds / 4):  # a pass that runs begins nothing after this
            self._pass_lock.release()
        with self.app.app_context():
            engines().stop(seconds / 2)
            self._join(end)
            engines().close()
            self._presence.end()

    def run_once(self) -> None:
        """One pass, and what it started, to the end: the steps and the built-in engine's own work."""
        with self.app.app_context():
            self._presence.begin()
            self._scheduler.add_job(self._renew, "interval", seconds=RENEW_SECONDS)
            self._scheduler.start()
            self._pass()
            self._join()
            engines().finish()
            self._scheduler.shutdown(wait=True)
            self._presence.end(for_good=False)

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
        is_new = not self._presence.is_noted
        engines().pace.share(self._presence.begin_pass())
        reach = ReachableAccounts(engines().accounts())
        crowded = queue.accounts_to_bulk_poll(reach)
        is_full = False
        for lane in LANES:
            taken = queue.claim(self.id, lane, self._room(lane), reach, crowded)
            for job_id, owner in taken:
                self._begin(f"{owner}:{job_id}", lane.name, _step(job_id, owner))
            is_full |= bool(taken) and self._room(lane) == 0
        for account in crowded:
            self._watch(account)
        self._check_photos()
        if is_full or is_new:  # there may be more for others; and they have one more to share the pace with
            tell_others()
        self._plan(reach)
        self._presence.end_pass()

    def _plan(self, reach: ReachableAccounts) -> None:
        """See to it that there is a pass when the next job, or check of photos, becomes due."""
        if not self._passes:
            return
        job = queue.next_due(reach, [lane for lane in LANES if self._room(lane) > 0])
        check = None if _PHOTOS in self._lanes_held() else photo_checks.next_due()
        soonest = min((moment for moment in (job, check) if moment), default=None)
        if soonest is not None:
            self._pass_at(max(soonest, _now() + SHORTEST_WAIT))

    def _look(self) -> None:
        """See what other processes have left in the database, without writing to it."""
        engines().pace.share(count_alive())
        self._plan(ReachableAccounts(engines().accounts()))
        db.session.remove()

    def _watch(self, account: str) -> None:
        """Look at the account's tasks together, unless we are about it already."""
        lane = f"watch {account}"
        watchers = [held for held in self._lanes_held() if held.startswith("watch ")]
        if lane in watchers or len(watchers) >= _WATCHERS:
            return
        owner = queue.claim_batch(self.id, account)
        if owner:
            self._begin(f"{owner}:{account}", lane, lambda stop: bulk_poll(owner, stop))

    def _check_photos(self) -> None:
        """Have the photos of one part looked at, beside the jobs."""
        claimed = None if _PHOTOS in self._lanes_held() else photo_checks.claim()
        if claimed is not None:
            self._begin(f"{_PHOTOS}:{claimed.part_id}", _PHOTOS, lambda stop: check_photos(claimed, stop))

    def _room(self, lane: Lane) -> int:
        return lane.size - self._lanes_held().count(lane.name)

    def _lanes_held(self) -> list[str]:
        with self._held_lock:
            return list(self._held.values())

    def _begin(self, key: str, lane: str, step: Callable[[threading.Event], None]) -> None:
        with self._held_lock:
            self._held[key] = lane
            thread = threading.Thread(target=self._work, args=(key, step), name=f"acr3d-{lane}", daemon=True)
            self._steps.add(thread)
        thread.start()

    def _work(self, key: str, step: Callable[[threading.Event], None]) -> None:
        try:
            if not self.stopping.is_set():
                with self.app.app_context():
                    step(self.stopping)
        except Exception:
            log.exception("poller.step_broke %s", key)  # the lease runs out, and the step is taken again
        finally:
            with self._held_lock:
                self._held.pop(key, None)
                self._steps.discard(threading.current_thread())
            self.wake()

    def _join(self, end: float | None = None) -> None:
        """Wait for the steps in hand, at most until `end`."""
        with self._held_lock:
            steps = list(self._steps)
        for step in steps:
            step.join(None if end is None else max(0, end - time.monotonic()))

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
            with self.app.app_context():
                queue.renew(owners)
        except Exception:
            log.exception("poller.renew_broke")

    def _aside(self, name: str, work: Callable[[], None]) -> None:
        """Do what concerns the whole account beside the jobs; what fails is tried again next time."""
        if name in self._lanes_held() or self.stopping.is_set():
            return

        def step(_stop: threading.Event) -> None:
            try:
                work()
            except EngineError as error:
                log.info("poller.aside_failed what=%s why=%s", name, type(error).__name__)

        self._begin(f"{name}:", name, step)


def look() -> None:
    """See whether a paused account is good again, and what its balance is."""
    provider = engines().provider("meshy")
    if provider is not None:
        circuit_breaker.probe(provider, only_paused=False)


def _step(job_id: str, owner: str) -> Callable[[threading.Event], None]:
    return lambda stop: advance(JobLease(job_id, owner, stop))


def _now() -> datetime:
    return datetime.now(UTC)

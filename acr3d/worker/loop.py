"""The poller's loop: a pass every so often, and when there is new work; and the poller's periodic duties.

Any number of pollers may run, in one process or in several: leases keep them apart.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flask import Flask

from acr3d import settings
from acr3d.accounts import audit_log
from acr3d.captures import captures
from acr3d.clean_photos import making
from acr3d.db.extensions import db
from acr3d.db.outage import best_effort, log_failure
from acr3d.db.types import utc_now
from acr3d.engines.errors import EngineError
from acr3d.engines.registry import engines
from acr3d.jobs import model_files, queue
from acr3d.notify import TO_LEADER, notify_others
from acr3d.orders import circuit_breaker
from acr3d.orders.unmatched_actions import scan_accounts
from acr3d.parts import photo_widths, search_index
from acr3d.worker import heavy
from acr3d.worker.dispatcher import Dispatcher
from acr3d.worker.heartbeat import Heartbeat, count_alive
from acr3d.worker.listener import Listener
from acr3d.worker.step_threads import StepThreads
from acr3d.worker.timer import Timer

if TYPE_CHECKING:
    from acr3d.worker.tasks import Tasks

RENEW_SECONDS = 15
SCAN_SECONDS = 300
INDEX_SECONDS = 3600  # parts that an earlier version added beside this one
WIDTHS_SECONDS = 300  # photos of an earlier version
CLEAN_SECONDS = 300  # the same
FILES_SECONDS = 60  # models in further formats
LOG_SECONDS = 3600
CAPTURES_SECONDS = 3600
_MOST_FILES = 200  # models whose files are named to workers at once
SHORTEST_WAIT = timedelta(seconds=0.5)

log = logging.getLogger("acr3d.poller")


class JobPoller:
    """One poller of this process. `start` and `stop` it once; or `run_once` for a single pass.

    `tasks`: where heavy work is left to workers that take tasks, of which this process is one.
    """

    def __init__(self, app: Flask, tasks: Tasks | None = None) -> None:
        self.app = app
        self.id = str(uuid.uuid4())
        self._tasks = tasks
        self._stopping = threading.Event()
        self._threads = StepThreads(app, self._stopping, on_end=self._step_ended)
        self._dispatcher = Dispatcher(self.id, self._threads, tasks)
        self._heartbeat = Heartbeat(self.id)
        self._listener = Listener(app, self.wake, self._check)
        self._timer = Timer()
        self._pass_lock = threading.Lock()

    def start(self) -> None:
        """Pass now, every `ACR3D_POLL_SECONDS`, and when there is new work."""
        with self.app.app_context():
            self._heartbeat.begin()
            self._timer.passes(settings.current().poll_seconds, self._guarded_pass)
        self._timer.every(RENEW_SECONDS, self._renew_leases)
        self._timer.every(SCAN_SECONDS, self._run_aside, "scan", scan_accounts)
        self._timer.every(circuit_breaker.PROBE_SECONDS, self._run_aside, "probe", probe_accounts)
        self._timer.every(INDEX_SECONDS, self._run_aside, "index", search_index.catch_up)
        self._timer.every(WIDTHS_SECONDS, self._run_aside, "widths", self._make_photo_widths)
        self._timer.every(CLEAN_SECONDS, self._run_aside, "clean photos", self._make_clean_photos)
        self._timer.every(FILES_SECONDS, self._run_aside, "model files", self._make_model_files)
        self._timer.every(CAPTURES_SECONDS, self._run_aside, "captures clean-up", captures.clean_up)
        self._timer.every(LOG_SECONDS, self._run_aside, "log", audit_log.forget_old)
        self._timer.start()
        self._listener.start()
        if self._tasks is not None:
            self._tasks.start(self._take)

    def wake(self) -> None:
        """Pass soon: there is new work. Safe from any thread, cheap when called often."""
        self._pass_at(_now())

    def stop(self, seconds: float = 12) -> None:
        """Claim nothing more, end children, release what is not finished; at most `seconds`."""
        end = time.monotonic() + seconds
        self._stopping.set()
        self._timer.stop()
        self._listener.stop()
        if self._pass_lock.acquire(timeout=seconds / 4):  # a pass that runs begins nothing after this
            self._pass_lock.release()
        with self.app.app_context():
            engines().stop(seconds / 2)
            if self._tasks is not None:
                self._tasks.stop(end - time.monotonic())
            self._threads.join(end)
            engines().close()
            with best_effort("poller.end"):
                self._heartbeat.end()

    def run_once(self) -> None:
        """One pass, and what it started, to the end: the steps and the built-in engine's own work."""
        with self.app.app_context():
            self._heartbeat.begin()
            self._timer.every(RENEW_SECONDS, self._renew_leases)
            self._timer.start()
            self._pass()
            self._threads.join()
            engines().finish()
            self._timer.stop(wait=True)
            self._heartbeat.end(for_good=False)

    def _guarded_pass(self) -> None:
        """A pass that fails, as when the database is away, is logged; the next one tries again."""
        if self._stopping.is_set():
            return
        try:
            with self._pass_lock, self.app.app_context():
                self._pass()
                self._plan()
        except Exception:
            log_failure(log, "poller.pass_failed")

    def _pass(self) -> None:
        is_new = not self._heartbeat.is_written
        engines().share_rate(self._heartbeat.begin_pass())
        has_filled = self._dispatcher.dispatch(leads=self._listener.leads)
        if has_filled or is_new:  # there may be more for others; and one more shares the rate with them
            notify_others()
        self._heartbeat.end_pass()

    def _check(self) -> None:
        """See what other processes have left in the database, without writing to it."""
        engines().share_rate(count_alive())
        self._plan()
        db.session.remove()

    def _plan(self) -> None:
        """Pass when the next job, or photo check, becomes due."""
        soonest = self._dispatcher.next_due()
        if soonest is not None:
            self._pass_at(max(soonest, _now() + SHORTEST_WAIT))

    def _pass_at(self, moment: datetime) -> None:
        if not self._stopping.is_set():
            self._timer.pass_at(moment)

    def _renew_leases(self) -> None:
        owners = self._threads.lease_owners()
        if not owners:
            return
        try:
            with self.app.app_context():
                queue.renew(owners)
        except Exception:
            log_failure(log, "poller.renew_failed")

    def _take(self, kind: str, piece: str) -> None:
        """Do this piece of heavy work, if it is still due and nobody else does it."""
        if self._stopping.is_set():
            return
        with self.app.app_context():
            claimed = heavy.claim(kind, self.id, piece)
        if claimed is not None:
            self._threads.run(kind, claimed.step, claimed.owner)

    def _step_ended(self) -> None:
        self.wake()
        if self._tasks is not None and not self._listener.leads and not self._stopping.is_set():
            with self.app.app_context():
                notify_others(TO_LEADER)  # the next step may be heavy

    def _make_model_files(self) -> None:
        if self._tasks is None:
            model_files.catch_up(self._stopping)
        else:
            self._tasks.name(heavy.FILES.waiting(utc_now(), _MOST_FILES))

    def _make_photo_widths(self) -> None:
        photo_widths.catch_up(self._stopping)

    def _make_clean_photos(self) -> None:
        making.catch_up(self._stopping)

    def _run_aside(self, lane: str, work: Callable[[], object]) -> None:
        """Do what concerns a whole account beside the jobs; what fails is tried again next time."""
        if lane in self._threads.lanes() or self._stopping.is_set() or not self._listener.leads:
            return

        def step(_stop: threading.Event) -> None:
            try:
                work()
            except EngineError as error:
                log.info("poller.duty_failed what=%s why=%s", lane, type(error).__name__)

        self._threads.start(lane, step)


def probe_accounts() -> None:
    """Ask each paid account for its balance when that is due: a good answer ends its wait."""
    for provider in engines().paid():
        circuit_breaker.probe(provider, only_if_open=False)


def _now() -> datetime:
    return datetime.now(UTC)

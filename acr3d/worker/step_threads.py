"""The poller's threads: each runs one step of a job, or another piece of work, in a lane."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flask import Flask

from acr3d import metrics
from acr3d.db.outage import log_failure

log = logging.getLogger("acr3d.poller")

Step = Callable[[threading.Event], None]
"""Work that ends soon when the event is set."""


class StepThreads:
    """The steps that run now. `on_end` is called after each."""

    def __init__(self, app: Flask, stopping: threading.Event, on_end: Callable[[], None]) -> None:
        self._app = app
        self._stopping = stopping
        self._on_end = on_end
        # The lane and the lease owner of each.
        self._running: dict[threading.Thread, tuple[str, str | None]] = {}
        self._lock = threading.Lock()

    def start(self, lane: str, step: Step, owner: str | None = None) -> None:
        """Run `step` in a thread; `owner` holds the leases of what it works on."""
        # A daemon: a step that hangs on an engine's silence must not keep the process from ending.
        thread = threading.Thread(
            target=self._run, args=(step, lane, owner), name=f"acr3d-{lane}", daemon=True
        )
        with self._lock:
            self._running[thread] = lane, owner
            thread.start()

    def run(self, lane: str, step: Step, owner: str | None = None) -> None:
        """As `start`, but in this thread."""
        with self._lock:
            self._running[threading.current_thread()] = lane, owner
        self._run(step, lane, owner)

    def lanes(self) -> list[str]:
        """The lane of each running step."""
        with self._lock:
            return [lane for lane, _owner in self._running.values()]

    def lease_owners(self) -> set[str]:
        """The owners of the leases that must be renewed."""
        with self._lock:
            return {owner for _lane, owner in self._running.values() if owner}

    def join(self, end: float | None = None) -> None:
        """Wait for the steps that run now, at most until `end` by the monotonic clock."""
        with self._lock:
            threads = list(self._running)
        for thread in threads:
            thread.join(None if end is None else max(0, end - time.monotonic()))

    def _run(self, step: Step, lane: str, owner: str | None) -> None:
        try:
            if not self._stopping.is_set():
                with self._app.app_context(), metrics.poller_work(lane.partition(":")[0]):
                    step(self._stopping)
        except Exception:
            # Its lease runs out, and it is taken again.
            log_failure(log, "poller.step_failed lane=%s lease=%s", lane, owner)
        finally:
            with self._lock:
                self._running.pop(threading.current_thread(), None)
            self._on_end()

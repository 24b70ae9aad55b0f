"""APScheduler's timer, made to go on when the host's clock is set back.

It plans by the wall clock: after a step back of an hour it would sleep for an hour, and with it the passes
and the renewing of leases.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

_LOOK_SECONDS = 2.0
_STEP = timedelta(seconds=1)  # less is a clock being trimmed

log = logging.getLogger("acr3d.poller")


class Timer(BackgroundScheduler):  # type: ignore[misc]
    """A BackgroundScheduler that runs everything at once when the clock was set back, and plans anew."""

    def start(self, *args: object, **more: object) -> None:
        super().start(*args, **more)
        self._ended = threading.Event()
        threading.Thread(target=self._watch_clock, name="acr3d-clock", daemon=True).start()

    def shutdown(self, *args: object, **more: object) -> None:
        self._ended.set()
        super().shutdown(*args, **more)

    def _watch_clock(self) -> None:
        before = datetime.now(UTC)
        while not self._ended.wait(_LOOK_SECONDS):
            now = datetime.now(UTC)
            if now < before - _STEP:
                log.warning("poller.clock_set_back seconds=%d", (before - now).total_seconds())
                self._run_all_at(now)
            before = now

    def _run_all_at(self, moment: datetime) -> None:
        for job in self.get_jobs():
            with contextlib.suppress(JobLookupError):  # it has just run, and was a one-off
                job.modify(next_run_time=moment)

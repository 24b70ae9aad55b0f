"""When the poller does what: passes and periodic duties, on APScheduler's intervals.

APScheduler plans by the wall clock: after the host's clock was set back by an hour it would sleep for an
hour, and leases would run out. So a thread watches the clock and lets everything run when that happens.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

_CLOCK_CHECK_SECONDS = 2.0
_CLOCK_STEP = timedelta(seconds=1)  # smaller steps are a clock being adjusted
_JOB_ID = "pass"  # as APScheduler knows the passes

log = logging.getLogger("acr3d.poller")


class Timer:
    """Runs the poller's duties in threads. Add them all, `start` once, `stop` once."""

    def __init__(self) -> None:
        # A pass that is due while one runs waits for it; three at once are plenty.
        defaults = {"coalesce": True, "max_instances": 3, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=defaults)
        self._stopped = threading.Event()
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def every(self, seconds: float, work: Callable[..., None], *args: object) -> None:
        """Call `work` every so many seconds."""
        self._scheduler.add_job(work, "interval", args, seconds=seconds)

    def passes(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` now, every so many seconds, and when `pass_at` says so."""
        self._scheduler.add_job(
            work, "interval", seconds=seconds, id=_JOB_ID, next_run_time=datetime.now(UTC)
        )

    def pass_at(self, moment: datetime) -> None:
        """Bring the next pass forward to `moment`; does nothing without passes. Safe from any thread."""
        planned = self._scheduler.get_job(_JOB_ID)
        if planned is not None and moment < planned.next_run_time:
            _move(planned, moment)

    def start(self) -> None:
        self._scheduler.start()
        threading.Thread(target=self._watch_clock, name="acr3d-clock", daemon=True).start()

    def stop(self, *, wait: bool = False) -> None:
        """End; `wait` for duties that run. Does nothing when it was never started."""
        self._stopped.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=wait)

    def _watch_clock(self) -> None:
        before = datetime.now(UTC)
        while not self._stopped.wait(_CLOCK_CHECK_SECONDS):
            now = datetime.now(UTC)
            if now < before - _CLOCK_STEP:
                log.warning("poller.clock_set_back seconds=%d", (before - now).total_seconds())
                for job in self._scheduler.get_jobs():
                    _move(job, now)
            before = now


def _move(job: Job, moment: datetime) -> None:
    with contextlib.suppress(JobLookupError):  # the scheduler has just been shut down
        job.modify(next_run_time=moment)

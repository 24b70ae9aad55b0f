"""One pass of the poller: claim what is due, and hand each piece to a thread of its lane.

A slow step of one kind never holds up the others, since each lane has threads of its own.
"""

from __future__ import annotations

import threading
from datetime import datetime

from acr3d.engines.registry import engines
from acr3d.imports import queue as imports
from acr3d.imports.work import work
from acr3d.jobs import queue
from acr3d.jobs.lease import JobLease
from acr3d.jobs.queue import LANES, Lane, ReachableAccounts
from acr3d.jobs.runner import advance
from acr3d.jobs.steps.bulk_poll import bulk_poll
from acr3d.photo_checks import queue as photo_checks
from acr3d.photo_checks.run import check_photos
from acr3d.worker.step_threads import Step, StepThreads

_PHOTOS = "photos"  # the lane of photo checks: one at a time
_IMPORTS = "imports"  # one at a time, too
_BULK = "bulk poll "  # and the account: one lane for each
_MOST_BULK_POLLS = 2


class Dispatcher:
    """Claims work for the poller `poller_id`. Every method needs the app's context."""

    def __init__(self, poller_id: str, threads: StepThreads) -> None:
        self._poller_id = poller_id
        self._threads = threads

    def dispatch(self) -> bool:
        """Start what is due, as far as there are free threads.

        Returns whether a lane has filled up, so that there may be more for other workers.
        """
        reach = ReachableAccounts(engines().accounts())
        no_list = {one.account for one in engines().available() if not one.capabilities.list_tasks}
        in_bulk = [account for account in queue.accounts_to_bulk_poll(reach) if account not in no_list]
        has_filled = False
        for lane in LANES:
            claimed = queue.claim(self._poller_id, lane, self._free(lane), reach, in_bulk)
            for job_id, owner in claimed:
                self._threads.start(lane.name, _step(job_id, owner), owner)
            has_filled |= bool(claimed) and self._free(lane) == 0
        for account in in_bulk:
            self._bulk_poll(account)
        self._check_photos()
        self._import()
        return has_filled

    def next_due(self) -> datetime | None:
        """When a pass finds more to do, as far as the database tells now."""
        open_lanes = [lane for lane in LANES if self._free(lane) > 0]
        job = queue.next_due(ReachableAccounts(engines().accounts()), open_lanes)
        check = None if _PHOTOS in self._threads.lanes() else photo_checks.next_due()
        table = None if _IMPORTS in self._threads.lanes() else imports.next_due()
        return min((moment for moment in (job, check, table) if moment), default=None)

    def _bulk_poll(self, account: str) -> None:
        lane = _BULK + account
        running = [one for one in self._threads.lanes() if one.startswith(_BULK)]
        if lane in running or len(running) >= _MOST_BULK_POLLS:
            return
        owner = queue.claim_batch(self._poller_id, account)
        if owner:
            self._threads.start(lane, lambda stop: bulk_poll(owner, stop), owner)

    def _check_photos(self) -> None:
        claimed = None if _PHOTOS in self._threads.lanes() else photo_checks.claim()
        if claimed is not None:
            self._threads.start(_PHOTOS, lambda stop: check_photos(claimed, stop))

    def _import(self) -> None:
        claimed = None if _IMPORTS in self._threads.lanes() else imports.claim()
        if claimed is not None:
            self._threads.start(_IMPORTS, lambda stop: work(claimed, stop))

    def _free(self, lane: Lane) -> int:
        return lane.size - self._threads.lanes().count(lane.name)


def _step(job_id: str, owner: str) -> Step:
    def step(stop: threading.Event) -> None:
        advance(JobLease(job_id, owner, stop))

    return step

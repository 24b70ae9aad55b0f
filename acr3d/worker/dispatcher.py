"""One pass of the poller: claim what is due, and hand each piece to a thread of its lane.

A slow step of one kind never holds up the others, since each lane has threads of its own. Where workers take
tasks, a pass keeps what is quick for itself and names the rest to them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from acr3d.batches.work import order_due
from acr3d.captures import queue as captures
from acr3d.db.extensions import db
from acr3d.db.session import database_now
from acr3d.engines.registry import engines
from acr3d.imports import queue as imports
from acr3d.jobs import queue
from acr3d.jobs.queue import LANES, REQUESTS, Lane, ReachableAccounts
from acr3d.jobs.steps.bulk_poll import bulk_poll
from acr3d.photo_checks import queue as photo_checks
from acr3d.worker import heavy
from acr3d.worker.heavy import Kind
from acr3d.worker.step_threads import StepThreads

if TYPE_CHECKING:
    from acr3d.worker.tasks import Tasks

# Beside the jobs, one at a time of each.
_ALONE = {
    heavy.PHOTOS: photo_checks.next_due,
    heavy.IMPORTS: imports.next_due,
    heavy.CAPTURES: captures.next_due,
}
_BULK = "bulk poll:"  # and the account: one lane for each
_MOST_BULK_POLLS = 2
_MOST_WAITING = 200  # tasks of each kind: the next pass names more
_OVERDUE_SECONDS = 60.0


class Dispatcher:
    """Claims work for the poller `poller_id`. Every method needs the app's context."""

    def __init__(self, poller_id: str, threads: StepThreads, tasks: Tasks | None) -> None:
        self._poller_id = poller_id
        self._threads = threads
        self._tasks = tasks
        self._lanes: Sequence[Lane] = LANES if tasks is None else [REQUESTS]
        self._looked_at = time.monotonic()  # for what is overdue

    def dispatch(self, *, leads: bool) -> bool:
        """Start what is due, as far as there are free threads. `leads`: whether this poller names tasks.

        Returns whether a lane has filled up, so that there may be more for other workers.
        """
        reach = ReachableAccounts(engines().accounts())
        no_list = {one.account for one in engines().available() if not one.capabilities.list_tasks}
        in_bulk = [account for account in queue.accounts_to_bulk_poll(reach) if account not in no_list]
        order_due()
        has_filled = False
        for lane in self._lanes:
            claimed = queue.claim(self._poller_id, lane, self._free(lane), reach, in_bulk)
            for job_id, owner in claimed:
                self._threads.start(lane.name, heavy.step_of(job_id, owner).step, owner)
            has_filled |= bool(claimed) and self._free(lane) == 0
        for account in in_bulk:
            self._bulk_poll(account)
        if self._tasks is None:
            for kind in _ALONE:
                self._start(kind)
        else:
            self._name_tasks(self._tasks, leads=leads)
        return has_filled

    def next_due(self) -> datetime | None:
        """When a pass finds more to do, as far as the database tells now."""
        open_lanes = [lane for lane in self._lanes if self._free(lane) > 0]
        job = queue.next_due(ReachableAccounts(engines().accounts()), open_lanes)
        if self._tasks is not None:
            return job
        busy = self._threads.lanes()
        others = [next_due() for kind, next_due in _ALONE.items() if kind.name not in busy]
        return min((moment for moment in (job, *others) if moment), default=None)

    def _bulk_poll(self, account: str) -> None:
        lane = _BULK + account
        running = [one for one in self._threads.lanes() if one.startswith(_BULK)]
        if lane in running or len(running) >= _MOST_BULK_POLLS:
            return
        owner = queue.claim_batch(self._poller_id, account)
        if owner:
            self._threads.start(lane, lambda stop: bulk_poll(owner, stop), owner)

    def _start(self, kind: Kind) -> None:
        claimed = None if kind.name in self._threads.lanes() else kind.claim(self._poller_id, None)
        if claimed is not None:
            self._threads.start(kind.name, claimed.step)

    def _name_tasks(self, tasks: Tasks, *, leads: bool) -> None:
        """Name what is due if this poller leads; otherwise now and then what has been due for a minute: the
        one that leads may hang."""
        before = database_now(db.session())
        if not leads:
            if time.monotonic() < self._looked_at + _OVERDUE_SECONDS:
                return
            self._looked_at = time.monotonic()
            before -= timedelta(seconds=_OVERDUE_SECONDS)
        for kind in heavy.KINDS:
            if kind.has_lease:
                tasks.name(kind.waiting(before, _MOST_WAITING))

    def _free(self, lane: Lane) -> int:
        return lane.size - self._threads.lanes().count(lane.name)

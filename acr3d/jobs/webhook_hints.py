"""Hints from outside that a task has changed: all they do is to make the poller look sooner.

A hint is kept in memory and worked off by a thread of its own, a round a second at most, so that whoever
brings it waits for nothing and a flood costs one question of the database a second. A hint that gets lost is
no loss: the poller looks by itself.
"""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask
from sqlalchemy import ColumnElement, select, update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.jobs.queue import IS_POLLED
from acr3d.notify import wake

ROUND_SECONDS = 1.0
MOST_WAITING = 500

log = logging.getLogger("acr3d.jobs")


class Hints:
    """The hints of one process that are still to be worked off."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._next_round = 0.0

    def add(self, task_id: str) -> None:
        """Have the job of the task `task_id` looked at soon, if there is one. Returns at once."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                return
            self._waiting.add(task_id)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="acr3d-hints", daemon=True)
                self._worker.start()

    def settle(self) -> None:
        """Wait until all that was added is worked off."""
        worker = self._worker
        if worker is not None:
            worker.join()

    def _work(self) -> None:
        while True:
            time.sleep(max(0.0, self._next_round - time.monotonic()))
            self._next_round = time.monotonic() + ROUND_SECONDS
            with self._lock:
                task_ids, self._waiting = self._waiting, set()
                if not task_ids:
                    self._worker = None
                    return
            try:
                with self._app.app_context():
                    poll_soon(task_ids)
            except Exception:  # a database that is away, say; the poller looks by itself
                log.exception("job.hint_lost")


def poll_soon(task_ids: set[str]) -> None:
    """Make the jobs due now that follow these tasks of the accounts set up here, and wake the poller."""
    accounts = [one.account for one in engines().available() if one.capabilities.webhook]
    if not accounts:
        return
    ours = (
        select(Job.id)
        .join(Attempt, Attempt.job_id == Job.id)
        .where(Attempt.account.in_(accounts), Attempt.task_id.in_(task_ids))
        .where(*_waits_for_the_engine(), Job.meshy_task_id == Attempt.task_id)
    )
    job_ids = db.session.scalars(ours).all()
    db.session.commit()
    if not job_ids:
        return
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.id.in_(job_ids), *_waits_for_the_engine())
            .values(next_at=utc_now())
            .execution_options(synchronize_session=False)
        )
    wake()


def _waits_for_the_engine() -> tuple[ColumnElement[bool], ...]:
    """What a hint may hurry: no job that waits after a failure of ours, or a flood would use up its tries."""
    return IS_POLLED, Job.retry_count == 0, Job.next_at > utc_now()

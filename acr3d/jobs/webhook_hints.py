"""Hints from webhooks that a task has changed: all they do is make the job's next poll due.

Hints are collected in memory; a thread handles them at most once a second, so that a webhook's sender never
waits and a flood costs one query a second. A lost hint does no harm: the job is polled anyway.
"""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask
from sqlalchemy import ColumnElement, select, update

from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job
from acr3d.db.outage import log_failure
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.engines.registry import engines
from acr3d.jobs.queue import IS_POLLED
from acr3d.notify import wake

SECRET_HEADER = "x-meshy-api-webhook-secret-key"  # noqa: S105 - its name; seen in real deliveries of 2026
ROUND_SECONDS = 1.0
MOST_WAITING = 500

log = logging.getLogger("acr3d.jobs")


class Hints:
    """The hints of one process that are not handled yet."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._next_round = 0.0

    def add(self, task_id: str) -> None:
        """Have the job of the task `task_id` polled soon, if there is one. Returns at once."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                return
            self._waiting.add(task_id)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="acr3d-hints", daemon=True)
                self._worker.start()

    def settle(self) -> None:
        """Wait until all hints are handled."""
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
            except Exception:  # the database may be away; the job is polled anyway
                log_failure(log, "job.hint_lost")


def poll_soon(task_ids: set[str]) -> None:
    """Make the jobs that poll these tasks of the accounts set up here due now, and wake the pollers."""
    accounts = [one.account for one in engines().available() if one.capabilities.webhook]
    if not accounts:
        return
    ours = (
        select(Job.id)
        .join(Attempt, Attempt.job_id == Job.id)
        .where(Attempt.account.in_(accounts), Attempt.task_id.in_(task_ids))
        .where(*_may_be_hurried(), Job.meshy_task_id == Attempt.task_id)
    )
    job_ids = db.session.scalars(ours).all()
    db.session.commit()
    if not job_ids:
        return
    with transaction() as session:
        session.execute(
            update(Job)
            .where(Job.id.in_(job_ids), *_may_be_hurried())
            .values(next_at=utc_now())
            .execution_options(synchronize_session=False)
        )
    wake()


def _may_be_hurried() -> tuple[ColumnElement[bool], ...]:
    """Only jobs that wait for the engine: hurrying a retry after our own failure would use up its tries."""
    return IS_POLLED, Job.retry_count == 0, Job.next_at > utc_now()

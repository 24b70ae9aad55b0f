"""Measure what a task costs beside its work: `python -m bench.tasks [--count 400]`.

Photo checks that do nothing, on PostgreSQL: one worker names and takes them all. Prints tasks a second, and
the CPU seconds of the worker for each task.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time

import flask_migrate
from sqlalchemy import insert, select, update

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.photo_checks import queue
from acr3d.photo_checks.queue import Claim
from acr3d.worker import heavy
from acr3d.worker.loop import JobPoller
from acr3d.worker.tasks import Tasks
from tests.support.postgres import postgres_server


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=400)
    count = parser.parse_args().count
    heavy.check_photos = _nothing
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        server.create("tasks")
        environ = {"ACR3D_INSTANCE": folder, "DATABASE_URL": server.url("tasks"), "ACR3D_POLL_SECONDS": "1"}
        app = create_app(settings.from_environment(environ | {"ACR3D_WORKERS": "procrastinate"}))
        with app.app_context():
            flask_migrate.upgrade()
            poller = JobPoller(app, Tasks(app, ["photos"], concurrency=2))
            poller.start()
            _run(1)  # until all is ready
            began, cpu = time.monotonic(), time.process_time()
            _run(count)
            wall, used = time.monotonic() - began, time.process_time() - cpu
            poller.stop()
    print(f"{count / wall:.0f} tasks a second, {1000 * used / count:.1f} CPU ms each")


def _run(count: int) -> None:
    with transaction() as session:
        names = [{"sku": f"{time.time_ns()}-{number}", "name": "Part"} for number in range(count)]
        rows = [one | {"sku_key": one["sku"]} for one in names]
        session.execute(insert(Part), rows)
        session.execute(update(Part).values(check_due_at=utc_now()))
    while db.session.scalar(select(Part.id).where(Part.check_due_at.is_not(None)).limit(1)):
        db.session.rollback()
        time.sleep(0.05)


def _nothing(claimed: Claim, _stop: threading.Event) -> None:
    queue.store(claimed, {})


if __name__ == "__main__":
    main()

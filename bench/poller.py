"""Measure what one pass of the poller costs with many tasks in flight, without and with many finished jobs.

    python -m bench.poller [--tasks 1000] [--finished 100000] [--passes 5] [--postgres]

An engine on a port, in a process of its own, has the tasks in progress; each pass finds new progress for all
of them and nothing else. Prints the medians of: requests to the engine, SQL statements, our own CPU and wall
time (without waiting for the engine and for the rate limit), and the growth of resident memory.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask_migrate
import httpx
from flask import Flask
from sqlalchemy import event, insert, update

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import Job, Part
from acr3d.db.session import transaction
from acr3d.db.types import new_id, utc_now
from acr3d.engine_server.app import EngineApp, create_engine_app, serve
from acr3d.engine_server.tasks import TaskQuota, TaskStore
from acr3d.engines.rate_limit import RateLimiter
from acr3d.engines.registry import engines
from acr3d.worker.loop import JobPoller
from tests.support.postgres import postgres_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_ENGINE = "--serve-engine"


def main() -> None:
    if sys.argv[1:2] == [_ENGINE]:
        _serve_engine(Path(sys.argv[2]), int(sys.argv[3]))
        return
    options = _options()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environ = {"ACR3D_INSTANCE": str(folder / "instance"), "MESHY_API_KEY": "msy_bench"}
        if options.postgres:
            server = stack.enter_context(postgres_server())
            server.create("bench")
            environ["DATABASE_URL"] = server.url("bench")
        environ["MESHY_API_BASE"] = base = stack.enter_context(_engine(folder / "engine", options.tasks))
        app = create_app(settings.from_environment(environ))
        with app.app_context():
            flask_migrate.upgrade()
            parts = _put_in_flight(folder / "engine", options.tasks)
            print(f"{db.engine.dialect.name}, {options.tasks} tasks in flight, {options.passes} passes each")
            print("finished jobs  requests  statements  own CPU s  own wall s  whole wall s  MB more")
            _measure(app, base, options.passes, 0)
            _finish(parts, options.finished)
            _measure(app, base, options.passes, options.finished)
            engines().close()
            db.session.remove()
            db.engine.dispose()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--finished", type=int, default=100_000)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    return parser.parse_args()


# --- the engine, in a process of its own --------------------------------------------------------------


class _Bench:
    """The engine; it counts its requests, and gives every task new progress on request."""

    def __init__(self, engine: EngineApp, folder: Path) -> None:
        self.engine = engine
        self.database = folder / "tasks.sqlite"
        self.requests = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/bench":
            self.requests += 1
            return self.engine(environ, start_response)
        with contextlib.closing(sqlite3.connect(self.database)) as database, database:
            database.execute("UPDATE task SET status = 'IN_PROGRESS', progress = (progress + 1) % 99")
        answer, self.requests = str(self.requests).encode(), 0
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
        return [answer]

    def stop(self) -> None:
        self.engine.stop(1)


def _serve_engine(folder: Path, count: int) -> None:
    quota = TaskQuota(max_waiting=count + 1)
    tasks = TaskStore(folder, quota)
    for _ in range(count):
        tasks.add([b"photo"], {"angles": ["front"]})
    heavy_lock = folder / "heavy.lock"
    with heavy_lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # so no carving ever begins
        serve(_Bench(create_engine_app(folder, heavy_lock=heavy_lock, quota=quota), folder), 0)  # type: ignore[arg-type]


@contextlib.contextmanager
def _engine(folder: Path, count: int) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.poller", _ENGINE, str(folder), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


# --- our side ------------------------------------------------------------------------------------------


def _put_in_flight(engine: Path, count: int) -> list[str]:
    """Create a part and a job for each of the engine's tasks; return the parts' ids."""
    with contextlib.closing(sqlite3.connect(engine / "tasks.sqlite")) as database:
        tasks = [row[0] for row in database.execute("SELECT id FROM task")]
    parts = [new_id() for _ in range(count)]
    with transaction() as session:
        names = [{"id": part, "sku": part, "sku_key": part, "name": "Part"} for part in parts]
        session.execute(insert(Part), names)
        rows = [
            _job(part, "processing") | {"meshy_task_id": task, "submitted_at": utc_now()}
            for part, task in zip(parts, tasks, strict=True)
        ]
        session.execute(insert(Job), rows)
    return parts


def _finish(parts: list[str], count: int) -> None:
    """Create `count` finished jobs of these parts."""
    for first in range(0, count, 10_000):
        numbers = range(first, min(first + 10_000, count))
        with transaction() as session:
            session.execute(insert(Job), [_job(parts[number % len(parts)], "complete") for number in numbers])


def _job(part_id: str, status: str) -> dict[str, object]:
    link = engines().provider("meshy")
    photos = [{"id": new_id(), "url": "/media/x.jpg", "angle": "front", "storage_path": "x.jpg"}] * 4
    return {
        "id": new_id(),
        "part_id": part_id,
        "status": status,
        "selected_image_ids": [photo["id"] for photo in photos],
        "selected_image_urls": [photo["url"] for photo in photos],
        "selected_image_metadata": photos,
        "generation_config": {},
        "engine": "meshy",
        "engine_base": link.base,
        "account": link.account,
    }


def _measure(app: Flask, base: str, passes: int, finished: int) -> None:
    _one_pass(app, base)  # warms up
    figures = [_one_pass(app, base) for _ in range(passes)]
    requests, statements, cpu, own, whole, grown = (
        statistics.median(column) for column in zip(*figures, strict=True)
    )
    print(
        f"{finished:13} {requests:9.0f} {statements:11.0f} {cpu:10.2f} {own:11.2f} {whole:13.2f} {grown:8.1f}"
    )


def _one_pass(app: Flask, base: str) -> tuple[float, ...]:
    httpx.get(f"{base}/bench")  # new progress for all; forgets the requests so far
    with transaction() as session:
        session.execute(update(Job).where(Job.status == "processing").values(next_at=utc_now()))
    db.session.remove()
    asked: list[str] = []
    note = lambda _c, _cursor, sql, *_: asked.append(sql)  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", note)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with _timed(RateLimiter, "wait") as turns, _timed(httpx.HTTPTransport, "handle_request") as answers:
        started, cpu = time.perf_counter(), time.process_time()
        JobPoller(app).run_once()
        whole, cpu = time.perf_counter() - started, time.process_time() - cpu
    event.remove(db.engine, "before_cursor_execute", note)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    requests = float(httpx.get(f"{base}/bench").text)
    return requests, len(asked), cpu, whole - sum(turns) - sum(answers), whole, grown


@contextlib.contextmanager
def _timed(owner: type, name: str) -> Iterator[list[float]]:
    """The seconds of each call of the method inside the block."""
    seconds: list[float] = []
    method: Callable[..., Any] = getattr(owner, name)

    def timed(*args: Any) -> Any:
        started = time.perf_counter()
        try:
            return method(*args)
        finally:
            seconds.append(time.perf_counter() - started)

    setattr(owner, name, timed)
    try:
        yield seconds
    finally:
        setattr(owner, name, method)


if __name__ == "__main__":
    main()

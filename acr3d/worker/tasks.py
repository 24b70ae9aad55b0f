"""Heavy work as Procrastinate tasks on PostgreSQL. A task says only: look at this piece of work now.

What is to be done, and who does it, is in our own tables: a task that is lost is named again by a later pass,
one that comes twice or too late finds nothing to claim. So its tables hold nothing of worth. They are in a
schema of their own, named after their form: another version of Procrastinate makes another one beside it.
docs/decisions/0065-workers.md
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import procrastinate
from flask import Flask
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.schema import SchemaManager
from psycopg import Connection
from sqlalchemy import Connection as Transaction
from sqlalchemy import text

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.outage import log_failure
from acr3d.db.session import CONNECT_SECONDS
from acr3d.worker import heavy
from acr3d.worker.heavy import Piece

SCHEMA = f"acr3d_tasks_{hashlib.sha256(SchemaManager.get_schema().encode()).hexdigest()[:8]}"
_ONE_AT_A_TIME = 4_117_300_312  # an arbitrary advisory lock number
_RETRY_SECONDS = 5.0
_FORGET_SECONDS = 60.0
_DEAD_SECONDS = 90  # without a sign of life from a worker

log = logging.getLogger("acr3d.poller")


class Tasks:
    """The tasks as one process sees them: it names some, and takes those of its queues in threads.

    `queues`: names in `heavy.QUEUES`. `concurrency`: how many are taken at once.
    """

    def __init__(self, app: Flask, queues: Sequence[str], concurrency: int) -> None:
        self._app = app
        self._queues = queues
        self._concurrency = concurrency
        self._names = procrastinate.App(connector=procrastinate.SyncPsycopgConnector()).job_manager
        self._is_ready = threading.Event()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None

    def start(self, take: Callable[[str, str], None]) -> None:
        """Take tasks from now on: `take` is called with a kind and an id, in a thread."""
        self._thread = threading.Thread(target=self._run, args=(take,), name="acr3d-tasks", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Take no more, and wait for those that run, at most `seconds`."""
        self._stopping.set()
        loop, work = self._loop, self._work
        if loop is not None and work is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended by itself
                loop.call_soon_threadsafe(work.cancel)
        if self._thread is not None:
            self._thread.join(seconds)

    def name(self, pieces: Sequence[Piece]) -> None:
        """Let a worker look at these pieces, but those that wait for one already. Needs the app's context."""
        if not pieces or not self._is_ready.is_set():
            return
        try:
            with db.engine.begin() as transaction:
                connection = _in_schema(transaction)
                query = "SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo'"
                waiting = {row[0] for row in connection.execute(query)}
                tasks = [task for task in map(_task, pieces) if task.queueing_lock not in waiting]
                if tasks:
                    self._names.batch_defer_jobs(tasks, connection=connection)
        except AlreadyEnqueued:
            log.info("tasks.named_twice")  # another process named one of them just now; the next pass goes on

    def _run(self, take: Callable[[str, str], None]) -> None:
        with self._app.app_context():
            while not self._stopping.is_set():
                try:
                    _prepare()
                    self._is_ready.set()
                    with contextlib.suppress(asyncio.CancelledError):
                        asyncio.run(self._take_all(take))
                except Exception:
                    log_failure(log, "tasks.worker_failed")
                self._stopping.wait(_RETRY_SECONDS)

    async def _take_all(self, take: Callable[[str, str], None]) -> None:
        """Take tasks until this is cancelled or the database is away."""
        self._loop, self._work = asyncio.get_running_loop(), asyncio.current_task()
        self._loop.set_default_executor(ThreadPoolExecutor(self._concurrency, "acr3d-task"))
        if self._stopping.is_set():
            return
        app = _worker_app(take)
        async with app.open_async():
            forgetting = asyncio.create_task(_forget_dead(app))
            try:
                await app.run_worker_async(
                    queues=[*self._queues, *heavy.own_queues()],
                    concurrency=self._concurrency,
                    delete_jobs=DeleteJobCondition.ALWAYS.value,
                    install_signal_handlers=False,
                )
            except ConnectorException as error:
                raise error.__cause__ or error from None  # the driver's, which says that the database is away
            finally:
                forgetting.cancel()


def _worker_app(take: Callable[[str, str], None]) -> procrastinate.App:
    address = settings.current().database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    connection = {"options": f"-c search_path={SCHEMA}", "connect_timeout": CONNECT_SECONDS}
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=address, kwargs=connection, min_size=1, max_size=2)
    )
    for kind in heavy.KINDS:
        app.task(name=kind.name)(_taking(take, kind.name))
    return app


def _taking(take: Callable[[str, str], None], kind: str) -> Callable[[str], None]:
    def run(piece: str) -> None:
        take(kind, piece)

    return run


def _task(piece: Piece) -> Job:
    kind = next(one for one in heavy.KINDS if one.name == piece.kind)
    name = f"{piece.kind}:{piece.id}"
    return Job(
        task_name=kind.name,
        task_kwargs={"piece": piece.id},
        queue=piece.queue,
        priority=kind.priority,
        queueing_lock=name,
        # Not where there is a lease: a lock outlives a worker that was killed, a lease runs out.
        lock=None if kind.has_lease else name,
    )


async def _forget_dead(app: procrastinate.App) -> None:
    """Delete the tasks that dead workers had, now and then; what they stood for is named again."""
    while True:
        for task in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_DEAD_SECONDS):
            with contextlib.suppress(ConnectorException):  # another worker was first
                await app.job_manager.finish_job(task, Status.FAILED, delete_job=True)
        await asyncio.sleep(_FORGET_SECONDS)


def _prepare() -> None:
    """Make the tables if they are missing."""
    with db.engine.begin() as transaction:
        transaction.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})
        if transaction.scalar(text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.procrastinate_jobs"}):
            return
        transaction.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        _in_schema(transaction).execute(SchemaManager.get_schema())


def _in_schema(transaction: Transaction) -> Connection[tuple[object, ...]]:
    """The driver's connection, in Procrastinate's schema until the transaction ends."""
    transaction.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
    connection: Connection[tuple[object, ...]] = transaction.connection.driver_connection  # type: ignore[assignment]
    return connection

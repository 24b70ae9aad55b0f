"""The built-in engine's tasks: its own small SQLite database, and a folder of files per task.

Committed tasks survive a kill at any moment; files without a row are orphans and are deleted. Photos are
deleted as soon as a task has ended, everything else three days later, as at Meshy. Any process on the host
may read and add tasks; only the holder of the engine's lock (worker.py) may claim and finish them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acr3d.messages.message import Message

PENDING = "PENDING"
IN_PROGRESS = "IN_PROGRESS"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"

# A task that kills its worker must not be started forever. But the carving runs in a child process with
# limits, so a lost worker usually means a killed server: the task is not to blame, and gets many tries.
MAX_STARTS = 10
_ORPHAN_FOLDER_SECONDS = 3600  # a younger folder may belong to a task that is just being added
_SCHEMA = """
CREATE TABLE IF NOT EXISTS task (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('PENDING', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED')),
    progress INTEGER NOT NULL DEFAULT 0,
    starts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,             -- all times are milliseconds since 1970; 0: not yet
    started_at INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL DEFAULT 0,
    options TEXT NOT NULL,                   -- JSON: the request without its photos
    signature TEXT NOT NULL,                 -- gives access to the result's URL
    bytes INTEGER NOT NULL,                  -- of the photos, later of the model
    report TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '{"message": ""}'
);
CREATE INDEX IF NOT EXISTS task_status ON task (status);
"""


class QuotaExceeded(Exception):
    """There is no space for another task. `str()` is a sentence for the user."""


@dataclass(frozen=True)
class TaskQuota:
    """Limits for all tasks together."""

    max_waiting: int = 50
    max_disk_bytes: int = 1 << 30
    keep_seconds: int = 3 * 24 * 3600
    protected_seconds: int = 3600  # an ended task younger than this is not deleted to free space


@dataclass(frozen=True)
class EngineTask:
    """One task; times in milliseconds since 1970, 0 for not yet."""

    seq: int
    id: str
    status: str
    progress: int
    starts: int
    created_at: int
    started_at: int
    finished_at: int
    expires_at: int
    options: Mapping[str, Any]
    signature: str
    bytes: int
    report: Mapping[str, Any]
    error: Mapping[str, Any]


def now_milliseconds() -> int:
    return time.time_ns() // 1_000_000


class TaskStore:
    """All tasks in `folder`, which is created if missing. Safe for threads and processes."""

    def __init__(
        self, folder: Path, quota: TaskQuota | None = None, clock: Callable[[], int] = now_milliseconds
    ) -> None:
        self.quota = quota or TaskQuota()
        self._clock = clock
        self._files = folder / "tasks"
        self._database = folder / "tasks.sqlite"
        self._files.mkdir(parents=True, exist_ok=True, mode=0o700)
        # One process at a time: switching to WAL takes a lock for which SQLite's timeout does not wait.
        with (folder / "setup.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            with self._connection() as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.executescript(_SCHEMA)

    # --- adding and reading: for every process ----------------------------------------------------

    def add(
        self, photos: Sequence[bytes], options: Mapping[str, Any], outlines: Sequence[bytes | None] = ()
    ) -> str:
        """Store the photos, their outlines and a waiting task; return its id. Raises QuotaExceeded."""
        files: dict[str, bytes | Path] = {f"photo{number}": photo for number, photo in enumerate(photos)}
        files |= {f"outline{number}": outline for number, outline in enumerate(outlines) if outline}
        return self.add_files(files, options)

    def add_files(self, files: Mapping[str, bytes | Path], options: Mapping[str, Any]) -> str:
        """Store these files (a path is copied) and a waiting task; return its id. Raises QuotaExceeded."""
        now = self._clock()
        task_id = _time_sorted_id(now)
        size = sum(len(one) if isinstance(one, bytes) else one.stat().st_size for one in files.values())
        folder = self.folder(task_id)
        folder.mkdir(mode=0o700)
        row = (task_id, PENDING, now, json.dumps(options), secrets.token_urlsafe(24), size)
        try:
            for name, content in files.items():
                (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if isinstance(content, bytes):
                    (folder / name).write_bytes(content)
                else:
                    shutil.copyfile(content, folder / name)
                _fsync(folder / name)
            with self._transaction() as database:
                removed = self._delete_expired(database) + self._free_space(database, size, now)
                columns = "id, status, created_at, options, signature, bytes"
                database.execute(f"INSERT INTO task ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._remove_files(removed)
        return task_id

    def get(self, task_id: str) -> EngineTask | None:
        with self._connection() as database:
            found = database.execute(
                "SELECT * FROM task WHERE id = ? AND (expires_at = 0 OR expires_at > ?)",
                (task_id, self._clock()),
            ).fetchone()
        return _task_from_row(found) if found else None

    def page(self, number: int, size: int, *, newest_first: bool) -> list[EngineTask]:
        order = "DESC" if newest_first else "ASC"
        live = "SELECT * FROM task WHERE expires_at = 0 OR expires_at > ?"
        sql = f"{live} ORDER BY seq {order} LIMIT ? OFFSET ?"
        values = (self._clock(), size, (number - 1) * size)
        with self._connection() as database:
            found = database.execute(sql, values).fetchall()
        return [_task_from_row(each) for each in found]

    def queue(self) -> list[int]:
        """The numbers (`seq`) of the unfinished tasks in order."""
        with self._connection() as database:
            sql = "SELECT seq FROM task WHERE status IN ('PENDING', 'IN_PROGRESS') ORDER BY seq"
            return [each["seq"] for each in database.execute(sql)]

    def has_unfinished(self) -> bool:
        """Whether there is work: a waiting task, or a running one whose worker may have died."""
        with self._connection() as database:
            sql = "SELECT 1 FROM task WHERE status IN ('PENDING', 'IN_PROGRESS') LIMIT 1"
            return database.execute(sql).fetchone() is not None

    def delete(self, task_id: str) -> bool:
        """Delete a task; return False if it does not exist. The worker of a running one stops its child."""
        with self._transaction() as database:
            if not database.execute("DELETE FROM task WHERE id = ?", (task_id,)).rowcount:
                return False
        self._remove_files([task_id])
        return True

    def is_deleted(self, task_id: str) -> bool:
        with self._connection() as database:
            return database.execute("SELECT 1 FROM task WHERE id = ?", (task_id,)).fetchone() is None

    def remove_leftovers(self, task_id: str) -> None:
        """What the child of a deleted task had still written."""
        self._remove_files([task_id])

    def folder(self, task_id: str) -> Path:
        return self._files / task_id

    def model(self, task_id: str) -> Path:
        return self.folder(task_id) / "model.glb"

    # --- working: only for the holder of the engine's lock ----------------------------------------

    def claim(self) -> EngineTask | None:
        """Start the next task. One that is still IN_PROGRESS has lost its worker and goes first."""
        while (row := self._next()) is not None:
            if row.starts >= MAX_STARTS:
                self.fail(row.id, task_error("server_error", Message("carving.interrupted", n=MAX_STARTS)))
                continue
            with self._transaction() as database:
                sql = (
                    "UPDATE task SET status = 'IN_PROGRESS', starts = starts + 1, started_at = ? WHERE id = ?"
                )
                started = database.execute(sql, (self._clock(), row.id)).rowcount
            if started:  # otherwise it has just been deleted
                return self.get(row.id)
        return None

    def _next(self) -> EngineTask | None:
        live = "SELECT * FROM task WHERE status IN ('PENDING', 'IN_PROGRESS')"
        sql = f"{live} ORDER BY status = 'PENDING', seq LIMIT 1"
        with self._connection() as database:
            found = database.execute(sql).fetchone()
        return _task_from_row(found) if found else None

    def set_progress(self, task_id: str, progress: int) -> None:
        with self._transaction() as database:
            sql = "UPDATE task SET progress = ? WHERE id = ? AND status = 'IN_PROGRESS' AND progress < ?"
            database.execute(sql, (progress, task_id, progress))

    def release(self, task_id: str) -> None:
        """Return the task to the queue, as if it had not been started."""
        with self._transaction() as database:
            database.execute(
                "UPDATE task SET status = 'PENDING', starts = starts - 1, started_at = 0, progress = 0 "
                "WHERE id = ? AND status = 'IN_PROGRESS'",
                (task_id,),
            )

    def succeed(self, task_id: str, model: Path, report: Mapping[str, Any]) -> None:
        """End the task with `model`, a finished file in the task's folder, as its result."""
        _fsync(model)
        size = model.stat().st_size
        model.replace(self.model(task_id))
        self._end(task_id, SUCCEEDED, size, report=report)

    def fail(self, task_id: str, error: Mapping[str, Any]) -> None:
        """End the task without a result; `error` is its `task_error`."""
        self._end(task_id, FAILED, 0, error=error)

    def _end(
        self,
        task_id: str,
        status: str,
        size: int,
        *,
        report: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> None:
        values = {
            "id": task_id,
            "status": status,
            "progress": 100 if status == SUCCEEDED else 0,
            "now": (now := self._clock()),
            "expires": now + 1000 * self.quota.keep_seconds,
            "size": size,
            "report": json.dumps(report or {}),
            "error": json.dumps(error or {"message": ""}),
        }
        with self._transaction() as database:
            database.execute(
                "UPDATE task SET status = :status, progress = :progress, finished_at = :now, "
                "report = :report, expires_at = :expires, bytes = :size, error = :error WHERE id = :id",
                values,
            )
        self._drop_photos(task_id)

    def _drop_photos(self, task_id: str) -> None:
        """Delete everything in the task's folder except its model."""
        with contextlib.suppress(FileNotFoundError):
            for path in self.folder(task_id).iterdir():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif path != self.model(task_id):
                    path.unlink(missing_ok=True)

    # --- cleaning up ------------------------------------------------------------------------------

    def clean_up(self) -> None:
        """Delete expired tasks, and folders without a task."""
        with self._transaction() as database:
            removed = self._delete_expired(database)
            owned = {each["id"]: each["status"] for each in database.execute("SELECT id, status FROM task")}
        self._remove_files(removed)
        for task_id, status in owned.items():
            if status in (SUCCEEDED, FAILED):  # the process may have been killed before it deleted them
                self._drop_photos(task_id)
        oldest = time.time() - _ORPHAN_FOLDER_SECONDS
        for folder in self._files.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if folder.name not in owned and folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder, ignore_errors=True)

    def _delete_expired(self, database: sqlite3.Connection) -> list[str]:
        """Delete the rows of expired tasks; return their ids."""
        sql = "DELETE FROM task WHERE expires_at BETWEEN 1 AND ? RETURNING id"
        return [each["id"] for each in database.execute(sql, (self._clock(),)).fetchall()]

    def _free_space(self, database: sqlite3.Connection, size: int, now: int) -> list[str]:
        """Delete the rows of the oldest ended tasks until `size` more bytes fit; return their ids."""
        waiting = database.execute("SELECT count(*) FROM task WHERE status = 'PENDING'").fetchone()[0]
        if waiting >= self.quota.max_waiting:
            raise QuotaExceeded(f"{waiting} tasks are already waiting. Try again when some have ended.")
        used = database.execute("SELECT coalesce(sum(bytes), 0) FROM task").fetchone()[0]
        sql = "SELECT id, bytes FROM task WHERE finished_at BETWEEN 1 AND ? ORDER BY seq"
        ended = database.execute(sql, (now - 1000 * self.quota.protected_seconds,)).fetchall()
        removed: list[str] = []
        for old in ended:
            if used + size <= self.quota.max_disk_bytes:
                break
            used -= old["bytes"]
            removed.append(old["id"])
        if used + size > self.quota.max_disk_bytes:
            raise QuotaExceeded("The built-in engine's disk space is full. Try again in an hour.")
        database.executemany("DELETE FROM task WHERE id = ?", [(task_id,) for task_id in removed])
        return removed

    def _remove_files(self, task_ids: list[str]) -> None:
        for task_id in task_ids:
            shutil.rmtree(self.folder(task_id), ignore_errors=True)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._database, timeout=30, isolation_level=None)
        database.row_factory = sqlite3.Row
        try:
            yield database
        finally:
            database.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


def task_error(kind: str, message: Message) -> dict[str, Any]:
    """A failed task's `task_error` as at Meshy; `wording`, of our own, lets its reader translate it."""
    return {"type": kind, "message": str(message), "wording": message.as_json()}


def _task_from_row(found: sqlite3.Row) -> EngineTask:
    decoded = {name: json.loads(found[name]) for name in ("options", "report", "error")}
    return EngineTask(**(dict(found) | decoded))


def _time_sorted_id(now: int) -> str:
    """A UUID that sorts by time as text (RFC 9562, version 7)."""
    high = (now & (1 << 48) - 1) << 16 | 0x7000 | secrets.randbits(12)
    low = 1 << 63 | secrets.randbits(62)
    return str(uuid.UUID(int=high << 64 | low))


def _fsync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

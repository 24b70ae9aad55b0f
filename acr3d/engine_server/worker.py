"""The built-in engine's worker: runs its tasks, one at a time on the whole host.

A daemon thread that starts when there is work and ends when there is none. The process that holds the
engine's lock (flock: the kernel releases it however the holder dies) is the only active worker; the others
wait, and take over when it is gone. The carving itself runs in a child process.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from acr3d import sandbox
from acr3d.engine_server.parameters import DEFAULT_POLYCOUNT
from acr3d.engine_server.tasks import EngineTask, TaskStore, task_error

# A quarter of that is normal; a busy host with one slow core must not fail a model.
LIMITS = sandbox.Limits(seconds=120, memory_mb=400)
SPIN_LIMITS = sandbox.Limits(seconds=400, memory_mb=700)  # half of that is normal
SPIN = "acr3d.spin"
_LOCK_RETRY_SECONDS = 0.2
_WATCH_SECONDS = 0.2
_MAX_RUNNING_PROGRESS = 99  # 100 is reserved for tasks that have succeeded

log = logging.getLogger(__name__)


class EngineWorker:
    """The worker of one process; see create_engine_app for the parameters."""

    def __init__(
        self, tasks: TaskStore, lock: Path, heavy_lock: Path, carver: str, grid: int | None, use_priors: bool
    ) -> None:
        self._tasks = tasks
        self._lock = lock
        self._heavy_lock = heavy_lock
        self._carver = carver
        self._grid = grid
        self._use_priors = use_priors
        self._stop = threading.Event()
        self._mutex = threading.Lock()
        self._is_needed = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Make sure that waiting tasks are worked on; returns immediately."""
        with self._mutex:
            self._is_needed = True
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="engine-worker", daemon=True)
                self._thread.start()

    def stop(self, timeout: float) -> None:
        """Stop for good: end the child process and release its task. Waits at most `timeout` seconds."""
        self._stop.set()
        with self._mutex:
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def finish(self) -> None:
        """Wait until this worker has nothing more to do."""
        with self._mutex:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while self._take_request():
            try:
                self._work()
            except Exception:
                # The task stays IN_PROGRESS. The next request wakes the worker, and starts are counted.
                log.exception("engine.worker.failed")

    def _take_request(self) -> bool:
        """Accept a request to work, or end the thread; atomically, so that no request gets lost."""
        with self._mutex:
            is_needed, self._is_needed = self._is_needed and not self._stop.is_set(), False
            if not is_needed:
                self._thread = None
            return is_needed

    def _work(self) -> None:
        self._tasks.clean_up()
        while self._tasks.has_unfinished() and not self._stop.is_set():
            with self._engine_lock() as is_ours:
                while is_ours and not self._stop.is_set() and (task := self._tasks.claim()):
                    self._carve(task)
            if not is_ours:
                self._stop.wait(_LOCK_RETRY_SECONDS)

    def _carve(self, task: EngineTask) -> None:
        folder = self._tasks.folder(task.id)
        # Named by the start: a killed worker's child may live a moment longer and still write to its files.
        request, model = folder / f"request{task.starts}.json", folder / f"model{task.starts}.glb"
        log.info("engine.task.started task=%s start=%d", task.id, task.starts)
        try:
            request.write_text(json.dumps(self._request(task, folder)))
            with self._stopped_when_deleted(task.id) as stop:
                self._run_child(task, request, model, stop)
        except OSError:
            if not self._tasks.is_deleted(task.id):
                raise
        if self._tasks.is_deleted(task.id):
            self._tasks.remove_leftovers(task.id)

    def _run_child(self, task: EngineTask, request: Path, model: Path, stop: threading.Event) -> None:
        try:
            is_capture = "positions" in task.options
            files = [str(request), str(model)]
            report = sandbox.run(
                SPIN if is_capture else self._carver,
                ["build", *files] if is_capture else files,
                SPIN_LIMITS if is_capture else LIMITS,
                reads=[],
                folder=request.parent,
                lock=self._heavy_lock,
                stop=stop,
                on_progress=lambda progress: self._report_progress(task.id, progress),
            )
        except sandbox.ChildStopped:
            self._tasks.release(task.id)
        except sandbox.ChildRefused as refusal:
            told = task_error("invalid_input", refusal.message) | {"code": refusal.code}
            self._tasks.fail(task.id, told)
        except sandbox.ChildCrashed as crash:
            self._tasks.fail(task.id, task_error("server_error", crash.message))
        else:
            self._tasks.succeed(task.id, model, report)

    @contextlib.contextmanager
    def _stopped_when_deleted(self, task_id: str) -> Iterator[threading.Event]:
        """Set when the server stops or the task is deleted, by whichever process."""
        stop, is_over = threading.Event(), threading.Event()

        def watch() -> None:
            while not is_over.wait(_WATCH_SECONDS):
                with contextlib.suppress(sqlite3.Error):  # asked again in a moment
                    if self._stop.is_set() or self._tasks.is_deleted(task_id):
                        stop.set()
                        return

        watcher = threading.Thread(target=watch, name="engine-watcher", daemon=True)
        watcher.start()
        try:
            yield stop
        finally:
            is_over.set()
            watcher.join()

    def _request(self, task: EngineTask, folder: Path) -> dict[str, object]:
        """The child's REQUEST.json."""
        options = task.options
        if "positions" in options:
            return self._capture_request(task, folder)
        request: dict[str, object] = {
            "images": [
                {
                    "path": str(folder / f"photo{number}"),
                    "angle": angle,
                    "outline": str(folder / f"outline{number}"),
                }
                for number, angle in enumerate(options["angles"])
            ],
            "target_polycount": options.get("target_polycount", DEFAULT_POLYCOUNT),
            "should_texture": options.get("should_texture", True),
            "guesses": self._use_priors,
        }
        return request | ({} if self._grid is None else {"grid": self._grid})

    def _capture_request(self, task: EngineTask, folder: Path) -> dict[str, object]:
        options = task.options
        return {
            "positions": [str(folder / f"position{number}") for number in range(options["positions"])],
            "target_polycount": options["target_polycount"],
            "should_texture": True,
            "texture_size": options["texture_size"],
            "guess_hollows": self._use_priors,
        }

    def _report_progress(self, task_id: str, progress: int) -> None:
        with contextlib.suppress(sqlite3.Error):  # losing a progress update must not fail the task
            self._tasks.set_progress(task_id, min(progress, _MAX_RUNNING_PROGRESS))

    @contextlib.contextmanager
    def _engine_lock(self) -> Iterator[bool]:
        """Whether this process holds the engine's lock inside the block; does not wait for it."""
        with self._lock.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

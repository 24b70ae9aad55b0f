"""Works the built-in engine's tasks off, one at a time on the whole host.

A daemon thread, started when work is asked for and ended when none is left. Who holds the engine's lock
(flock: the kernel frees it when the holder dies, however it dies) is the one worker; the others look on, and
take over when it is gone. The carving itself is done by a child.
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
from acr3d.engine_server.tasks import EngineTask, TaskStore

# A quarter of that is usual; a busy host with one slow core must not cost a model.
LIMITS = sandbox.Limits(seconds=120, memory_mb=400)
_LOCK_RETRY_SECONDS = 0.2
_MAX_RUNNING_PROGRESS = 99  # 100 is for a task that has succeeded

log = logging.getLogger(__name__)


class EngineWorker:
    """The worker of one process. `carver`: the child module; `grid`: its resolution, None for its own;
    `guessing`: whether it may assume what the outlines leave open."""

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
        self._guard = threading.Lock()
        self._wanted = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """See to it that waiting tasks are worked on; returns at once."""
        with self._guard:
            self._wanted = True
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="engine-worker", daemon=True)
                self._thread.start()

    def stop(self, timeout: float) -> None:
        """End the child, hand its task back, and wait at most `timeout` seconds for that; for good."""
        self._stop.set()
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def finish(self) -> None:
        """Wait until nothing more waits to be worked on here."""
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while self._is_wanted():
            try:
                self._work()
            except Exception:
                # The task stays IN_PROGRESS; the next request wakes us, and its starts are counted.
                log.exception("engine.worker.broke_off")

    def _is_wanted(self) -> bool:
        """Take the wish to work, or end the thread: in one step, so that no wish falls between."""
        with self._guard:
            wanted, self._wanted = self._wanted and not self._stop.is_set(), False
            if not wanted:
                self._thread = None
            return wanted

    def _work(self) -> None:
        self._tasks.sweep()
        while self._tasks.anything_waits() and not self._stop.is_set():
            with self._engine_lock() as is_ours:
                while is_ours and not self._stop.is_set() and (task := self._tasks.claim()):
                    self._carve(task)
            if not is_ours:
                self._stop.wait(_LOCK_RETRY_SECONDS)

    def _carve(self, task: EngineTask) -> None:
        folder = self._tasks.folder(task.id)
        # Named for the start: a child of a killed worker may live a moment longer and write to its own file.
        request, model = folder / f"request{task.starts}.json", folder / f"model{task.starts}.glb"
        log.info("engine.task.started task=%s start=%d", task.id, task.starts)
        request.write_text(json.dumps(self._request(task, folder)))
        try:
            report = sandbox.run(
                self._carver,
                [str(request), str(model)],
                LIMITS,
                lock=self._heavy_lock,
                stop=self._stop,
                on_progress=lambda progress: self._advance(task.id, progress),
            )
        except sandbox.ChildStopped:
            self._tasks.hand_back(task.id)
        except sandbox.ChildRefused as refusal:
            error = {"type": "invalid_input", "code": refusal.code, "message": str(refusal)}
            self._tasks.fail(task.id, error)
        except sandbox.ChildCrashed as crash:
            self._tasks.fail(task.id, {"type": "server_error", "message": str(crash)})
        else:
            self._tasks.succeed(task.id, model, report)

    def _request(self, task: EngineTask, folder: Path) -> dict[str, object]:
        """The child's order: each photo's path and angle, and what was asked for."""
        options = task.options
        request: dict[str, object] = {
            "images": [
                {"path": str(folder / f"photo{number}"), "angle": angle}
                for number, angle in enumerate(options["angles"])
            ],
            "target_polycount": options.get("target_polycount", DEFAULT_POLYCOUNT),
            "should_texture": options.get("should_texture", True),
            "guesses": self._use_priors,
        }
        return request | ({} if self._grid is None else {"grid": self._grid})

    def _advance(self, task_id: str, progress: int) -> None:
        with contextlib.suppress(sqlite3.Error):  # a lost figure is no reason to lose the work
            self._tasks.advance(task_id, min(progress, _MAX_RUNNING_PROGRESS))

    @contextlib.contextmanager
    def _engine_lock(self) -> Iterator[bool]:
        """Whether we hold the engine's lock inside the block; does not wait for it."""
        with self._lock.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

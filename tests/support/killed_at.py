"""Run a `flask` command that kills itself: `python -m tests.support.killed_at before-tx1 jobs work`.

The command is the product's own, unchanged; only SQLAlchemy and `subprocess`, which it rests on, are listened
to. At the point the process gets SIGKILL: no `finally` runs, no transaction ends, no file is cleared away.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flask.cli import main
from sqlalchemy import event
from sqlalchemy.orm import object_session

from acr3d.db.models import Attempt, Job, ModelVersion
from acr3d.db.states import VersionState


def die(*_what: object, **_more: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after_commit(*what: object, **_more: object) -> None:
    """The attempt's transaction, which is being prepared, is the last one; other threads have their own."""
    session = next(object_session(each) for each in what if isinstance(each, Attempt))
    assert session is not None
    event.listen(session, "after_commit", die)


def die_when_published(_version: ModelVersion, value: object, *_more: object) -> None:
    if value == VersionState.PUBLISHED:
        die()


def die_with_an_optimizer_running() -> None:
    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, args: list[str], **more: object) -> None:
            super().__init__(args, **more)  # type: ignore[call-overload]
            if "acr3d.optimize" in args:
                die()

    subprocess.Popen = Popen  # type: ignore[misc]


def wait_instead_of_sleeping() -> None:
    """libfaketime 0.9.10 breaks `time.sleep` where it leaves the monotonic clock alone."""
    time.sleep = lambda seconds: threading.Event().wait(seconds)  # type: ignore[assignment]


def run_out_of_room() -> None:
    """Report a full disk where files are synced, while the file named by FULL_DISK is there."""
    really = os.fsync

    def fsync(handle: int) -> None:
        if Path(os.environ["FULL_DISK"]).exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(handle)

    os.fsync = fsync  # type: ignore[assignment]


POINTS: dict[str, Callable[[], None]] = {
    "before-tx1": lambda: event.listen(Attempt, "before_insert", die),
    "after-tx1": lambda: event.listen(Attempt, "before_insert", die_after_commit),
    "after-tx2": lambda: event.listen(Attempt.sent_at, "set", die_after_commit),
    "before-tx3": lambda: event.listen(Attempt.task_id, "set", die),
    "raw-stored": lambda: event.listen(Job.raw_storage_path, "set", die),
    "optimizing": die_with_an_optimizer_running,
    "full-disk": run_out_of_room,
    "nowhere": wait_instead_of_sleeping,
    "before-publishing": lambda: event.listen(ModelVersion.state, "set", die_when_published),
}

if __name__ == "__main__":
    POINTS[sys.argv[1]]()
    sys.argv = ["flask", "--app", "wsgi", *sys.argv[2:]]
    main()

"""Run heavy work in a child process: a fresh interpreter with limits, without secrets, network or our files.

A child is a module with a command line that prints JSON lines: `{"progress": 40}` while it works, then either
`{"report": {...}}` (exit code 0) or, if it refuses its input, the line of `acr3d.messages.refusal` (exit code
3). Anything else is a crash. The child dies when its stdin closes, so a killed parent leaves no orphan.

A child reads the Python that runs it, the system's libraries and the files it is given, and writes to one
folder. The kernel sees to that where it can (`landlock`, `seccomp`); `protection` says what holds here.

`run` is the parent's side, `child` the child's. Only the standard library and the light `acr3d.messages`:
every child loads this package first.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from acr3d.foreign import whole
from acr3d.messages import refusal
from acr3d.messages.message import Message, MessageError

log = logging.getLogger(__name__)

REFUSED_EXIT = 3
_STDERR_KEPT = 4000
_LINE_LIMIT = 1_000_000
_MAX_THREADS = 2
# Of Python, C++ and OpenBLAS.
_OUT_OF_MEMORY_MESSAGES = ("MemoryError", "bad_alloc", "Memory allocation still failed")
_STOPPING = Message("child.stopping")
_START = str(Path(__file__).with_name("start_child.py"))
_PASSED_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class ChildError(MessageError):
    """A child returned no report."""


class ChildRefused(ChildError):
    """The child refused its input; it will refuse it again."""

    def __init__(self, message: Message | str, code: str) -> None:
        super().__init__(message)
        self.code = code


class ChildCrashed(ChildError):
    """The child exceeded its limits or failed; trying again may or may not help."""


class ChildStopped(ChildError):
    """The child was stopped because the server is shutting down; its work has to be repeated."""


@dataclass(frozen=True)
class Limits:
    """What one child may use.

    `seconds`: wall time. `memory_mb`: resident memory. `file_mb`: size of a file. `threads`: None for the
    machine's default.
    """

    seconds: int = 120
    memory_mb: int = 700
    file_mb: int = 256
    threads: int | None = None


def heavy_lock(instance: Path) -> Path:
    """The lock file that lets one heavy child run at a time on this host, or ACR3D_CHILDREN of them."""
    return instance / "heavy.lock"


def run(
    module: str,
    args: list[str],
    limits: Limits,
    *,
    reads: Iterable[Path],
    folder: Path | None,
    lock: Path | None,
    stop: threading.Event | None = None,
    on_progress: Callable[[int], None] | None = None,
    python: str = sys.executable,
) -> dict[str, Any]:
    """Run the module with these arguments as a limited child process and return its report.

    `reads`: the files it may read. `folder`: where it may read and write, temporary files too; None for
    nowhere. `lock`: the host-wide lock for heavy children; blocks while another one runs. A child that starts
    a child of its own passes None, because it already holds the lock. `python`: the interpreter.

    Raises ChildRefused, ChildCrashed or ChildStopped.
    """
    stop = stop or threading.Event()
    files = {"reads": [*map(str, reads)], "folder": str(folder) if folder else None}
    command = [python, "-P", _START, json.dumps(asdict(limits) | files), module, *args]
    with _host_lock(lock, stop) if lock else contextlib.nullcontext():
        return _Child(command, limits, folder, on_progress).wait(stop)


@contextlib.contextmanager
def _host_lock(lock: Path, stop: threading.Event) -> Iterator[None]:
    """Hold `lock`, or one of those beside it where more children may run at once (flock: the kernel releases
    it however the holder dies)."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    beside = [lock.with_name(f"{lock.name}.{number}") for number in range(1, _children_at_once())]
    with contextlib.ExitStack() as opened:
        handles = [opened.enter_context(path.open("a")) for path in (lock, *beside)]
        while not any(map(_is_ours, handles)):
            if stop.wait(0.1):
                raise ChildStopped(_STOPPING)
        yield


def _is_ours(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _children_at_once() -> int:
    """ACR3D_CHILDREN if it is set; otherwise one, for which 1 GB is enough."""
    wanted = os.environ.get("ACR3D_CHILDREN", "")
    return max(1, int(wanted)) if wanted.isdecimal() else 1


class _Child:
    def __init__(
        self,
        command: list[str],
        limits: Limits,
        folder: Path | None,
        on_progress: Callable[[int], None] | None,
    ) -> None:
        self.limits = limits
        self.on_progress = on_progress
        self.last: dict[str, Any] = {}
        self.stderr = ""
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module names
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_child_environment(limits.threads or default_threads(), folder),
            process_group=0,  # no session: Linux may give each the same time, however nice it is
        )
        self.readers = [
            threading.Thread(target=self._read_reports, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(self.process.stderr,), daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    def wait(self, stop: threading.Event) -> dict[str, Any]:
        deadline = time.monotonic() + self.limits.seconds
        try:
            while self.process.poll() is None:
                if stop.wait(0.05):
                    raise ChildStopped(_STOPPING)
                if time.monotonic() > deadline:
                    raise ChildCrashed(self._timeout_message())
                if _resident_mb(self.process.pid) > self.limits.memory_mb:
                    raise ChildCrashed(self._memory_message())
        finally:
            self._end()
        return self._report()

    def _report(self) -> dict[str, Any]:
        code = self.process.returncode
        if code == 0 and isinstance(self.last.get("report"), dict):
            report: dict[str, Any] = self.last["report"]
            return report
        if code == REFUSED_EXIT and "error" in self.last:
            raise ChildRefused(refusal.read(self.last), str(self.last.get("code", "refused")))
        raise ChildCrashed(self._crash_message(code))

    def _crash_message(self, code: int) -> Message:
        if code == -signal.SIGKILL or any(words in self.stderr for words in _OUT_OF_MEMORY_MESSAGES):
            return self._memory_message()
        if code == -signal.SIGXCPU:
            return self._timeout_message()
        log.error("child.crashed args=%s exit=%s stderr=%s", self.process.args, code, self.stderr)
        return Message("child.broke_off")

    def _memory_message(self) -> Message:
        return Message("child.too_much_memory", megabytes=self.limits.memory_mb)

    def _timeout_message(self) -> Message:
        return Message("child.too_slow", seconds=self.limits.seconds)

    def _read_reports(self, stream: IO[bytes]) -> None:
        for line in iter(lambda: stream.readline(_LINE_LIMIT), b""):
            try:
                message = json.loads(line, parse_constant=_no_number)
            except (ValueError, RecursionError):
                continue
            if not isinstance(message, dict):
                continue
            percent = whole(message.get("progress"), 100)
            if percent is not None and self.on_progress:
                self.on_progress(percent)
            else:
                self.last = message

    def _read_stderr(self, stream: IO[bytes]) -> None:
        for chunk in iter(lambda: stream.read1(4096), b""):  # type: ignore[attr-defined]
            self.stderr = (self.stderr + chunk.decode("utf-8", "replace"))[-_STDERR_KEPT:]

    def _end(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for reader in self.readers:
            reader.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def _no_number(_word: str) -> None:
    """For NaN and Infinity, which PostgreSQL takes in no JSON."""


def default_threads() -> int:
    """ACR3D_THREADS if it is set; otherwise the number of usable processors, at most two."""
    wanted = os.environ.get("ACR3D_THREADS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    return min(_MAX_THREADS, len(os.sched_getaffinity(0)))


def _resident_mb(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # the process has just ended
        return 0
    return pages * resource.getpagesize() >> 20


def _child_environment(threads: int, folder: Path | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    # Few malloc arenas, because every thread's arena counts against the memory limit.
    temporary = {"TMPDIR": str(folder)} if folder else {}
    fixed = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2", "ACR3D_THREADS": str(threads)}
    return kept | counts | temporary | fixed

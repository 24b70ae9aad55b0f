"""The child's side: `main` takes limits, gives up what is not the child's, and runs its module."""

from __future__ import annotations

import json
import os
import resource
import runpy
import select
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from acr3d.sandbox import landlock, seccomp

_ROOT = Path(__file__).parents[2]
# Libraries, time zones, and what these, glibc and OpenBLAS ask the system. Not all of /proc: the server's
# environment, with its secrets, is there.
_SYSTEM = (
    "/usr", "/bin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store",
    "/etc/ld.so.cache", "/etc/localtime", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
    "/sys/devices/system", "/dev/urandom", "/dev/zero",
)  # fmt: skip
_SYSTEM_WRITABLE = ("/dev/null",)
_LOOK_SECONDS = 0.2


def main(argv: list[str]) -> None:
    """`argv`: JSON with the fields of `Limits`, `reads` and `folder`; then the module and its arguments."""
    given, module = json.loads(argv[0]), argv[1]
    _apply_limits(given["seconds"], given["memory_mb"], given["file_mb"])
    _confine(module, [Path(path) for path in given["reads"]], given["folder"])
    # Not before: a thread that runs already would keep its rights.
    threading.Thread(target=_end_in_time, args=(given["memory_mb"],), daemon=True).start()
    sys.argv = argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _apply_limits(seconds: int, memory_mb: int, file_mb: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds * 4, seconds * 4 + 5))
    # Only against sudden huge allocations: untouched memory costs nothing, and the parent checks the rest.
    data_bytes, (_, hard_limit) = memory_mb * 2 << 20, resource.getrlimit(resource.RLIMIT_DATA)
    if hard_limit != resource.RLIM_INFINITY:
        data_bytes = min(data_bytes, hard_limit)  # the child of a child
    resource.setrlimit(resource.RLIMIT_DATA, (data_bytes, data_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_mb << 20, file_mb << 20))
    os.nice(5)  # the web process has priority


def _confine(module: str, reads: list[Path], folder: str | None) -> None:
    """Give up the network and all files but the child's own, as far as the kernel can. Raises OSError."""
    sys.addaudithook(_forbid_network)
    if landlock.abi():
        packages = {_ROOT / "acr3d", _ROOT / module.partition(".")[0]}
        readable = [*packages, *map(Path, _SYSTEM + _SYSTEM_WRITABLE), *_interpreters(), *reads]
        writable = [Path(path) for path in (folder, *_SYSTEM_WRITABLE) if path]
        landlock.restrict(readable, writable)
    if seccomp.is_available():
        seccomp.block()


def _interpreters() -> Iterator[Path]:
    """This Python, and the others of this tree: the optimizer starts Blender's."""
    yield from map(Path, (sys.prefix, sys.base_prefix, *sys.path))
    for python in _ROOT.glob(".venv*/bin/python"):
        yield from (python.parents[1], python.resolve().parents[1])


def _forbid_network(event: str, _args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        raise PermissionError("a child of acr3d has no network")


def _end_in_time(memory_mb: int) -> None:
    """End this process when its parent is gone, or when it takes too much memory.

    The parent watches the memory as well, unless it is confined itself and cannot see another process.
    """
    # What the parent had taken when it made this process counts as ours: getrusage(2) begins with it.
    allowed = max(memory_mb, _most_memory_mb())
    while _most_memory_mb() <= allowed:
        readable, _, _ = select.select([0], [], [], _LOOK_SECONDS)
        if readable and not os.read(0, 1024):
            break
    os.killpg(0, signal.SIGKILL)


def _most_memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

"""Remembers what a child made, for the next time it is asked the same.

Most tests of jobs send the same small model through the optimizer and the poster, each a process that takes a
second. A call with the same module, options, limits and files gets the earlier report and copies of the files
that were made then. Children that refuse or break off are run again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acr3d import sandbox

PURE = {"acr3d.optimize", "acr3d.render", "acr3d.silhouettes", "acr3d.photo_checks.inspection"}
"""Modules whose result depends on their arguments and on the files these name, and on nothing else."""

_run_for_real = sandbox.run


@dataclass(frozen=True)
class _Made:
    report: dict[str, Any]
    files: dict[int, bytes]


_made: dict[tuple[object, ...], _Made] = {}


def run(
    module: str,
    args: list[str],
    limits: sandbox.Limits,
    *,
    reads: Iterable[Path],
    folder: Path | None,
    lock: Path | None,
    stop: threading.Event | None = None,
    on_progress: Callable[[int], None] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """`sandbox.run`, at most once for each question."""
    if module not in PURE or more or on_progress or (stop and stop.is_set()):
        more |= {"stop": stop, "on_progress": on_progress}
        return _run_for_real(module, args, limits, reads=reads, folder=folder, lock=lock, **more)
    key = (module, limits, *map(_meaning, args))
    if key in _made:
        for place, content in _made[key].files.items():
            Path(args[place]).write_bytes(content)
        return _made[key].report
    targets = [place for place, arg in enumerate(args) if _meaning(arg) == "a target"]
    report = _run_for_real(module, args, limits, reads=reads, folder=folder, lock=lock, stop=stop)
    _made[key] = _Made(
        report, {place: Path(args[place]).read_bytes() for place in targets if Path(args[place]).is_file()}
    )
    return report


def _meaning(arg: str) -> object:
    """What an argument says: an option itself, a file what is in it."""
    name, equals, value = arg.rpartition("=")
    path = Path(value)
    if not path.is_absolute():
        return arg
    if path.is_file() and path.stat().st_size:
        return name, hashlib.sha256(path.read_bytes()).digest()
    return arg if equals else "a target"

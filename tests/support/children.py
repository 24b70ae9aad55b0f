"""Remembers what a child made, for the next time it is asked the same.

Most tests of jobs send the same small pictures and the same small model through the engine, the optimizer
and the poster, each a process that takes seconds. A call with the same module, options, limits and files gets
the earlier report and copies of the files that were made then, also by the run's other workers. Children that
refuse or break off are run again.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acr3d import sandbox

PURE = {
    "acr3d.carving",
    "acr3d.optimize",
    "acr3d.outlines.extraction",
    "acr3d.photo_checks.inspection",
    "acr3d.photos",
    "acr3d.render",
    "acr3d.silhouettes",
}
"""Modules whose result depends on their arguments and on the files these name, and on nothing else."""

_run_for_real = sandbox.run
_home: Path | None = None


def remember_in(folder: Path) -> None:
    """Keep what children made in `folder`, which the run's workers share."""
    global _home
    folder.mkdir(exist_ok=True)
    _home = folder


@dataclass(frozen=True)
class _Made:
    """A report, the progress before it, and files: by the argument that names the file, or its folder and the
    name in it.
    """

    report: dict[str, Any]
    progress: list[int]
    files: dict[tuple[int, str], bytes]


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
    reads, progress = list(reads), list[int]()

    def note(percent: int) -> None:
        progress.append(percent)
        if on_progress:
            on_progress(percent)

    def ask() -> dict[str, Any]:
        return _run_for_real(
            module,
            args,
            limits,
            reads=reads,
            folder=folder,
            lock=lock,
            stop=stop,
            on_progress=note if on_progress else None,
            **more,
        )

    if _home is None or module not in PURE or more or (stop and stop.is_set()):
        return ask()
    words = list(_words(args))
    meanings = [_meaning(word) for word in words]
    may_read = [_meaning(str(path)) for path in reads]
    question = repr((module, limits, meanings, may_read, folder is None, on_progress is None))
    memory = _home / hashlib.sha256(question.encode()).hexdigest()
    if memory.is_file():
        made: _Made = pickle.loads(memory.read_bytes())
        for (place, name), content in made.files.items():
            (_path(words[place]) / name).write_bytes(content)
        for percent in made.progress if on_progress else ():
            on_progress(percent)
        return made.report
    before = {at for at in _files(words, meanings) if at[1]}
    report = ask()
    files = {at: path.read_bytes() for at, path in _files(words, meanings).items() if at not in before}
    fresh = memory.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    fresh.write_bytes(pickle.dumps(_Made(report, progress, files)))
    fresh.replace(memory)
    return report


_TARGET = "a target"


def _files(words: list[str], meanings: list[tuple[str, ...]]) -> dict[tuple[int, str], Path]:
    """The files that the targets among these words name, or hold."""
    found = {}
    for place, path in enumerate(map(_path, words)):
        if meanings[place][0] != _TARGET:
            continue
        if path.is_dir():
            found |= {(place, file.name): file for file in path.iterdir() if file.is_file()}
        elif path.is_file():
            found[place, ""] = path
    return found


def _words(told: object) -> Iterator[str]:
    """The arguments, and what the JSON files among them say."""
    if isinstance(told, dict):
        for name, value in sorted(told.items()):
            yield name
            yield from _words(value)
    elif isinstance(told, list):
        for value in told:
            yield from _words(value)
    elif isinstance(told, str) and told.endswith(".json") and Path(told).is_file():
        yield from _words(json.loads(Path(told).read_bytes()))
    else:
        yield str(told)


def _meaning(word: str) -> tuple[str, ...]:
    """What a word says: an option itself, a file what is in it, a target what is in it already."""
    name, equals, _value = word.rpartition("=")
    path = _path(word)
    if not path.is_absolute():
        return "a word", word
    if path.is_dir():
        return _TARGET, *sorted(_digest(file) for file in path.iterdir() if file.is_file())
    if path.is_file() and path.stat().st_size:
        return name, _digest(path)
    return ("a word", word) if equals else (_TARGET,)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _path(word: str) -> Path:
    return Path(word.rpartition("=")[2])

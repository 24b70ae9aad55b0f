"""Blobs by key. Keys are made from our own ids and hashes only; a stored blob never changes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from flask import current_app

_KEY = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*\.(jpg|glb|webp)")
_TEMPORARY = ".incoming"
_STRANGERS_KEPT = 24 * 3600


class StorageError(Exception):
    """A blob could not be kept or found. `str()` is a sentence for a person."""


class LocalStorage:
    """Blobs in a folder: written to a temporary name, synced, renamed; so a key is whole or absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / _TEMPORARY
        self.incoming.mkdir(parents=True, exist_ok=True)

    def temporary(self) -> Path:
        """A fresh name beside the blobs, for a file to be given to `put`."""
        return self.incoming / f"{_writer(os.getpid())}-{secrets.token_hex(8)}"

    def put(self, key: str, data: bytes | Path) -> None:
        """Keep `data` under `key`; a file is moved. The same key twice keeps the newer, equal bytes."""
        target = self._path(key)
        source = data if isinstance(data, Path) else self._written(data)
        try:
            sync(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            for folder in self._chain(target.parent):
                sync(folder)
        except OSError as error:
            source.unlink(missing_ok=True)
            raise StorageError(f"The file could not be stored ({error.strerror}).") from error

    def open(self, key: str) -> BinaryIO:
        """Raises StorageError when there is no such blob."""
        try:
            return self._path(key).open("rb")
        except OSError as error:
            raise StorageError("The stored file is missing.") from error

    def path(self, key: str) -> Path:
        """Where the blob lies as a file, for sending it and for children to read."""
        return self._path(key)

    def delete(self, key: str) -> None:
        """Forget the blob; nothing happens when it is absent."""
        self._path(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """Every blob's key."""
        for path in self.folder.rglob("*"):
            if path.is_file() and self.incoming not in path.parents:
                yield path.relative_to(self.folder).as_posix()

    def discard_leftovers(self) -> None:
        """Remove temporary files of processes that are gone: at once those that ran beside us; those of other
        hosts and containers, whose processes we cannot see, when nothing was written to them for a day."""
        oldest = time.time() - _STRANGERS_KEPT
        for path in self.incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if _is_leftover(path, oldest):
                    path.unlink()

    def _chain(self, folder: Path) -> list[Path]:
        """`folder` and those above it up to ours: a new part's folders must survive a power cut as well."""
        return [folder, *(above for above in folder.parents if above.is_relative_to(self.folder))]

    def _written(self, data: bytes) -> Path:
        path = self.temporary()
        try:
            path.write_bytes(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StorageError(f"The file could not be stored ({error.strerror}).") from error
        return path

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise StorageError("The stored file is missing.")
        return self.folder / key


def _is_leftover(path: Path, oldest: float) -> bool:
    writer = path.name.rpartition("-")[0]
    neighbourhood, _, process = writer.partition("-")
    if neighbourhood != _neighbourhood():
        return path.stat().st_mtime < oldest
    pid = process.partition("-")[0]
    return not pid.isdigit() or _writer(int(pid)) != writer


def _writer(pid: int) -> str:
    """Names one process of this host and container for good: a pid alone is soon another's."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *facts = stat.rpartition(")")[2].split()
    if state in "ZX":  # dead; a container's first process may never ask how it ended
        return ""
    started = facts[18]  # field 22 of proc(5): clock ticks since the boot
    return f"{_neighbourhood()}-{pid}-{started}"


@functools.cache
def _neighbourhood() -> str:
    """Names all processes that can see each other: those of one boot and one pid namespace."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    namespace = Path("/proc/self/ns/pid").readlink()
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:12]


def sync(path: Path) -> None:
    """Let the file, or the folder with the names in it, be on the disk before anything else happens."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def storage() -> LocalStorage:
    """The storage of the running app."""
    kept: LocalStorage = current_app.extensions["acr3d_storage"]
    return kept

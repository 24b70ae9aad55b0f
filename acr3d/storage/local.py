"""Blobs in a local folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from acr3d.messages.message import Message
from acr3d.storage.blobs import BlobStat, StorageError, is_key
from acr3d.storage.process_names import is_running, is_visible_from_here, name_of_process

_INCOMING = ".incoming"
_OTHER_HOSTS_LEFTOVERS_SECONDS = 24 * 3600


class LocalStorage:
    """A `Storage` in a folder: a blob is written under a temporary name, fsynced, then renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / _INCOMING
        self.incoming.mkdir(parents=True, exist_ok=True)

    @property
    def location(self) -> str:
        return str(self.folder)

    def put(self, key: str, data: bytes | Path) -> None:
        target = self.path(key)
        self._place({target: data if isinstance(data, Path) else self._write_temporary(data)})

    def put_all(self, blobs: Mapping[str, bytes]) -> None:
        targets = {self.path(key): data for key, data in blobs.items()}
        sources: dict[Path, Path] = {}
        try:
            for target, data in targets.items():
                sources[target] = self._write_temporary(data)
        except StorageError:
            _unlink(sources.values())
            raise
        self._place(sources)

    def open(self, key: str) -> BinaryIO:
        try:
            return self.path(key).open("rb")
        except OSError as error:
            raise StorageError(Message("storage.missing")) from error

    def path(self, key: str) -> Path:
        if not is_key(key):
            raise StorageError(Message("storage.missing"))
        return self.folder / key

    def stat(self, key: str) -> BlobStat | None:
        try:
            facts = self.path(key).stat()
        except FileNotFoundError:
            return None
        return BlobStat(facts.st_size, facts.st_mtime)

    def signed_address(self, key: str, lifetime: timedelta) -> None:
        return None

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        for path in self.folder.rglob("*"):
            if path.is_file() and self.incoming not in path.parents:
                yield path.relative_to(self.folder).as_posix()

    def temporary(self) -> Path:
        return self.incoming / f"{name_of_process(os.getpid())}-{secrets.token_hex(8)}"

    def discard_leftovers(self) -> None:
        """Remove the temporary files and folders of processes that have ended.

        A process of another host or container cannot be seen from here: its files go when nothing was
        written to them for a day.
        """
        oldest = time.time() - _OTHER_HOSTS_LEFTOVERS_SECONDS
        for path in self.incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if _is_leftover(path, oldest):
                    _remove(path)

    def _place(self, sources: Mapping[Path, Path]) -> None:
        """Move files to their targets, durably; all of them are gone from where they were."""
        try:
            for target, source in sources.items():
                fsync_path(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
            for folder in dict.fromkeys(
                folder for target in sources for folder in self._folders_up_to_root(target.parent)
            ):
                fsync_path(folder)
        except OSError as error:
            _unlink(sources.values())
            raise StorageError(Message("storage.not_stored", why=str(error.strerror))) from error

    def _folders_up_to_root(self, folder: Path) -> list[Path]:
        """A new part's folders must survive a power cut too, so each of them is fsynced."""
        return [folder, *(above for above in folder.parents if above.is_relative_to(self.folder))]

    def _write_temporary(self, data: bytes) -> Path:
        path = self.temporary()
        try:
            path.write_bytes(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StorageError(Message("storage.not_stored", why=str(error.strerror))) from error
        return path


def fsync_path(path: Path) -> None:
    """Force a file's content, or a folder's list of names, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _is_leftover(path: Path, oldest: float) -> bool:
    writer = path.name.rpartition("-")[0]
    if not is_visible_from_here(writer):
        return path.stat().st_mtime < oldest
    return not is_running(writer)

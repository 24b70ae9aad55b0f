"""Copying all blobs from one storage to another, while the app may be running."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from acr3d.messages.message import Message
from acr3d.storage.blobs import Storage, StorageError, is_key

_CHUNK = 1 << 20


@dataclass
class Moved:
    """How many blobs were copied, their bytes, how many were there already, how many files are not ours."""

    copied: int = 0
    size: int = 0
    present: int = 0
    foreign: int = 0


def copy_all(source: Storage, target: Storage, on_blob: Callable[[Moved], None]) -> Moved:
    """Copy what `target` lacks, again and again until nothing is missing.

    A blob never changes, so one that is there in its full size was copied before. Each copy is read back and
    compared. Raises StorageError; what was copied stays, and the next call goes on from there.
    """
    moved = Moved()
    while _copy_missing(source, target, moved, on_blob):
        moved.present = moved.foreign = 0
    return moved


def _copy_missing(source: Storage, target: Storage, moved: Moved, on_blob: Callable[[Moved], None]) -> bool:
    """Copy once what is missing; whether anything was."""
    before = moved.copied
    for key in source.keys():  # noqa: SIM118 - no dictionary
        if not is_key(key):
            moved.foreign += 1
            continue
        wanted = source.stat(key)
        if wanted is None:  # deleted since
            continue
        present = target.stat(key)
        if present is not None and present.size == wanted.size:
            moved.present += 1
        else:
            _copy(source, target, key)
            moved.copied += 1
            moved.size += wanted.size
        on_blob(moved)
    return moved.copied > before


def _copy(source: Storage, target: Storage, key: str) -> None:
    fresh = target.temporary()
    sent, kept = hashlib.sha256(), hashlib.sha256()
    try:
        with source.open(key) as blob, fresh.open("wb") as file:
            for piece in _pieces(blob):
                sent.update(piece)
                file.write(piece)
        target.put(key, fresh)
    except OSError as error:
        raise StorageError(Message("storage.not_stored", why=str(error.strerror))) from error
    finally:
        fresh.unlink(missing_ok=True)
    with target.open(key) as blob:
        for piece in _pieces(blob):
            kept.update(piece)
    if kept.digest() != sent.digest():
        target.delete(key)
        raise StorageError(Message("storage.not_stored", why="it came back changed"))


def _pieces(blob: BinaryIO) -> Iterator[bytes]:
    while piece := blob.read(_CHUNK):
        yield piece

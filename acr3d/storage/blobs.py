"""The interface of a storage. Keys are made from our own ids and hashes only; a stored blob never changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from flask import current_app

from acr3d.messages.message import MessageError


class StorageError(MessageError):
    """A blob could not be stored or read."""


@dataclass(frozen=True)
class BlobStat:
    """A stored blob's size, and when it was stored (seconds since the epoch)."""

    size: int
    stored_at: float


class Storage(Protocol):
    """Blobs by key. Every method raises StorageError for a key that we would never make."""

    @property
    def location(self) -> str:
        """Where the blobs are, for messages to the operator."""

    def put(self, key: str, data: bytes | Path) -> None:
        """Store `data` under `key`, durably and whole or not at all; a file is moved, not copied.

        Putting the same key twice is harmless: its bytes are the same. Raises StorageError.
        """

    def open(self, key: str) -> BinaryIO:
        """The blob's content. Raises StorageError when there is no such blob."""

    def path(self, key: str) -> Path:
        """A local file with the blob's content, for sending it and for child processes to read."""

    def stat(self, key: str) -> BlobStat | None:
        """None when there is no such blob."""

    def delete(self, key: str) -> None:
        """Remove the blob, if it is there."""

    def keys(self) -> Iterator[str]:
        """Every blob's key."""

    def temporary(self) -> Path:
        """An unused path for a file that will be given to `put`, or for a folder of such files."""

    def discard_leftovers(self) -> None:
        """Remove the temporary files of processes that have ended."""


def storage() -> Storage:
    """The storage of the running app."""
    configured: Storage = current_app.extensions["acr3d_storage"]
    return configured

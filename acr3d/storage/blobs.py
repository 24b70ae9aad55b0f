"""The interface of a storage. Keys are made from our own ids and hashes only; a stored blob never changes."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from flask import current_app

from acr3d.messages.message import MessageError

log = logging.getLogger("acr3d.storage")

_KEY = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*\.(jpg|glb|png|webp|usdz|stl|bin)")


def is_key(name: str) -> bool:
    """Whether acr3d could have stored a blob under this name."""
    return _KEY.fullmatch(name) is not None


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

    def put_all(self, blobs: Mapping[str, bytes]) -> None:
        """As `put` for each key, for less; when one fails, some of the others may be stored."""

    def open(self, key: str) -> BinaryIO:
        """The blob's content, to be read once. Raises StorageError when there is no such blob."""

    def path(self, key: str) -> Path:
        """A local file with the blob's content, for sending it and for child processes to read.

        There is no such file when there is no such blob.
        """

    def stat(self, key: str) -> BlobStat | None:
        """None when there is no such blob."""

    def signed_address(self, key: str, lifetime: timedelta) -> str | None:
        """Where anybody may GET the blob for so long; None if only we can read it.

        Raises StorageError.
        """

    def delete(self, key: str) -> None:
        """Remove the blob, if it is there."""

    def keys(self) -> Iterator[str]:
        """Every blob's key, and the names of other files in the same place, see `is_key`."""

    def temporary(self) -> Path:
        """An unused path for a file that will be given to `put`, or for a folder of such files."""

    def discard_leftovers(self) -> None:
        """Remove the temporary files of processes that have ended."""


def storage() -> Storage:
    """The storage of the running app."""
    configured: Storage = current_app.extensions["acr3d_storage"]
    return configured


def discard(keys: Iterable[str]) -> None:
    """Remove blobs that no row refers to. What cannot be removed now is left to `flask sweep`."""
    for key in keys:
        try:
            storage().delete(key)
        except StorageError as error:
            log.warning("storage.not_discarded key=%s why=%s", key, error)

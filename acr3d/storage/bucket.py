"""Blobs in an S3-compatible bucket (obstore), and local copies of those that are read.

Access keys, region and endpoint come from the usual `AWS_*` variables. A put sends the SHA-256 of its bytes
(of each part, for a large file), which the bucket checks before it keeps them. Type and cache time are kept
with each blob, since browsers may get it from the bucket or from a CDN in front of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from obstore import sign
from obstore.exceptions import BaseError
from obstore.store import S3Store

from acr3d.messages.message import Message
from acr3d.storage.blobs import BlobStat, StorageError
from acr3d.storage.index import MEDIA_TYPES
from acr3d.storage.local import LocalStorage

if TYPE_CHECKING:
    from obstore import Attributes

_CHUNK = 1 << 20
_RETRIES, _RETRY_SECONDS = 5, 30
_CACHE_CONTROL = "public, max-age=31536000, immutable"
_KEPT_SECONDS = 3600  # a child may have been given the copy's path a while ago
_ROOM_LEFT_BY_CLEANING = 0.8


class BucketStorage:
    """A `Storage` in the bucket and under the prefix of `address` (`s3://bucket/prefix`).

    `path` copies a blob to `folder`, because child processes and HTTP ranges need files. When the copies
    take more than `room` bytes, the least recently used are removed. `open` keeps no copy: a backup reads
    everything.
    """

    def __init__(self, address: str, folder: Path, room: int) -> None:
        self.location = address
        self.copies = LocalStorage(folder)
        self._room = room
        self._copied = 0  # bytes since the copies were last looked over
        self._bucket = open_bucket(address)

    def put(self, key: str, data: bytes | Path) -> None:
        try:
            self.copies.path(key)  # refuses what is no key
            with _failing_as(_not_stored):
                self._bucket.put(key, data, attributes=_headers(key))
        finally:
            if isinstance(data, Path):
                data.unlink(missing_ok=True)

    def put_all(self, blobs: Mapping[str, bytes]) -> None:
        for key, data in blobs.items():
            self.put(key, data)

    def open(self, key: str) -> BinaryIO:
        with suppress(FileNotFoundError):
            return self.copies.path(key).open("rb")
        fresh = self._fetched(key)
        if fresh is None:
            raise StorageError(Message("storage.missing"))
        try:
            return fresh.open("rb")
        finally:
            fresh.unlink()

    def path(self, key: str) -> Path:
        copy = self.copies.path(key)
        try:
            if copy.stat().st_mtime < time.time() - _KEPT_SECONDS / 2:
                os.utime(copy)
        except FileNotFoundError:
            self._copy(key)
        return copy

    def stat(self, key: str) -> BlobStat | None:
        self.copies.path(key)
        with _failing_as(_not_read):
            try:
                found = self._bucket.head(key)
            except FileNotFoundError:
                return None
        return BlobStat(found["size"], found["last_modified"].timestamp())

    def signed_address(self, key: str, lifetime: timedelta) -> str:
        self.copies.path(key)
        with _failing_as(_not_read):
            return sign(self._bucket, "GET", key, lifetime)

    def delete(self, key: str) -> None:
        copy = self.copies.path(key)
        with _failing_as(_not_deleted):
            self._bucket.delete(key)
        copy.unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        with _failing_as(_not_read):
            for page in self._bucket.list():
                yield from (found["path"] for found in page)

    def temporary(self) -> Path:
        return self.copies.temporary()

    def discard_leftovers(self) -> None:
        self.copies.discard_leftovers()
        self._make_room()

    def _copy(self, key: str) -> None:
        """Copy the blob if there is one. A copy is whole or absent."""
        fresh = self._fetched(key)
        if fresh is None:
            return
        self._copied += fresh.stat().st_size
        self.copies.put(key, fresh)
        if self._copied > self._room * (1 - _ROOM_LEFT_BY_CLEANING):
            self._make_room()

    def _fetched(self, key: str) -> Path | None:
        """A temporary file with the whole blob, which the caller removes; None if there is no such blob."""
        fresh = self.copies.temporary()
        try:
            with _failing_as(_not_read):
                try:
                    found = self._bucket.get(key)
                except FileNotFoundError:
                    return None
                with fresh.open("wb") as file:
                    for chunk in found.stream(min_chunk_size=_CHUNK):
                        file.write(chunk)
                if fresh.stat().st_size != found.meta["size"]:
                    raise OSError("it ended early")
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        return fresh

    def _make_room(self) -> None:
        self._copied = 0
        copies = {key: stat for key in self.copies.keys() if (stat := self.copies.stat(key))}  # noqa: SIM118
        total = sum(stat.size for stat in copies.values())
        if total <= self._room:
            return
        unused_since = time.time() - _KEPT_SECONDS
        for key, stat in sorted(copies.items(), key=lambda copy: copy[1].stored_at):
            if total <= self._room * _ROOM_LEFT_BY_CLEANING or stat.stored_at > unused_since:
                return
            now = self.copies.stat(key)
            if now is None or now.stored_at > unused_since:
                continue
            self.copies.delete(key)
            total -= stat.size


def _headers(key: str) -> Attributes:
    """What the bucket says of the blob to whoever gets it there."""
    media_type = MEDIA_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")
    return {"Content-Type": media_type, "Cache-Control": _CACHE_CONTROL}


def open_bucket(address: str) -> S3Store:
    """The bucket of `s3://bucket/prefix`, with patience and checksums."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    return S3Store.from_url(
        address,
        checksum_algorithm="SHA256",
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": "5s",
            "read_timeout": "30s",
            "timeout": "1h",  # of a whole file
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
    )


@contextmanager
def _failing_as(message: Callable[[str], Message]) -> Iterator[None]:
    """What the bucket or the disk refuses, as a StorageError with this message."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise StorageError(message(str(error).partition("\n")[0])) from error


def _not_stored(why: str) -> Message:
    return Message("storage.not_stored", why=why)


def _not_read(why: str) -> Message:
    return Message("storage.not_read", why=why)


def _not_deleted(why: str) -> Message:
    return Message("storage.not_deleted", why=why)

"""Stored files as a ZIP file that is made while it is sent: nothing is copied, and little is in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from acr3d.storage.blobs import StorageError, storage

_CHUNK_BYTES = 1 << 18
_NO_TIME = (1980, 1, 1, 0, 0, 0)

File = tuple[str, str]
"""The name in the ZIP file, and the storage key."""


def zipped_files(files: Iterable[File]) -> Iterator[bytes]:
    """The ZIP file, some bytes at a time; the same files give the same bytes.

    A file that storage does not give is named in `missing.txt`.
    """
    sink, missing = _Sink(), list[str]()
    with zipfile.ZipFile(cast(BinaryIO, sink), "w", zipfile.ZIP_STORED) as archive:
        for name, key in files:
            try:
                content = storage().open(key)
            except StorageError:
                missing.append(name)
                continue
            with content, archive.open(_entry(name), "w", force_zip64=True) as packed:
                while chunk := content.read(_CHUNK_BYTES):
                    packed.write(chunk)
                    yield sink.taken()
        if missing:
            archive.writestr(_entry("missing.txt"), "\n".join(missing) + "\n")
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What the ZIP file is written to; it cannot seek, so that sizes follow each file."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self._waiting += memoryview(data)  # type: ignore[arg-type]
        return len(memoryview(data))  # type: ignore[arg-type]

    def taken(self) -> bytes:
        written = bytes(self._waiting)
        self._waiting.clear()
        return written


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, _NO_TIME)

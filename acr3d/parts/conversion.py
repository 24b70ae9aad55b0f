"""An uploaded file becomes a clean photo in a child process, in its turn.

A decoder may take any time for a small file, and may crash; so it gets a process of its own, with limits.
Two run at once at most, because each may need hundreds of megabytes. Plain JPEGs, which take time by their
size only, have a queue of their own: whatever else is being decoded, they do not wait for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from acr3d import sandbox
from acr3d.messages.message import Message
from acr3d.photos.jpeg_layout import is_plain_jpeg
from acr3d.photos.limits import PhotoRefused, check_file
from acr3d.photos.photo import Photo
from acr3d.storage.temporary import temporary_folder

LIMITS = sandbox.Limits(seconds=60, memory_mb=400, file_mb=32)
CPU_SECONDS = 20
"""The slowest file that is within the limits takes a tenth of it (docs/decisions/0016-photos-memory.md)."""
LONGEST_WAIT_SECONDS = 60
_HEADER_BYTES = 1 << 20

_plain_jpegs = threading.Semaphore(1)
_all_others = threading.Semaphore(1)


class Busy(PhotoRefused):
    """Too many photos are waiting to be converted; this one may be tried again."""


def converted(stream: BinaryIO) -> Photo:
    """Check and convert one upload. `stream` must be seekable; it is read from its beginning and left open.

    Waits while another picture is being decoded. Raises PhotoRefused, Busy, or OSError when the disk is full.
    """
    check_file(stream)
    with _turn(stream), temporary_folder() as folder:
        upload = folder / "upload"
        with upload.open("wb") as file:
            shutil.copyfileobj(stream, file)
        return _photo(_report(upload, folder), folder)


@contextmanager
def _turn(stream: BinaryIO) -> Iterator[None]:
    queue = _plain_jpegs if is_plain_jpeg(stream.read(_HEADER_BYTES)) else _all_others
    stream.seek(0)
    if not queue.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise Busy("photo.busy")
    try:
        yield
    finally:
        queue.release()


def _report(upload: Path, folder: Path) -> dict[str, Any]:
    try:
        report = sandbox.run(
            "acr3d.photos",
            [str(upload), str(folder), str(CPU_SECONDS)],
            LIMITS,
            reads=[],
            folder=folder,
            lock=None,
        )
    except sandbox.ChildCrashed as crash:
        is_failure = crash.message.code == "child.broke_off"
        raise PhotoRefused("photo.decoder_failed" if is_failure else "photo.too_costly") from crash
    if refused := report.get("refused"):
        message = Message.stored(refused["code"], refused["params"], refused["text"])
        raise PhotoRefused(message.code, **message.params)
    if error_number := report.get("not_written"):
        raise OSError(error_number, os.strerror(error_number))
    return report


def _photo(report: dict[str, Any], folder: Path) -> Photo:
    jpeg = (folder / "photo.jpg").read_bytes()
    return Photo(
        jpeg=jpeg,
        width_px=int(report["width_px"]),
        height_px=int(report["height_px"]),
        sha256=hashlib.sha256(jpeg).hexdigest(),
        thumbnail=(folder / "thumbnail.jpg").read_bytes(),
    )

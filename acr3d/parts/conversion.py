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
from acr3d.photos.jpeg_layout import is_plain_jpeg
from acr3d.photos.limits import PhotoRefused, check_file
from acr3d.photos.photo import Photo
from acr3d.photos.webp_files import read
from acr3d.storage.temporary import temporary_folder

LIMITS = sandbox.Limits(seconds=60, memory_mb=400, file_mb=32)
CPU_SECONDS = 20
"""The slowest file that is within the limits takes a tenth of it (docs/decisions/0016-photos-memory.md)."""
LONGEST_WAIT_SECONDS = 60
LONGEST_QUEUE = 8  # the server's other threads are for other pages
_HEADER_BYTES = 1 << 20


class Busy(PhotoRefused):
    """Too many photos are waiting to be converted; this one may be tried again."""


class _Queue:
    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(LONGEST_QUEUE)
        self._turn = threading.BoundedSemaphore(1)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait, and then hold up the others during the block. Raises Busy."""
        if not self._places.acquire(blocking=False):
            raise Busy("photo.busy")
        try:
            if not self._turn.acquire(timeout=LONGEST_WAIT_SECONDS):
                raise Busy("photo.busy")
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()


_plain_jpegs, _all_others = _Queue(), _Queue()


def converted(stream: BinaryIO) -> Photo:
    """Check and convert one upload. `stream` must be seekable; it is read from its beginning and left open.

    Waits while another picture is being decoded. Raises PhotoRefused, Busy, or OSError when the disk is full.
    """
    check_file(stream)
    with _queue_for(stream).turn(), temporary_folder() as folder:
        upload = folder / "upload"
        with upload.open("wb") as file:
            shutil.copyfileobj(stream, file)
        return _photo(_report(upload, folder), folder)


def _queue_for(stream: BinaryIO) -> _Queue:
    head = stream.read(_HEADER_BYTES)
    stream.seek(0)
    return _plain_jpegs if is_plain_jpeg(head) else _all_others


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
    except sandbox.ChildRefused as refusal:
        raise PhotoRefused(refusal.message.code, **refusal.message.params) from refusal
    except sandbox.ChildCrashed as crash:
        is_failure = crash.message.code == "child.broke_off"
        raise PhotoRefused("photo.decoder_failed" if is_failure else "photo.too_costly") from crash
    if error_number := report.get("not_written"):
        raise OSError(error_number, os.strerror(error_number))
    return report


def _photo(report: dict[str, Any], folder: Path) -> Photo:
    jpeg, outline = (folder / "photo.jpg").read_bytes(), folder / "outline.png"
    return Photo(
        jpeg=jpeg,
        width_px=int(report["width_px"]),
        height_px=int(report["height_px"]),
        sha256=hashlib.sha256(jpeg).hexdigest(),
        thumbnail=(folder / "thumbnail.jpg").read_bytes(),
        look=bytes.fromhex(str(report["look"])).hex(),
        webp=read([int(width) for width in report["webp"]], folder),
        outline=outline.read_bytes() if outline.exists() else None,
    )

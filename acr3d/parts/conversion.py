"""Uploaded files become clean photos in a child process, in their turn.

A decoder may take any time for a small file, and may crash; so it gets a process of its own, with limits.
Few run at once, because each may need hundreds of megabytes. Plain JPEGs, which take time by their size only,
have a queue of their own: whatever else is being decoded, they do not wait for it. Several of them share a
child, whose start costs as much as half a photo, within the limits of one; if that child fails, each gets its
own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from acr3d import sandbox
from acr3d.messages import refusal as refusals
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
AT_ONCE = 6  # photos in one child: those of a part
_HEADER_BYTES = 1 << 20


class Busy(PhotoRefused):
    """Too many photos are waiting to be converted; this one may be tried again."""


class _Queue:
    def __init__(self, turns: int) -> None:
        """`turns`: how many children run at once."""
        self._places = threading.BoundedSemaphore(LONGEST_QUEUE)
        self._turn = threading.BoundedSemaphore(turns)

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


# A plain JPEG takes 140 MB at most, so each processor has one; one of the others may take twice as much.
PLAIN_TURNS = sandbox.default_threads()
_plain_jpegs, _all_others = _Queue(PLAIN_TURNS), _Queue(1)


def converted(stream: BinaryIO) -> Photo:
    """Check and convert one upload. `stream` must be seekable; it is read from its beginning and left open.

    Waits while other pictures are being decoded. Raises PhotoRefused, Busy, or OSError when the disk is full.
    """
    return taken(converted_all([stream])[0])


def converted_all(
    streams: Sequence[BinaryIO], stop: threading.Event | None = None
) -> list[Photo | PhotoRefused]:
    """As `converted`, for several uploads in their order: each a photo, or why it is refused.

    Raises Busy, OSError, and sandbox.ChildStopped when `stop` is set.
    """
    found: dict[int, Photo | PhotoRefused] = {}
    plain: list[int] = []
    others: list[int] = []
    for place, stream in enumerate(streams):
        try:
            check_file(stream)
        except PhotoRefused as refusal:
            found[place] = refusal
            continue
        (plain if _is_plain(stream) else others).append(place)
    together = [plain[start : start + AT_ONCE] for start in range(0, len(plain), AT_ONCE)]
    for queue, groups in ((_plain_jpegs, together), (_all_others, [[one] for one in others])):
        for places in groups:
            outcomes = _in_turn(queue, [streams[place] for place in places], stop)
            found.update(zip(places, outcomes, strict=True))
    return [found[place] for place in range(len(streams))]


def taken(outcome: Photo | PhotoRefused) -> Photo:
    """The photo. Raises PhotoRefused."""
    if isinstance(outcome, PhotoRefused):
        raise outcome
    return outcome


def _is_plain(stream: BinaryIO) -> bool:
    head = stream.read(_HEADER_BYTES)
    stream.seek(0)
    return is_plain_jpeg(head)


def _in_turn(
    queue: _Queue, streams: Sequence[BinaryIO], stop: threading.Event | None
) -> list[Photo | PhotoRefused]:
    with temporary_folder() as folder:
        folders = [folder / str(number) for number in range(len(streams))]
        for one, stream in zip(folders, streams, strict=True):
            one.mkdir()
            with (one / "upload").open("wb") as file:
                shutil.copyfileobj(stream, file)
        with queue.turn():
            return _in_child(folder, folders, stop)


def _in_child(
    folder: Path, folders: Sequence[Path], stop: threading.Event | None
) -> list[Photo | PhotoRefused]:
    try:
        report = sandbox.run(
            "acr3d.photos",
            [str(CPU_SECONDS), *map(str, folders)],
            LIMITS,
            reads=[],
            folder=folder,
            lock=None,
            stop=stop,
        )
    except sandbox.ChildCrashed as crash:
        if len(folders) > 1:
            return [outcome for one in folders for outcome in _in_child(folder, [one], stop)]
        is_failure = crash.message.code == "child.broke_off"
        return [PhotoRefused("photo.decoder_failed" if is_failure else "photo.too_costly")]
    return [_outcome(one, facts) for one, facts in zip(folders, report["photos"], strict=True)]


def _outcome(folder: Path, facts: dict[str, Any]) -> Photo | PhotoRefused:
    if "refused" in facts:
        message = refusals.read(facts["refused"])
        return PhotoRefused(message.code, **message.params)
    if error_number := facts.get("not_written"):
        raise OSError(error_number, os.strerror(error_number))
    jpeg, outline = (folder / "photo.jpg").read_bytes(), folder / "outline.png"
    return Photo(
        jpeg=jpeg,
        width_px=int(facts["width_px"]),
        height_px=int(facts["height_px"]),
        sha256=hashlib.sha256(jpeg).hexdigest(),
        thumbnail=(folder / "thumbnail.jpg").read_bytes(),
        look=bytes.fromhex(str(facts["look"])).hex(),
        webp=read([int(width) for width in facts["webp"]], folder),
        outline=outline.read_bytes() if outline.exists() else None,
    )

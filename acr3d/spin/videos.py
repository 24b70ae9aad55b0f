"""Frames of a video: one pass through the file, the sharpest frame of each short stretch of time.

The file is from outside. Only known containers and codecs are opened; what is broken is skipped, so that a
video that was cut off still gives what it holds.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.spin.errors import SpinError
from acr3d.spin.picture import LONGEST_SIDE, Picture

MOST_STRETCHES = 150
MOST_SECONDS = 180
MOST_PIXELS = 9_500_000
"""Of a frame: 4K, also as cinemas have it."""
MOST_DECODED = 25_000_000_000
"""Pixels of all frames together: 50 seconds of 4K at 60 frames a second."""

_CONTAINERS = {b"ftyp": "mp4", b"moov": "mp4", b"mdat": "mp4", b"wide": "mp4", b"free": "mp4", b"skip": "mp4"}
_EBML = b"\x1a\x45\xdf\xa3"
_CODECS = {"h264", "hevc", "vp8", "vp9", "av1", "libdav1d"}
_MOST_PACKETS = 50_000  # three minutes at 240 frames a second; a file of crumbs has more
_MEASURED_SIDE = 960
_MANY = 3  # frames in a stretch, from which on those that no other needs are skipped
_SHORTER = 0.9  # of what the file says of its length: it was cut off


@dataclass
class Video:
    """A video that was looked at: what its packets say. `declared`: seconds as the file's head says, or 0."""

    path: Path
    name: str
    packets: int
    begin: float
    seconds: float
    declared: float
    frames_decoded: int = 0

    @property
    def is_cut_off(self) -> bool:
        """Whether the file holds less than it says."""
        return self.seconds < _SHORTER * self.declared


def look(path: Path, name: str) -> Video:
    """Read the video's packets without decoding them. Raises SpinError."""
    with _opened(path, name) as (container, stream):
        context = stream.codec_context
        if context.width * context.height > MOST_PIXELS:
            raise SpinError("spin.video_too_large", name=name, width=context.width, height=context.height)
        declared = float(stream.duration * stream.time_base) if stream.duration else 0.0
        times = [
            (float(packet.pts * packet.time_base), float((packet.duration or 0) * packet.time_base))
            for packet in islice(_packets(container, stream), _MOST_PACKETS)
            if packet.pts is not None and packet.size
        ]
        pixels = context.width * context.height
    if not times:
        raise SpinError("spin.video_broken", name=name)
    begin, end = min(time for time, _ in times), max(time + length for time, length in times)
    video = Video(path, name, len(times), begin, end - begin, declared)
    _check_length(video, pixels)
    return video


def pictures(video: Video) -> Iterator[Picture]:
    """The sharpest frame of each stretch, upright. Counts what it decodes in `video`. Raises SpinError."""
    length = max(video.seconds / MOST_STRETCHES, 1e-3)
    is_choice = video.packets > MOST_STRETCHES
    best, best_sharpness, stretch = None, -1.0, -1
    for time, frame in _frames(video):
        number = min(int((time - video.begin) / length), MOST_STRETCHES - 1)
        if number > stretch and best is not None:  # the times of a broken file may go back
            yield _picture(*best)
            best, best_sharpness = None, -1.0
        stretch = max(stretch, number)
        sharpness = _sharpness(frame) if is_choice else 0.0
        if sharpness > best_sharpness:
            best, best_sharpness = (time, frame), sharpness
    if best is not None:
        yield _picture(*best)


def _check_length(video: Video, pixels: int) -> None:
    rate = video.packets / max(video.seconds, 1e-3)
    most = min(MOST_SECONDS, MOST_DECODED / max(pixels * rate, 1))
    if video.seconds > most:
        raise SpinError(
            "spin.video_too_long", name=video.name, seconds=math.ceil(video.seconds), most=math.floor(most)
        )


def _frames(video: Video) -> Iterator[tuple[float, Any]]:
    with _opened(video.path, video.name) as (container, stream):
        stream.codec_context.thread_type = "AUTO"
        stream.codec_context.thread_count = int(os.environ.get("ACR3D_THREADS", "1"))
        if video.packets > _MANY * MOST_STRETCHES:
            stream.codec_context.skip_frame = "NONREF"
        time = video.begin
        for packet in _packets(container, stream):
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                continue
            for frame in decoded:
                if frame.width * frame.height > MOST_PIXELS:  # it may change on the way
                    raise SpinError(
                        "spin.video_too_large", name=video.name, width=frame.width, height=frame.height
                    )
                time = time if frame.time is None else frame.time
                video.frames_decoded += 1
                if not frame.is_corrupt:
                    yield time, frame


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """The stream's packets up to where the file breaks off; the last one is empty and flushes the decoder."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        yield packet


@contextmanager
def _opened(path: Path, name: str) -> Iterator[tuple[Any, Any]]:
    with path.open("rb") as file:
        head = file.read(12)
    form = "matroska" if head.startswith(_EBML) else _CONTAINERS.get(head[4:8])
    if form is None:
        raise SpinError("spin.not_a_video", name=name)
    try:
        container = av.open(str(path), format=form, options={"max_pixels": str(MOST_PIXELS)})
    except (av.FFmpegError, ValueError) as error:
        raise SpinError("spin.video_broken", name=name) from error
    with container:
        stream = next(iter(container.streams.video), None)
        if stream is None or stream.codec_context is None or stream.codec_context.name not in _CODECS:
            raise SpinError("spin.not_a_video", name=name)
        yield container, stream


def _sharpness(frame: Any) -> float:
    """How much the grey levels of a smaller copy change; to compare frames of nearly the same view."""
    scale = min(1.0, _MEASURED_SIDE / max(frame.width, frame.height))
    small = frame.reformat(
        width=round(frame.width * scale) & ~1,
        height=round(frame.height * scale) & ~1,
        format="gray",
        interpolation="AREA",
    )
    return float(cv2.Laplacian(small.to_ndarray(), cv2.CV_32F).var())


def _picture(time: float, frame: Any) -> Picture:
    scale = min(1.0, LONGEST_SIDE / max(frame.width, frame.height))
    width, height = round(frame.width * scale), round(frame.height * scale)
    pixels = frame.to_ndarray(width=width, height=height, format="rgb24", interpolation="AREA")
    turned: NDArray[np.uint8] = np.rot90(pixels, round(frame.rotation / 90))
    return Picture(np.ascontiguousarray(turned), time)

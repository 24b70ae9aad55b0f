"""How a JPEG is encoded (ITU-T T.81, annex B), which the decoder does not report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from acr3d.messages.message import Message

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_LOSSLESS, _JPEG_LS = 0xC3, 0xF7
_HIERARCHICAL = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
_ARITHMETIC = {0xC9, 0xCA, 0xCB}
_FRAMES = {_BASELINE, _EXTENDED, _PROGRESSIVE, _LOSSLESS, _JPEG_LS} | _HIERARCHICAL | _ARITHMETIC
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)  # not those without a segment
_MOST_SEGMENTS = 2000
"""Before the first scan. An ICC profile, a depth map and a gain map together have some hundred."""


@dataclass(frozen=True)
class JpegLayout:
    unusual: Message | None
    """What makes it unreadable for decoders of photos."""
    size: tuple[int, int]
    samples_per_pixel: float
    """3 for full-resolution colour (4:4:4), 1.5 for colour halved in both directions (4:2:0)."""
    several_scans: bool
    """Progressive, or one component after another: a decoder keeps all coefficients until the last scan."""


def jpeg_layout(data: bytes) -> JpegLayout:
    """Of a JPEG, or of its beginning up to the first scan.

    Raises ValueError or IndexError for what is no JPEG.
    """
    frame: tuple[int, bytes] | None = None
    for count, (marker, segment) in enumerate(_segments(data)):
        if count > _MOST_SEGMENTS:
            raise ValueError("too many segments before the picture")
        if marker in _FRAMES:
            frame = frame or (marker, segment)
        if marker == _START_OF_SCAN and frame:
            return _layout(*frame, first_scan=segment)
    raise ValueError("a JPEG without a picture")


def is_plain_jpeg(head: bytes) -> bool:
    """Whether a file with this beginning is a JPEG in one scan: decoding it takes time by its size only."""
    try:
        layout = jpeg_layout(head)
    except (ValueError, IndexError):
        return False
    return head.startswith(b"\xff\xd8") and not layout.unusual and not layout.several_scans


def scan_count(data: bytes) -> int:
    """How often the decoder goes over the whole picture: a small file may ask for thousands of times."""
    return sum(marker == _START_OF_SCAN for marker, _ in _segments(data))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment of the first picture. Coded data, and garbage, is skipped."""
    position = 2
    while found := _MARKER.search(data, position):
        marker = found[1][0]
        if marker == _END_OF_IMAGE:
            return
        start = found.end()
        end = start + int.from_bytes(data[start : start + 2])
        yield marker, data[start + 2 : end]
        position = max(end, start + 2)


def _layout(marker: int, frame: bytes, first_scan: bytes) -> JpegLayout:
    components = frame[5]
    areas = [(byte >> 4) * (byte & 15) for byte in frame[7 : 6 + 3 * components : 3]]
    if not areas or not max(areas):
        raise ValueError("a JPEG without components")
    several = marker == _PROGRESSIVE or first_scan[0] < components
    size = int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])
    return JpegLayout(_unusual(marker, bits=frame[0]), size, sum(areas) / max(areas), several)


def _unusual(marker: int, bits: int) -> Message | None:
    if marker in (_LOSSLESS, _JPEG_LS):
        return Message("photo.kind_lossless")
    if marker in _HIERARCHICAL:
        return Message("photo.kind_hierarchical")
    if marker in _ARITHMETIC:
        return Message("photo.kind_arithmetic")
    return None if bits == 8 else Message("photo.kind_twelve_bit")

"""What the decoders do not report: how a JPEG is encoded, and whether a HEIC file is complete."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_START_OF_SCAN = 0xDA


@dataclass(frozen=True)
class JpegLayout:
    samples_per_pixel: float
    """3 for full-resolution colour (4:4:4), 1.5 for colour halved in both directions (4:2:0)."""
    several_scans: bool
    """Progressive, or one component after another: a decoder keeps all coefficients until the last scan."""


def jpeg_layout(stream: BinaryIO) -> JpegLayout:
    """Read up to the first scan (ITU-T T.81, annex B); the position of `stream` does not matter and is kept.

    Raises ValueError, EOFError, IndexError or struct.error for a file that is not an ordinary JPEG.
    """
    position = stream.tell()
    stream.seek(2)
    try:
        return _jpeg_layout(stream)
    finally:
        stream.seek(position)


def _jpeg_layout(stream: BinaryIO) -> JpegLayout:
    samples, components, progressive = 0.0, 0, False
    while True:
        marker = _next_marker(stream)
        (length,) = struct.unpack(">H", stream.read(2))
        segment = stream.read(length - 2)
        if marker in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            components, progressive = segment[5], marker == _PROGRESSIVE
            areas = [(byte >> 4) * (byte & 15) for byte in segment[7 : 6 + 3 * components : 3]]
            samples = sum(areas) / max(areas)
        elif marker in _OTHER_FRAMES:
            raise ValueError("lossless, hierarchical or arithmetic coding, which no camera writes")
        elif marker == _START_OF_SCAN:
            return JpegLayout(samples, progressive or segment[0] < components)


def _next_marker(stream: BinaryIO) -> int:
    byte = stream.read(1)
    while byte != b"\xff":
        if not byte:
            raise EOFError("a JPEG without a picture")
        byte = stream.read(1)
    while byte == b"\xff":
        byte = stream.read(1)
    return byte[0]


def heic_is_whole(stream: BinaryIO) -> bool:
    """Whether all top-level boxes end inside the file (ISO/IEC 14496-12, 4.2). Rewinds `stream`.

    libheif does not report a cut-off picture: it paints the missing tiles black.
    """
    end = stream.seek(0, io.SEEK_END)
    start = 0
    while start < end:
        stream.seek(start)
        head = stream.read(16).ljust(16, b"\0")
        (size,) = struct.unpack(">I", head[:4])
        if size == 1:
            (size,) = struct.unpack(">Q", head[8:])
        elif size == 0:  # "to the end of the file"
            break
        if size < 8:
            return False
        start += size
    stream.seek(0)
    return start <= end

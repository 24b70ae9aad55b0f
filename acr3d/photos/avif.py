"""Opening AVIF, whose decoding takes as much memory as only the file's boxes tell."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image

from acr3d.photos.formats import PhotoFormat
from acr3d.photos.limits import check_decoder_bytes
from acr3d.photos.pillow_file import opened

_META_BYTES = 1 << 16
"""The picture's properties stand before its data."""
_IS_DEEP, _IS_GREY, _HALVED_ACROSS, _HALVED_DOWN = 0x40, 0x10, 0x08, 0x04


def opened_avif(stream: BinaryIO, photo_format: PhotoFormat) -> Image.Image:
    """The picture, not yet decoded. Raises PhotoRefused, or anything for a damaged file."""
    from PIL import AvifImagePlugin  # only now: other photos need none of its memory

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread may hold a frame of its own
    image = opened(stream, photo_format)
    check_decoder_bytes(photo_format.name, image.size, _bytes_per_pixel(stream, image.mode))
    return image


def _bytes_per_pixel(stream: BinaryIO, mode: str) -> float:
    """Measured: the decoder's planes, libavif's pixels in `mode`, and Pillow's image.

    Reads the deepest AV1CodecConfigurationBox (AV1-ISOBMFF 1.3, 2.3) of the file.
    """
    stream.seek(0)
    boxes = stream.read(_META_BYTES).split(b"av1C")[1:]
    planes = max((_plane_bytes(box[2]) for box in boxes if len(box) > 2), default=6.0)
    alpha = (2 if planes > 3 else 1) if mode == "RGBA" else 0
    return planes + alpha + len(mode) + 4.5


def _plane_bytes(flags: int) -> float:
    halvings = bool(flags & _HALVED_ACROSS) + bool(flags & _HALVED_DOWN)
    samples = 1.0 if flags & _IS_GREY else 1 + 2 / 2**halvings
    return samples * (2 if flags & _IS_DEEP else 1)

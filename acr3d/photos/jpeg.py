"""Decoding of JPEG: at a reduced scale, in bounded memory and time, and without its end marker if need be."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from PIL import Image

from acr3d.messages.message import Message
from acr3d.photos.convert import STORED_SIDE, fitted
from acr3d.photos.formats import PhotoFormat
from acr3d.photos.jpeg_layout import JpegLayout, jpeg_layout, scan_count
from acr3d.photos.limits import PhotoRefused, check_decoder_bytes
from acr3d.photos.pillow_file import opened

MOST_SCANS = 64
"""Encoders write up to 20."""
_COEFFICIENT_BYTES = 2
_DECODED_SIDE = STORED_SIDE * 95 // 100
"""A phone's 12 megapixels are decoded at half their size, 2000 or 2016 pixels, and need no other step."""
_END_MARKER = b"\xff\xd9"
_OPPOSITE_BITS = (b"\x55" * 16, b"\xaa" * 16)


def loaded_jpeg(stream: BinaryIO, photo_format: PhotoFormat) -> Image.Image:
    """The picture, decoded. Raises PhotoRefused, or anything for a damaged file."""
    data = stream.read()
    layout = jpeg_layout(data)
    _check_coding(layout, data)
    image = _drafted(stream, photo_format)
    if layout.several_scans:
        bytes_per_pixel = layout.samples_per_pixel * _COEFFICIENT_BYTES
        check_decoder_bytes(Message("photo.kind_progressive"), layout.size, bytes_per_pixel)
    try:
        image.load()
    except OSError:
        return _loaded_without_end(data, photo_format)
    return image


def _check_coding(layout: JpegLayout, data: bytes) -> None:
    if layout.unusual:
        raise PhotoRefused("photo.unusual_jpeg", kind=layout.unusual)
    if layout.several_scans and (scans := scan_count(data)) > MOST_SCANS:
        raise PhotoRefused("photo.too_many_scans", scans=scans, most=MOST_SCANS)


def _drafted(stream: BinaryIO, photo_format: PhotoFormat) -> Image.Image:
    image = opened(stream, photo_format)  # a phone's MPO is one too: the first of its pictures is the photo
    image.draft(None, fitted(image.size, _DECODED_SIDE))
    return image


def _loaded_without_end(data: bytes, photo_format: PhotoFormat) -> Image.Image:
    """The picture of a file that lacks its last bytes, but none of its picture. Raises OSError if it does.

    With an end marker appended libjpeg replaces what is missing silently. So the picture is decoded twice,
    with opposite bits before the marker: it is whole if they made no difference.
    """
    digests = set()
    for bits in _OPPOSITE_BITS:
        image = _drafted(io.BytesIO(data.rstrip(b"\xff") + bits + _END_MARKER), photo_format)
        image.load()
        digests.add(hashlib.sha256(image.tobytes()).digest())
    if len(digests) > 1:
        raise OSError("a part of the picture is missing")
    return image

"""Which uploads are refused. The limits of each format are in `formats`; what people are told, in
`acr3d.messages.photo_texts`.
"""

from __future__ import annotations

import io
import math
from typing import BinaryIO

from acr3d.messages.message import Message, MessageError
from acr3d.photos import formats
from acr3d.photos.formats import SNIFFED_BYTES, PhotoFormat
from acr3d.photos.other_files import other_file

MAX_FILE_BYTES = 20_000_000
MIN_SIDE = 256
MAX_RATIO = 16
"""Longest side over shortest. Beyond it, a shrunk picture has too few pixels across to show a part."""
DECODER_BYTES = 240_000_000
"""What a decoder may hold at once: with the idle web process and the conversion, it stays under 400 MB."""

_OF_PHONES = ("HEIC", Message("photo.kind_deep_heic"))


class PhotoRefused(MessageError, ValueError):
    """The upload is not a photo that we can store."""

    def __init__(self, code: str, **params: str | int | float | Message) -> None:
        super().__init__(Message(code, **params))
        self.code = code


def check_file(stream: BinaryIO) -> None:
    """Refuse an empty or too large file, and what is known to be no photo. Rewinds `stream`."""
    length = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if length == 0:
        raise PhotoRefused("photo.empty")
    head = stream.read(SNIFFED_BYTES)
    if formats.format_of(head) is None and (other := other_file(head)):
        raise PhotoRefused(other.code, **other.params)
    stream.seek(0)
    if length > MAX_FILE_BYTES:
        megabytes = math.ceil(length / 1e5) / 10
        raise PhotoRefused("photo.file_too_large", megabytes=megabytes, most=MAX_FILE_BYTES // 1_000_000)


def check_size(size: tuple[int, int], photo_format: PhotoFormat) -> None:
    """Refuse by the width and height that the file's header states, before decoding."""
    width, height = size
    if width * height > photo_format.max_megapixels * 1_000_000:
        raise too_many_pixels(photo_format.name, size, photo_format.max_megapixels)
    if min(size) < MIN_SIDE:
        raise PhotoRefused("photo.too_small", width=width, height=height, least=MIN_SIDE)
    if max(size) > MAX_RATIO * min(size):
        raise PhotoRefused("photo.too_narrow", width=width, height=height, most=MAX_RATIO)


def check_decoder_bytes(kind: str | Message, size: tuple[int, int], bytes_per_pixel: float) -> None:
    """Refuse a picture whose decoder would hold too much, though its pixels alone are few enough."""
    if size[0] * size[1] * bytes_per_pixel > DECODER_BYTES:
        raise too_many_pixels(kind, size, int(DECODER_BYTES / bytes_per_pixel / 1e6))


def too_many_pixels(kind: str | Message, size: tuple[int, int] | None, megapixels: int) -> PhotoRefused:
    """A picture of the format `kind` with more than so many megapixels; `size` where it is known."""
    if size is None:
        return PhotoRefused("photo.size_unknown", kind=kind, most=megapixels)
    return PhotoRefused(
        "photo.heic_too_many_pixels" if kind in _OF_PHONES else "photo.too_many_pixels",
        width=size[0],
        height=size[1],
        kind=kind,
        most=megapixels,
    )


def not_a_photo() -> PhotoRefused:
    first, last = formats.all_but_last_and_last()
    return PhotoRefused("photo.not_a_photo", formats=first, last=last)


def animated(kind: str) -> PhotoRefused:
    return PhotoRefused("photo.animated", kind=kind)


def damaged() -> PhotoRefused:
    return PhotoRefused("photo.damaged")

"""Which uploads are refused, and what is said then: what happened, what it means, what to do next."""

from __future__ import annotations

import io
from typing import BinaryIO

MAX_FILE_BYTES = 20_000_000
MIN_SIDE = 256
MAX_RATIO = 16
"""Longest side over shortest. Beyond it a shrunk picture has too few pixels across to show a part."""
MEGAPIXELS = {"JPEG": 64, "PNG": 40, "HEIC": 40, "WebP": 13}
"""JPEG shrinks while it decodes; WebP needs 16 bytes a pixel, the others four or five."""
DECODER_BYTES = 240_000_000
"""What a decoder may hold at once. Idle web process and converting added, that stays under 400 MB."""

_SMALLER = "Save it smaller (4000 pixels on the long side are plenty) and upload that."


class PhotoRefused(ValueError):
    """The upload is no photo we can keep. `str()` is a sentence for a person, `code` a word for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_length(stream: BinaryIO) -> None:
    """Refuse an empty or too large file; leaves `stream` at its beginning."""
    length = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if length == 0:
        raise PhotoRefused(
            "empty",
            "The file is empty, so there is no photo to add to the part. "
            "Choose it again; if it lies in a cloud folder, wait until it has been downloaded.",
        )
    if length > MAX_FILE_BYTES:
        raise PhotoRefused(
            "file_too_large",
            f"The file has {length / 1e6:.1f} MB, more than the {MAX_FILE_BYTES // 1_000_000} MB allowed, "
            "so it was not added to the part. Save the photo as JPEG or in a smaller size and upload that.",
        )


def check_size(size: tuple[int, int], kind: str) -> None:
    """Refuse by the width and height that the file's header states, before decoding."""
    picture = f"The picture is {size[0]} × {size[1]} pixels"
    if size[0] * size[1] > MEGAPIXELS[kind] * 1_000_000:
        raise too_many_pixels(kind, size)
    if min(size) < MIN_SIDE:
        raise PhotoRefused(
            "too_small",
            f"{picture}, too small to show a part (at least {MIN_SIDE} on each side), so it was not added. "
            "Upload the photo in its original size, not a preview of it.",
        )
    if max(size) > MAX_RATIO * min(size):
        raise PhotoRefused(
            "too_narrow",
            f"{picture}, a strip more than {MAX_RATIO} times as long as wide, so it was not added: "
            "made to fit, it would show nothing of the part. Leave more room around the part when you crop.",
        )


def check_decoder_bytes(kind: str, size: tuple[int, int], bytes_per_pixel: float) -> None:
    """Refuse a picture whose decoder would hold too much, though its pixels alone are few enough."""
    if size[0] * size[1] * bytes_per_pixel > DECODER_BYTES:
        raise too_many_pixels(kind, size, DECODER_BYTES / bytes_per_pixel / 1e6)


def too_many_pixels(
    kind: str, size: tuple[int, int] | None = None, megapixels: float | None = None
) -> PhotoRefused:
    """`kind` in a person's words; `size` where known; `megapixels` where less than usual is allowed."""
    picture = f"is {size[0]} × {size[1]} pixels," if size else "has"
    return PhotoRefused(
        "too_many_pixels",
        f"The picture {picture} more than the {int(megapixels or MEGAPIXELS[kind])} megapixels allowed for "
        f"{kind}, so it was not added to the part. {_SMALLER}",
    )


def not_a_photo() -> PhotoRefused:
    return PhotoRefused(
        "not_a_photo",
        "This is not a JPEG, PNG, WebP or HEIC picture, whatever its name says, so it was not added to "
        "the part. Save the photo as JPEG and upload that.",
    )


def animated() -> PhotoRefused:
    return PhotoRefused(
        "animated",
        "This file is an animation, and a part is shown and built from still photos, so it was not added. "
        "Save one of its pictures as JPEG or PNG and upload that.",
    )


def damaged() -> PhotoRefused:
    return PhotoRefused(
        "damaged",
        "The picture is damaged or cut off and cannot be read to its end, so it was not added to the part. "
        "Copy it from the camera or phone once more and upload it again.",
    )

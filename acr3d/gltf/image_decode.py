"""Decoding an untrusted image whose header was checked, into 8-bit grey, RGB or RGBA."""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401 - what we decode

from acr3d.exif import UPRIGHT, orientation
from acr3d.gltf import limits
from acr3d.gltf.errors import damaged, too_large
from acr3d.gltf.image_header import ImageFacts

DECODED_FORMATS = ("png", "jpeg", "webp")
_STRIP_ROWS = 128
# Pillow's own limit is off: image_header has already checked the size, with our own message.
Image.MAX_IMAGE_PIXELS = None


def fit_within(facts: ImageFacts, max_side: int) -> tuple[int, int]:
    """The image's size, scaled down to fit into max_side × max_side pixels; never enlarged."""
    largest = max(facts.width, facts.height)
    if largest <= max_side:
        return facts.width, facts.height
    scaled = (round(side * max_side / largest) for side in (facts.width, facts.height))
    width, height = (max(1, side) for side in scaled)
    return width, height


def decoding_bytes(facts: ImageFacts, max_side: int) -> int:
    """About how much memory `decode_image` needs. Pillow uses four bytes per pixel, even for grey."""
    scale = _jpeg_scale(facts, max_side) if facts.format == "jpeg" else 1
    pixels = facts.width * facts.height
    return 4 * pixels // scale**2 + facts.held_bytes_per_pixel * pixels


def _jpeg_scale(facts: ImageFacts, max_side: int) -> int:
    """By how much libjpeg can shrink the image while decoding: 1, 2, 4 or 8."""
    width, height = fit_within(facts, max_side)
    ratio = min(facts.width / width, facts.height / height)
    return next(scale for scale in (8, 4, 2, 1) if scale <= ratio)


def decode_image(content: bytes | BinaryIO, facts: ImageFacts, max_side: int, place: str) -> Image.Image:
    """The picture in mode L, RGB or RGBA; a large JPEG may already be reduced towards `max_side`.

    Raises BadModel.
    """
    if decoding_bytes(facts, max_side) > limits.IMAGE_DECODED_BYTES:
        raise too_large(place, f"is {facts.width} × {facts.height} pixels")
    try:
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        picture = Image.open(source, formats=[facts.format.upper()])
        if sorted(picture.size) != sorted((facts.width, facts.height)):
            raise damaged(place, "has contradictory sizes")
        is_lying = picture.size != (facts.width, facts.height)
        width, height = fit_within(facts, max_side)
        picture.draft("RGB", (height, width) if is_lying else (width, height))
        picture.load()
        return _upright(_as_8_bit(picture), picture)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise damaged(place, f"cannot be decoded ({error})") from error


def _upright(picture: Image.Image, source: Image.Image) -> Image.Image:
    """The picture as browsers show it: turned by a JPEG's EXIF orientation."""
    turn = UPRIGHT.get(orientation(source)) if source.format == "JPEG" else None
    return picture if turn is None else picture.transpose(turn)


def _as_8_bit(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return _high_bytes(picture)
    if picture.mode in ("L", "RGB", "RGBA"):
        if "transparency" in picture.info:
            return picture.convert("RGBA")
        return picture
    has_alpha = picture.mode in ("LA", "PA", "La") or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "L" if picture.mode == "1" else "RGB")


def _high_bytes(picture: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit: Pillow's own conversion would clip. In strips, because numpy needs copies."""
    found = Image.new("L", picture.size)
    for top in range(0, picture.height, _STRIP_ROWS):
        strip = picture.crop((0, top, picture.width, min(picture.height, top + _STRIP_ROWS)))
        high = (np.asarray(strip).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        found.paste(Image.fromarray(high), (0, top))
    return found

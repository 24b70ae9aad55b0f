"""Decoded pixels of any size, depth and colour space become an upright, opaque sRGB picture within 2048².

A cut-out, whose background is transparent, keeps its alpha beside the opaque picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms

from acr3d.exif import UPRIGHT

STORED_SIDE = 2048

_STRIP_ROWS = 64
# Coated paper by CGATS TR 001, which U.S. Web Coated (SWOP) follows: what most CMYK without a profile means.
_PRESS_PROFILE = Path(__file__).with_name("profiles") / "CGATS001Compat-v2-micro.icc"
_HIGH_BYTE = {"I;16": 1, "I;16B": 0}
_ICC_SPACE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


@dataclass(frozen=True)
class Pixels:
    """A decoded picture, read in horizontal strips so that no second whole copy is made."""

    size: tuple[int, int]
    rows: Callable[[int, int], Image.Image]
    """rows(first, end): those rows, in the decoder's mode."""
    icc: bytes | None
    orientation: int
    """As in EXIF; 1 is upright."""


@dataclass(frozen=True)
class Upright:
    """An opaque picture, and the alpha (mode L, of the same size) that was blended onto white, if any."""

    image: Image.Image
    alpha: Image.Image | None


def upright_srgb(pixels: Pixels) -> Upright:
    image, alpha = _shrunk(pixels)
    if pixels.orientation in UPRIGHT:
        turn = UPRIGHT[pixels.orientation]
        image, alpha = image.transpose(turn), alpha.transpose(turn) if alpha else None
    return Upright(_in_srgb(image, pixels.icc), alpha)


def fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """`size` in proportion within `side`², never enlarged."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _shrunk(pixels: Pixels) -> tuple[Image.Image, Image.Image | None]:
    """The opaque picture, and its alpha if it has one.

    The same result as Pillow's Lanczos in one call: horizontally, strip by strip, and then vertically.
    """
    height = pixels.size[1]
    target = fitted(pixels.size, STORED_SIDE)
    narrow: list[Image.Image] = []
    for first in range(0, height, _STRIP_ROWS):
        end = min(first + _STRIP_ROWS, height)
        for number, layer in enumerate(_layers(pixels.rows(first, end))):
            strip = layer.resize((target[0], end - first), Image.Resampling.LANCZOS)
            if number == len(narrow):
                narrow.append(Image.new(strip.mode, (target[0], height)))
            narrow[number].paste(strip, (0, first))
    if not narrow:
        raise ValueError("a picture without rows")
    image, *alpha = (layer.resize(target, Image.Resampling.LANCZOS) for layer in narrow)
    return image, alpha[0] if alpha else None


def _layers(strip: Image.Image) -> list[Image.Image]:
    """The strip as L, RGB or CMYK with 8 bits, without palette, and its transparency blended onto white; then
    that transparency, if it has any."""
    if strip.mode in _HIGH_BYTE:  # Pillow's own conversion to L would clip instead of scale
        return [Image.frombytes("L", strip.size, strip.tobytes()[_HIGH_BYTE[strip.mode] :: 2])]
    if strip.mode == "La":
        strip = strip.convert("LA")
    elif strip.mode in ("RGBa", "PA") or "transparency" in strip.info:
        strip = strip.convert("RGBA")
    if strip.mode in ("LA", "RGBA"):
        opaque, alpha = Image.new(strip.mode.removesuffix("A"), strip.size, "white"), strip.getchannel("A")
        opaque.paste(strip.convert(opaque.mode), mask=alpha)
        return [opaque, alpha]
    if strip.mode in _ICC_SPACE:
        return [strip]
    return [strip.convert("L" if strip.mode == "1" else "RGB")]


def _in_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """By the picture's profile; if that is missing, broken or of another space, as usual for its mode."""
    try:
        return _by_profile(image, ImageCms.ImageCmsProfile(io.BytesIO(icc or b"")))
    except (ImageCms.PyCMSError, OSError, ValueError):
        if image.mode == "CMYK":
            return _by_profile(image, ImageCms.ImageCmsProfile(io.BytesIO(_PRESS_PROFILE.read_bytes())))
        return image.convert("RGB")


def _by_profile(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    space = profile.profile.xcolor_space.strip()
    if space == "RGB" and image.mode == "L":  # cameras give grey pictures an RGB profile
        image = image.convert("RGB")
    if space != _ICC_SPACE[image.mode]:
        raise ValueError(f"a profile for {space} in a picture in {image.mode}")
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        image.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return transform.apply(image)

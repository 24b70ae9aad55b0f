"""Read a labelled photo as upright RGB pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from acr3d.carving.errors import CarvingError, side
from acr3d.messages.message import Message

MAX_SIDE = 2048
_MIN_SIDE = 64
_MAX_PIXELS = 64_000_000


@dataclass(frozen=True)
class LabelledPhoto:
    """One labelled photo: `pixels` is (height, width, 3) uint8, upright.

    `outline` is True on the part, of the same proportions, if somebody has found the part already.
    """

    angle: str
    pixels: NDArray[np.uint8]
    outline: NDArray[np.bool_] | None = None


def read_photo(path: Path, angle: str, outline: Path | None = None) -> LabelledPhoto:
    """Read a JPEG or PNG, apply its EXIF orientation and fit it into 2048 × 2048.

    `outline`: a PNG that is white on the part. Raises CarvingError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("JPEG", "PNG")) as image:
                pixels = _upright(image, angle)
            mask = read_mask(outline) if outline else None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise CarvingError(Message("carving.unreadable", angle=side(angle)), "unreadable") from None
    return LabelledPhoto(angle, pixels, mask)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """A PNG as a mask: True where it is white."""
    with Image.open(path, formats=("PNG",)) as image:
        return np.asarray(image.convert("L")) > 127


def _upright(image: Image.Image, angle: str) -> NDArray[np.uint8]:
    if min(image.size) < _MIN_SIDE or image.width * image.height > _MAX_PIXELS:
        message = Message(
            "carving.bad_size",
            angle=side(angle),
            width=image.width,
            height=image.height,
            least=_MIN_SIDE,
            most=_MAX_PIXELS // 1_000_000,
        )
        raise CarvingError(message, "bad_size")
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        white = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(white, upright.convert("RGBA"))
    upright = upright.convert("RGB")
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(upright)

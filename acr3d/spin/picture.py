"""A picture of a capture, from a photo or a video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from acr3d.spin.errors import SpinError

LONGEST_SIDE = 1920
_MOST_PIXELS = 100_000_000
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Picture:
    """`pixels` (height, width, 3), RGB, upright, at most `LONGEST_SIDE`; `seconds` in its video, or 0."""

    pixels: NDArray[np.uint8]
    seconds: float = 0.0


def is_photo(path: Path) -> bool:
    """Whether the file is a JPEG, which every uploaded photo has been made before it comes here."""
    with path.open("rb") as file:
        return file.read(3) == _JPEG


def read_photo(path: Path, name: str) -> Picture:
    """Raises SpinError when the JPEG cannot be read."""
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise SpinError("spin.photo_broken", name=name)
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image.convert("RGB"))
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            return Picture(np.asarray(upright))
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SpinError("spin.photo_broken", name=name) from error

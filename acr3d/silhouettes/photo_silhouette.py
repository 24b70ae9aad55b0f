"""The part's silhouette in a labelled photo, cropped and scaled down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.carving.photo_input import read_photo
from acr3d.carving.silhouette import extract_silhouette

Mask = NDArray[np.bool_]

_SIDE = 256
_MARGIN = 0.08  # kept around the part, as a share of its longer side


@dataclass(frozen=True)
class PhotoSilhouette:
    """One labelled photo: `mask` is True on the part, `picture` is the photo. Both are equal squares."""

    side: str
    mask: Mask
    picture: NDArray[np.uint8]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the part in pixels, the last two exclusive."""
        return bounding_box(self.mask)

    @property
    def extent(self) -> float:
        """The part's diagonal in pixels."""
        left, top, right, bottom = self.box
        return float(np.hypot(right - left, bottom - top))


def bounding_box(mask: Mask) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the True pixels, the last two exclusive."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def read_photo_silhouette(path: Path, side: str, known: Path | None = None) -> PhotoSilhouette:
    """Find the part in a photo, or read its `known` outline, a PNG that is white on the part.

    Raises CarvingError if the outline is not known and there is no plain background.
    """
    outline = extract_silhouette(read_photo(path, side, known))
    left, top, right, bottom = outline.box
    half = (0.5 + _MARGIN) * max(right - left, bottom - top)
    middle = (left + right) / 2, (top + bottom) / 2
    window = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
    mask = Image.fromarray(np.where(outline.mask, 255, 0).astype(np.uint8))
    return PhotoSilhouette(
        side,
        np.asarray(_cut(mask, window)) > 127,
        np.asarray(_cut(Image.fromarray(outline.pixels), window)),
    )


def _cut(picture: Image.Image, window: tuple[float, float, float, float]) -> Image.Image:
    """The window of the picture; empty beyond its edges."""
    whole = tuple(round(edge) for edge in window)
    return picture.crop(whole).resize((_SIDE, _SIDE), Image.Resampling.BOX)  # type: ignore[arg-type]

"""The colours of the part in a photo, stretched to a square like its silhouette."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab

SIDE = 64
"""Cells along each side of the square."""

_RIM = 2  # pixels along the outline, where part and backdrop mix
_LIGHT = 13  # cells; over so many, a difference of lightness is the lamp's
_LIGHTNESS = 0.8  # weight of a difference of lightness beside one of hue


@dataclass(frozen=True)
class ColouredSquare:
    """`mask` is True on the part. `colours` are CIELAB, (SIDE, SIDE, 3), lightness relative to its
    surroundings, because the same spot is lit differently when seen from another side."""

    mask: NDArray[np.bool_]
    colours: NDArray[np.float32]


def coloured_square(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> ColouredSquare:
    """The part in `picture`, (height, width, 3); `mask` must not be empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inner = ndimage.binary_erosion(np.pad(mask[box], 1), iterations=_RIM)[1:-1, 1:-1]
    lab = rgb2lab(picture[box])
    cells = _in_cells(mask[box]) > 0.5
    colours = _filled_in(
        np.dstack([_in_cells(lab[..., band] * inner) for band in range(3)]), _in_cells(inner)
    )
    colours[..., 0] -= _surroundings(colours[..., 0], cells)
    colours[..., 0] *= _LIGHTNESS
    return ColouredSquare(cells, colours)


def _in_cells(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """The means of a picture's values in the square's cells."""
    image = Image.fromarray(values.astype(np.float32))
    return np.array(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)


def _filled_in(sums: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums of colours over their weights; cells without any take the colours nearby."""

    def spread(values: NDArray[np.float32]) -> NDArray[np.float32]:
        near, far = (ndimage.gaussian_filter(values, radius) for radius in (0.5, 2.0))
        return np.asarray(near + 1e-3 * far, np.float32)

    total = spread(weight) + 1e-9
    return np.dstack([spread(sums[..., band]) / total for band in range(3)]).astype(np.float32)


def _surroundings(lightness: NDArray[np.float32], cells: NDArray[np.bool_]) -> NDArray[np.float32]:
    share = ndimage.gaussian_filter(cells.astype(np.float32), _LIGHT) + 1e-6
    return np.asarray(ndimage.gaussian_filter(lightness * cells, _LIGHT) / share, np.float32)

"""A silhouette independent of its label: its shape stretched to a square, and its proportions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.opposite_views import NORMALIZED_SIZE, normalized_mask

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]


@dataclass(frozen=True)
class NormalizedSilhouette:
    """A silhouette stretched to NORMALIZED_SIZE × NORMALIZED_SIZE cells.

    `mask`: True on the part. `depth`: signed distance to the contour relative to the square's side, negative
    outside. `log_aspect`: logarithm of width over height in the photo. `log_scale`: logarithm of the
    silhouette's mean side over the photo's longest side.
    """

    mask: Mask
    depth: Field
    log_aspect: float
    log_scale: float

    def rotated(self, quarters: int) -> NormalizedSilhouette:
        """The silhouette of the photo rotated anticlockwise by so many quarter turns."""
        log_aspect = -self.log_aspect if quarters % 2 else self.log_aspect
        return NormalizedSilhouette(
            np.rot90(self.mask, quarters), np.rot90(self.depth, quarters), log_aspect, self.log_scale
        )


def normalize_silhouette(mask: Mask) -> NormalizedSilhouette:
    """Normalize the silhouette in `mask`, which must not be empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    cells = normalized_mask(mask)
    log_scale = 0.5 * np.log(width * height) - np.log(max(mask.shape))
    return NormalizedSilhouette(
        cells, _signed_distance(cells), float(np.log(width / height)), float(log_scale)
    )


def _signed_distance(cells: Mask) -> Field:
    """Signed distance to the contour; everything outside the square is background."""
    margin = NORMALIZED_SIZE // 2
    wide = np.pad(cells, margin)
    signed = ndimage.distance_transform_edt(wide) - ndimage.distance_transform_edt(~wide)
    depth: Field = (signed[margin:-margin, margin:-margin] / NORMALIZED_SIZE).astype(np.float32)
    return depth

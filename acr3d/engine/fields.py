"""Signed distance fields of outlines: how deep inside the outline a pixel lies, negative outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.engine.outline import Mask
from acr3d.engine.views import Camera, Points


@dataclass(frozen=True)
class DistanceField:
    """`values` in mask pixels; one cell of them is `step` mask pixels wide."""

    values: NDArray[np.float32]
    step: int = 1

    def at(self, column: NDArray[np.floating], row: NDArray[np.floating]) -> NDArray[np.float32]:
        """Bilinear depth at mask pixels; beyond the picture, the border's value."""
        offset = (self.step - 1) / 2
        places = np.stack([(row - offset) / self.step, (column - offset) / self.step])
        sampled: NDArray[np.float32] = ndimage.map_coordinates(
            self.values, places, output=np.float32, order=1, mode="nearest", prefilter=False
        )
        return sampled

    def depth_of(self, camera: Camera, points: Points) -> NDArray[np.float32]:
        """How deep, in units, (n, 3) points lie in the cone that `camera` makes of this outline."""
        column, row, towards = camera.project(points)
        unit = (1 - camera.nearness * towards) / camera.zoom
        return np.asarray(self.at(column, row) * unit, np.float32)

    def coarser(self, step: int) -> DistanceField:
        """The same field averaged over blocks of `step` pixels: quicker to read, hardly less exact."""
        rows, columns = (size // step for size in self.values.shape)
        blocks = self.values[: rows * step, : columns * step].reshape(rows, step, columns, step)
        return DistanceField(blocks.mean((1, 3), dtype=np.float32), step * self.step)


def distance_field(mask: Mask) -> DistanceField:
    """The field of a mask, its zero on the line between the last pixel inside and the first outside."""
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(~mask)
    # A pixel next to the line is half a pixel from it; the smoothing takes the stairs out of slanting lines.
    depth = (inside - outside + 0.5 - mask).astype(np.float32)
    return DistanceField(ndimage.gaussian_filter(depth, 0.8))

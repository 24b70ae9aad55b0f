"""Signed distance fields of silhouettes: a pixel's distance to the contour, negative outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.cameras import CameraBatch, PinholeCamera, Points
from acr3d.carving.morphology import Mask


@dataclass(frozen=True)
class DistanceField:
    """`values` are distances in mask pixels; a cell is `step` mask pixels wide."""

    values: NDArray[np.float32]
    step: int = 1

    def sample(self, column: NDArray[np.floating], row: NDArray[np.floating]) -> NDArray[np.float32]:
        """Bilinear values at mask pixels; outside the picture, the value at its border."""
        offset = (self.step - 1) / 2
        places = np.stack([(row - offset) / self.step, (column - offset) / self.step])
        sampled: NDArray[np.float32] = ndimage.map_coordinates(
            self.values, places, output=np.float32, order=1, mode="nearest", prefilter=False
        )
        return sampled

    def depth_of(self, camera: PinholeCamera, points: Points) -> NDArray[np.float32]:
        """How deep, in units, (n, 3) points lie inside the viewing cone of this silhouette."""
        column, row, towards = camera.project(points)
        unit = (1 - camera.inverse_distance * towards) / camera.zoom
        return np.asarray(self.sample(column, row) * unit, np.float32)

    def grown(self, pixels: float) -> DistanceField:
        """The field of the silhouette grown by so many mask pixels."""
        return DistanceField(self.values + np.float32(pixels), self.step)

    def downsampled(self, step: int) -> DistanceField:
        """The field averaged over blocks of `step` pixels: faster to sample, hardly less accurate."""
        rows, columns = (size // step for size in self.values.shape)
        blocks = self.values[: rows * step, : columns * step].reshape(rows, step, columns, step)
        return DistanceField(blocks.mean((1, 3), dtype=np.float32), step * self.step)


class DistanceFieldStack:
    """Several fields in one array, so that points in different fields are sampled in one call."""

    def __init__(self, fields: Sequence[DistanceField]) -> None:
        rows, columns = (max(field.values.shape[axis] for field in fields) for axis in (0, 1))
        margins = [
            ((0, rows - field.values.shape[0]), (0, columns - field.values.shape[1])) for field in fields
        ]
        padded = zip(fields, margins, strict=True)
        self.values = np.stack([np.pad(field.values, margin, mode="edge") for field, margin in padded])
        self.step = np.array([field.step for field in fields], np.float64)

    def depth_of(self, number: NDArray[np.int64], camera: CameraBatch, points: Points) -> NDArray[np.float64]:
        """Like DistanceField.depth_of, each of the (n, 3) points in its own field (`number`) and camera."""
        column, row, towards = camera.project(points)
        step = self.step[number]
        offset = (step - 1) / 2
        places = np.stack([number, (row - offset) / step, (column - offset) / step])
        sampled = ndimage.map_coordinates(
            self.values, places, np.float64, order=1, mode="nearest", prefilter=False
        )
        unit = (1 - camera.inverse_distance * towards) / camera.zoom
        return np.asarray(sampled * unit)


def distance_field(mask: Mask) -> DistanceField:
    """The signed distance field of a mask; zero lies between the last pixel inside and the first outside."""
    depth = -ndimage.distance_transform_edt(~mask).astype(np.float32)
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    box = np.s_[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]
    depth[box] += ndimage.distance_transform_edt(mask[box])
    # A pixel next to the contour is half a pixel away from it. The blur smooths the steps of slanted edges.
    return DistanceField(ndimage.gaussian_filter(depth + 0.5 - mask, 0.8))

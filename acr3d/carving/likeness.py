"""How much a carved solid looks like the photos: its outlines against theirs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.calibration import Calibration
from acr3d.carving.cameras import PinholeCamera
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.visual_hull import VoxelGrid, hull_depth, make_grid

_CELLS = 72  # along the longest side: a tenth of a second
_BLOCK = 1.5  # side of the squares that are compared, in cells; smaller ones would fall between the points


def outline_likeness(
    calibration: Calibration, fields: list[DistanceField], silhouettes: Sequence[Silhouette]
) -> tuple[float, ...]:
    """Per photo, the IoU of its silhouette with that of the hull of all `fields`; 0 if the hull is empty."""
    grid = make_grid(calibration.box, _CELLS)
    depth = hull_depth(calibration.cameras, fields, calibration.box, grid)
    points = grid_points(grid, depth > 0)
    return tuple(
        _likeness(points, camera, silhouette, _BLOCK * camera.zoom * grid.step)
        for camera, silhouette in zip(calibration.cameras, silhouettes, strict=True)
    )


def grid_points(grid: VoxelGrid, chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The (n, 3) places of the chosen grid points."""
    places = np.nonzero(chosen)
    return np.stack([grid.coordinates(axis)[places[axis]] for axis in range(3)], -1)


def _likeness(
    points: NDArray[np.float32], camera: PinholeCamera, silhouette: Silhouette, block: float
) -> float:
    """The IoU in squares of `block` mask pixels."""
    column, row, _ = camera.project(points)
    seen = squares(column, row, block)
    rows, columns = np.nonzero(silhouette.mask)
    photographed = squares(columns, rows, block)
    return len(seen & photographed) / max(1, len(seen | photographed))


def squares(
    columns: NDArray[np.floating] | NDArray[np.int64],
    rows: NDArray[np.floating] | NDArray[np.int64],
    side: float,
) -> set[tuple[int, int]]:
    """The squares of `side` pixels, as (column, row), that hold one of the places."""
    pairs = np.unique(np.stack([columns // side, rows // side], -1).astype(np.int64), axis=0)
    return set(map(tuple, pairs.tolist()))

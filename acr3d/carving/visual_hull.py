"""The visual hull: the largest solid that all silhouettes allow, as a closed triangle mesh.

Each silhouette's distance field is projected back along its camera's rays. The minimum over all photos is a
field whose zero level is the visual hull (Laurentini 1994). Marching cubes extracts the surface.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from acr3d.carving.cameras import PinholeCamera, Points
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.shape_priors import ShapePrior

Vector = NDArray[np.float64]

_MARGIN = 0.03  # around the expected box, relative to its largest side
_MIN_ABS_DEPTH = 0.02  # in cells; samples closer to the surface would give needle-thin triangles
_FAR_OUTSIDE = 4  # in cells: a cell's diagonal is 1.7, and depth falls hardly faster than distance grows


@dataclass(frozen=True)
class VoxelGrid:
    """Cubic cells of side `step`; the first cell's centre is at `low`."""

    low: Vector
    step: float
    shape: tuple[int, int, int]

    def coordinates(self, number: int) -> NDArray[np.float32]:
        """The cells' centres along one axis."""
        return np.asarray(self.low[number] + self.step * np.arange(self.shape[number]), np.float32)


@dataclass(frozen=True)
class TriangleMesh:
    """`vertices` (n, 3) float32; `triangles` (m, 3) int32, wound so that normals point outwards."""

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]


def make_grid(box: Vector, cells: int) -> VoxelGrid:
    """A grid around the (2, 3) box, with `cells` cells along its largest side."""
    size = box[1] - box[0]
    extent = size + 2 * _MARGIN * size.max()
    step = float(extent.max() / cells)
    shape = np.ceil(extent / step).astype(int) + 1
    low = box.mean(0) - step * (shape - 1) / 2
    return VoxelGrid(low, step, (int(shape[0]), int(shape[1]), int(shape[2])))


def hull_depth(
    cameras: list[PinholeCamera],
    fields: list[DistanceField],
    box: Vector,
    grid: VoxelGrid,
    priors: Sequence[ShapePrior] = (),
) -> NDArray[np.float32]:
    """How deep, in cells, each grid point lies inside all silhouettes, the box and the priors.

    Negative outside. Far outside, the value is only an upper bound: no cell there contains the surface.
    """
    x, y, z = (grid.coordinates(number) for number in range(3))
    slab = np.stack(np.meshgrid(np.float32(0), y, z, indexing="ij"), -1).reshape(-1, 3)
    depth = np.empty(grid.shape, np.float32)
    for number, place in enumerate(x):
        slab[:, 0] = place
        depth[number] = _depth_at(slab, cameras, fields, box, priors, grid.step).reshape(grid.shape[1:])
    depth /= np.float32(grid.step)
    for axis in range(3):  # the grid's border counts as outside, so that the surface closes
        np.moveaxis(depth, axis, 0)[[0, -1]] = -1
    return depth


def _depth_at(
    points: NDArray[np.float32],
    cameras: list[PinholeCamera],
    fields: list[DistanceField],
    box: Vector,
    priors: Sequence[ShapePrior],
    step: float,
) -> NDArray[np.float32]:
    low, high = box.astype(np.float32)
    depth: NDArray[np.float32] = np.minimum(points - low, high - points).min(1)
    bounds: list[Callable[[Points], NDArray[np.float32]]] = [prior.depth for prior in priors]
    bounds[:0] = [partial(field.depth_of, camera) for camera, field in zip(cameras, fields, strict=True)]
    for depth_of in bounds:
        open_yet = np.flatnonzero(depth > -_FAR_OUTSIDE * step)
        depth[open_yet] = np.minimum(depth[open_yet], depth_of(points[open_yet]))
    return depth


def extract_surface(depth: NDArray[np.float32], grid: VoxelGrid) -> TriangleMesh:
    """The closed surface between inside and outside, by marching cubes."""
    near = np.abs(depth) < _MIN_ABS_DEPTH
    depth[near] = np.where(depth[near] < 0, -_MIN_ABS_DEPTH, _MIN_ABS_DEPTH)
    vertices, triangles, _, _ = marching_cubes(  # type: ignore[no-untyped-call]
        depth, 0.0, gradient_direction="ascent"
    )
    placed = vertices.astype(np.float64) * grid.step + grid.low
    return TriangleMesh(placed.astype(np.float32), triangles.astype(np.int32))

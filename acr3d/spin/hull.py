"""The visual hull of many outlines in millimetres: the largest solid on the sheet that they allow.

Each outline's signed distance field is projected back along its camera's rays; the smallest depth over all
cameras is a field whose zero level is the hull (Laurentini 1994). A coarse grid finds where the surface is,
and only the cells near it are computed finely, so that a fine grid costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.visual_hull import VoxelGrid
from acr3d.spin.camera import Camera
from acr3d.spin.views import Mask

Floats = NDArray[np.float32]

_BLOCK = 4  # fine cells per coarse cell and axis
_REACH = 1.3  # coarse cells: half a cell's diagonal, and what depth may be off beside an edge
_BATCH = 400_000  # points per batch, to limit memory
_ROW = 1000  # points per row of a remapped picture; OpenCV wants fewer than 32768 of each
_OUTSIDE = np.float32(-1e3)


@dataclass(frozen=True)
class Outline:
    """An outline's signed distance `field` (pixels, positive on the part), as `camera` saw it."""

    camera: Camera
    field: Floats

    def depth_of(self, points: Floats) -> Floats:
        """How deep, in mm, (n, 3) points lie inside this outline's cone; -1000 outside the picture's edge."""
        pixels, depth = project(self.camera, points)
        values = sample(self.field, pixels)
        return np.where(depth > 0, values * depth / np.float32(self.camera.lens.focal), _OUTSIDE)


def outline(mask: Mask, camera: Camera) -> Outline:
    """The outline of a mask; zero lies between the last pixel inside and the first outside."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    field = inside - outside + 0.5 - mask.astype(np.float32)
    return Outline(camera, cv2.GaussianBlur(field.astype(np.float32), (0, 0), 0.8))


def project(camera: Camera, points: Floats) -> tuple[Floats, Floats]:
    """Like `Camera.project`, for a pinhole and many points: pixels (n, 2) and depths (n,) in float32."""
    matrix = (camera.lens.matrix @ np.column_stack([camera.rotation, camera.shift])).astype(np.float32)
    seen: Floats = np.asarray(points @ matrix[:, :3].T, np.float32)
    depth: Floats = seen[:, 2] + matrix[2, 3]
    nearness = 1 / np.where(depth > 0, depth, np.float32(np.nan))
    pixels = np.empty((len(points), 2), np.float32)
    for axis in range(2):  # column by column: NumPy is slow in rows of two
        np.multiply(seen[:, axis] + matrix[axis, 3], nearness, out=pixels[:, axis])
    return pixels, depth


def sample(picture: NDArray[np.generic], pixels: NDArray[np.floating]) -> Floats:
    """Bilinear values of a picture at (n, 2) pixels; outside, the value at its border."""
    count = len(pixels)
    rows = -(-count // _ROW)
    places = np.full((rows * _ROW, 2), -1e4, np.float32)
    np.copyto(places[:count], pixels, where=np.isfinite(pixels))
    found = cv2.remap(
        picture, places.reshape(rows, _ROW, 2), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(found).reshape(rows * _ROW, *picture.shape[2:])[:count]


def hull_depth(outlines: Sequence[Outline], grid: VoxelGrid, doubted: int = 0) -> Floats:
    """How deep, in cells, each grid point lies in the hull above the sheet; negative outside.

    `doubted`: so many outlines may be wrong anywhere: the next smallest depth counts. Far from the surface
    the values are rough, but have the right sign.
    """
    coarse_shape = [-(-size // _BLOCK) for size in grid.shape]
    centre = grid.low + grid.step * (_BLOCK - 1) / 2
    axes = [centre[axis] + _BLOCK * grid.step * np.arange(coarse_shape[axis]) for axis in range(3)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    rough = depth_of(outlines, points, doubted, _REACH * _BLOCK * grid.step).reshape(coarse_shape)
    rough /= np.float32(grid.step)
    depth = rough.repeat(_BLOCK, 0).repeat(_BLOCK, 1).repeat(_BLOCK, 2)
    depth = np.ascontiguousarray(depth[: grid.shape[0], : grid.shape[1], : grid.shape[2]])
    near = np.abs(rough) < _REACH * _BLOCK
    fine = near.repeat(_BLOCK, 0).repeat(_BLOCK, 1).repeat(_BLOCK, 2)
    places = np.argwhere(fine[: grid.shape[0], : grid.shape[1], : grid.shape[2]]).astype(np.int32)
    for start in range(0, len(places), _BATCH):
        some = places[start : start + _BATCH]
        exact = depth_of(outlines, (grid.low + grid.step * some).astype(np.float32), doubted, 4 * grid.step)
        depth[tuple(some.T)] = exact / np.float32(grid.step)
    for axis in range(3):  # the grid's border counts as outside, so that the surface closes
        np.moveaxis(depth, axis, 0)[[0, -1]] = -1
    return depth


def depth_of(
    outlines: Sequence[Outline], points: Floats, doubted: int = 0, far: float = float("inf")
) -> Floats:
    """How deep, in mm, (n, 3) points lie in all but `doubted` of the outlines and above the sheet.

    Beyond `far` outside, the value is only an upper bound.
    """
    floor = points[:, 2]
    least = np.full((doubted + 1, len(points)), np.inf, np.float32)  # the smallest depths, in order
    open_yet = np.flatnonzero(floor > -far)
    for one in outlines:
        rest = one.depth_of(points[open_yet])
        for place in range(doubted + 1):
            held = least[place, open_yet]
            least[place, open_yet] = np.minimum(held, rest)
            rest = np.maximum(held, rest)
        open_yet = open_yet[least[-1, open_yet] > -far]
    return np.asarray(np.minimum(least[-1], floor), np.float32)


def largest_piece(solid: Mask) -> Mask:
    """The largest connected piece of a solid grid."""
    labels, count = ndimage.label(solid)
    if count < 2:
        return solid
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())

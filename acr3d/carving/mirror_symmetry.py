"""Shape prior: the part is mirror-symmetric across a middle plane.

Perspective lets the hull bulge on a side that no photo shows. If all silhouettes that show a direction are
mirror-symmetric along it, the hull's mirror image bounds the part too, as a photo from the other side would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import AXIS_NAMES, PinholeCamera, Points, viewing_axis
from acr3d.carving.distance_field import DistanceField

Vector = NDArray[np.float64]
FloatArray = NDArray[np.float32]

_CELLS = 120  # per side of the box, for comparing a silhouette with its mirror image
_MIN_OVERLAP = 0.985  # IoU of a silhouette and its mirror image


@dataclass(frozen=True)
class MirrorSymmetry:
    """The part is symmetric across the plane perpendicular to `axis` at `middle`."""

    axis: int
    middle: float
    cameras: tuple[PinholeCamera, ...]
    fields: tuple[DistanceField, ...]

    def depth(self, points: Points) -> FloatArray:
        """How deep, in units, the mirror images of (n, 3) points lie inside all silhouettes."""
        mirrored = points.copy()
        mirrored[:, self.axis] = 2 * self.middle - mirrored[:, self.axis]
        depth = np.full(len(points), np.inf, np.float32)
        for camera, field in zip(self.cameras, self.fields, strict=True):
            np.minimum(depth, field.depth_of(camera, mirrored), out=depth)
        return depth

    def expanded_box(self, box: Vector) -> Vector:
        """The box unchanged: a mirror image needs no more space."""
        return box

    @property
    def facts(self) -> dict[str, Any]:
        """The prior's entry in the report."""
        return {"kind": "mirrored", "axis": AXIS_NAMES[self.axis]}


def find_mirror_symmetries(
    cameras: list[PinholeCamera], fields: list[DistanceField], box: Vector
) -> list[MirrorSymmetry]:
    """The symmetries across middle planes that all silhouettes have and of which one side has no photo."""
    mirrors = []
    for axis in range(3):
        along = [camera for camera in cameras if viewing_axis(camera.side) == axis]
        if len(along) == 1 and _is_mirrored(axis, cameras, fields, box):
            mirrors.append(MirrorSymmetry(axis, float(box[:, axis].mean()), tuple(cameras), tuple(fields)))
    return mirrors


def _is_mirrored(axis: int, cameras: list[PinholeCamera], fields: list[DistanceField], box: Vector) -> bool:
    showing = [number for number, camera in enumerate(cameras) if viewing_axis(camera.side) != axis]
    for number in showing:
        camera = cameras[number]
        points = _middle_plane(viewing_axis(camera.side), box)
        inside = fields[number].depth_of(camera, points.reshape(-1, 3)).reshape(points.shape[:2]) > 0
        across = sorted({0, 1, 2} - {viewing_axis(camera.side)}).index(axis)
        mirrored = np.flip(inside, across)
        if (inside & mirrored).sum() < _MIN_OVERLAP * (inside | mirrored).sum():
            return False
    return bool(showing)


def _middle_plane(normal: int, box: Vector) -> Vector:
    """(n, n, 3) points of the box's middle plane perpendicular to `normal`, the other two axes in order."""
    one, other = sorted({0, 1, 2} - {normal})
    points = np.empty((_CELLS, _CELLS, 3))
    points[:] = box.mean(0)
    points[..., one] = np.linspace(box[0, one], box[1, one], _CELLS)[:, None]
    points[..., other] = np.linspace(box[0, other], box[1, other], _CELLS)
    return points

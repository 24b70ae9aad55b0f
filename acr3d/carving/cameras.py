"""The six labelled sides and the pinhole cameras in front of them.

The part's axes are glTF's, seen by a viewer in front of the part: +X to the right, +Y up, +Z towards the
viewer. "Left" and "right" are the viewer's too. Lengths are arbitrary until the solid is scaled at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]

# For each side: the part's directions along the picture's right, its up, and towards the camera (rows).
_RIGHT, _UP, _FRONT = np.eye(3)
SIDES: dict[str, NDArray[np.float64]] = {
    "front": np.array([_RIGHT, _UP, _FRONT]),
    "back": np.array([-_RIGHT, _UP, -_FRONT]),
    "left": np.array([_FRONT, _UP, -_RIGHT]),
    "right": np.array([-_FRONT, _UP, _RIGHT]),
    "top": np.array([_RIGHT, -_FRONT, _UP]),
    "bottom": np.array([_RIGHT, _FRONT, -_UP]),
}
AXIS_NAMES = ("width", "height", "depth")


def viewing_axis(side: str) -> int:
    """The axis (0 width, 1 height, 2 depth) that a camera on this side looks along."""
    return int(np.abs(SIDES[side][2]).argmax())


@dataclass(frozen=True)
class PinholeCamera:
    """A pinhole camera in front of one side, in mask pixels.

    `zoom`: pixels per unit of length at the part's centre. `shift`: offset of that centre from the optical
    axis to the picture's right and up, in units. `principal_point`: where the optical axis meets the picture
    (column, row). `tilt`: small rotations about the picture's right, up and viewing axes, in radians.
    `inverse_distance`: one over the distance to the part's centre; 0 means no perspective.
    """

    side: str
    zoom: float
    shift: tuple[float, float]
    principal_point: tuple[float, float]
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    inverse_distance: float = 0.0

    def with_changes(self, **changes: object) -> PinholeCamera:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @cached_property
    def rotation(self) -> NDArray[np.float64]:
        """The rotation from the part's axes to the picture's right, up and towards the camera (rows)."""
        return _rotation_from_tilt(self.tilt) @ SIDES[self.side]

    def project(self, points: Points) -> tuple[Points, Points, Points]:
        """(column, row, depth) of (n, 3) points: pixels, pixels, and units of length towards the camera."""
        return _project(self, *(points @ self.rotation.T.astype(points.dtype)).T)

    def unproject(self, column: Points, row: Points, towards: Points) -> Points:
        """The (n, 3) points at the given pixels and depths; the inverse of `project`."""
        return np.stack(_unproject(self, column, row, towards), -1) @ self.rotation

    def view_directions(self, points: Points) -> Points:
        """Unit vectors from (n, 3) points to the camera."""
        if self.inverse_distance < 1e-6:
            return np.broadcast_to(self.rotation[2].astype(points.dtype), points.shape)
        position = np.array([-self.shift[0], -self.shift[1], 1 / self.inverse_distance]) @ self.rotation
        directions = position.astype(points.dtype) - points
        lengths = np.sqrt(np.einsum("ij,ij->i", directions, directions))
        return np.asarray(directions / lengths[:, None], points.dtype)


@dataclass(frozen=True)
class CameraBatch:
    """One camera per point, as arrays of PinholeCamera's fields: fast for many cameras with few points."""

    rotation: NDArray[np.float64]
    zoom: NDArray[np.float64]
    shift: NDArray[np.float64]
    principal_point: NDArray[np.float64]
    inverse_distance: NDArray[np.float64]

    @classmethod
    def stack(cls, cameras: Sequence[PinholeCamera]) -> CameraBatch:
        """A batch of these cameras."""
        return cls(
            np.array([camera.rotation for camera in cameras]),
            np.array([camera.zoom for camera in cameras]),
            np.array([camera.shift for camera in cameras]).T,
            np.array([camera.principal_point for camera in cameras]).T,
            np.array([camera.inverse_distance for camera in cameras]),
        )

    def take(self, which: NDArray[np.int64]) -> CameraBatch:
        """A batch of the cameras with these indices."""
        shift, centre = self.shift[:, which], self.principal_point[:, which]
        return CameraBatch(
            self.rotation[which], self.zoom[which], shift, centre, self.inverse_distance[which]
        )

    def project(self, points: Points) -> tuple[Points, Points, Points]:
        """Like PinholeCamera.project, each point by its own camera."""
        return _project(self, *np.einsum("nij,nj->in", self.rotation, points))

    def unproject(self, column: Points, row: Points, towards: Points) -> Points:
        """Like PinholeCamera.unproject, each point by its own camera."""
        seen = np.stack(_unproject(self, column, row, towards))
        return np.asarray(np.einsum("jn,nji->ni", seen, self.rotation))


def _project(
    camera: PinholeCamera | CameraBatch, across: Points, up: Points, towards: Points
) -> tuple[Points, Points, Points]:
    zoom = camera.zoom / (1 - camera.inverse_distance * towards)
    column = camera.principal_point[0] + zoom * (across + camera.shift[0])
    row = camera.principal_point[1] - zoom * (up + camera.shift[1])
    return column, row, towards


def _unproject(
    camera: PinholeCamera | CameraBatch, column: Points, row: Points, towards: Points
) -> tuple[Points, Points, Points]:
    unit = (1 - camera.inverse_distance * towards) / camera.zoom
    across = (column - camera.principal_point[0]) * unit - camera.shift[0]
    up = (camera.principal_point[1] - row) * unit - camera.shift[1]
    return across, up, towards


def _rotation_from_tilt(tilt: tuple[float, float, float]) -> NDArray[np.float64]:
    (sx, sy, sz), (cx, cy, cz) = np.sin(tilt), np.cos(tilt)
    about_right = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_up = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_view = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: NDArray[np.float64] = about_view @ about_up @ about_right
    return rotation

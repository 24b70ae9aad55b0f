"""The six labelled sides and the cameras that stand before them.

The part's axes are glTF's: +X to the right and +Y up for who stands before the front, +Z towards them.
Left and right are that viewer's. Lengths are arbitrary until the solid is scaled at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]

# For each side: the part's direction that lies along the picture's right, up, and towards the camera.
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


def axis_towards(side: str) -> int:
    """Which of the part's axes (0 width, 1 height, 2 depth) a camera on this side looks along."""
    return int(np.abs(SIDES[side][2]).argmax())


@dataclass(frozen=True)
class Camera:
    """A pinhole camera before one side, in mask pixels.

    `zoom`: pixels per unit of length at the part's middle; `shift`: where that middle lies off the optical
    axis (picture's right and up, in units); `tilt`: small turns about the picture's right, up and viewing
    axes, in radians; `nearness`: one over the distance to the part's middle (0: no perspective);
    `centre`: the optical axis in the picture.
    """

    side: str
    zoom: float
    shift: tuple[float, float]
    centre: tuple[float, float]
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
    nearness: float = 0.0

    def moved(self, **changes: object) -> Camera:
        """The same camera with some of its fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @cached_property
    def turn(self) -> NDArray[np.float64]:
        """The rotation from the part's axes to the picture's right, up and towards the camera (rows)."""
        return _small_turn(self.tilt) @ SIDES[self.side]

    def project(self, points: Points) -> tuple[Points, Points, Points]:
        """(column, row, depth) of (n, 3) points: pixels, pixels, and units towards the camera."""
        return _projected(self, *(points @ self.turn.T.astype(points.dtype)).T)

    def points_at(self, column: Points, row: Points, towards: Points) -> Points:
        """The (n, 3) points seen at the given pixels at the given depths: the inverse of `project`."""
        return np.stack(_unprojected(self, column, row, towards), -1) @ self.turn

    def direction_to(self, points: Points) -> Points:
        """Unit vectors from (n, 3) points to the camera."""
        if self.nearness < 1e-6:
            return np.broadcast_to(self.turn[2].astype(points.dtype), points.shape)
        place = np.array([-self.shift[0], -self.shift[1], 1 / self.nearness]) @ self.turn
        ways = place.astype(points.dtype) - points
        return np.asarray(ways / np.sqrt(np.einsum("ij,ij->i", ways, ways))[:, None], points.dtype)


@dataclass(frozen=True)
class EachCamera:
    """A camera for each point, in arrays of what a Camera holds: quick where many cameras have few points."""

    turn: NDArray[np.float64]
    zoom: NDArray[np.float64]
    shift: NDArray[np.float64]
    centre: NDArray[np.float64]
    nearness: NDArray[np.float64]

    @classmethod
    def of(cls, cameras: Sequence[Camera]) -> EachCamera:
        """These cameras, for as many points."""
        return cls(
            np.array([camera.turn for camera in cameras]),
            np.array([camera.zoom for camera in cameras]),
            np.array([camera.shift for camera in cameras]).T,
            np.array([camera.centre for camera in cameras]).T,
            np.array([camera.nearness for camera in cameras]),
        )

    def some(self, which: NDArray[np.int64]) -> EachCamera:
        """For each of other points one of these, by its number."""
        shift, centre = self.shift[:, which], self.centre[:, which]
        return EachCamera(self.turn[which], self.zoom[which], shift, centre, self.nearness[which])

    def project(self, points: Points) -> tuple[Points, Points, Points]:
        """As Camera.project, each point by its own camera."""
        return _projected(self, *np.einsum("nij,nj->in", self.turn, points))

    def points_at(self, column: Points, row: Points, towards: Points) -> Points:
        """As Camera.points_at, each point by its own camera."""
        seen = np.stack(_unprojected(self, column, row, towards))
        return np.asarray(np.einsum("jn,nji->ni", seen, self.turn))


def _projected(
    camera: Camera | EachCamera, across: Points, up: Points, towards: Points
) -> tuple[Points, Points, Points]:
    zoom = camera.zoom / (1 - camera.nearness * towards)
    column = camera.centre[0] + zoom * (across + camera.shift[0])
    row = camera.centre[1] - zoom * (up + camera.shift[1])
    return column, row, towards


def _unprojected(
    camera: Camera | EachCamera, column: Points, row: Points, towards: Points
) -> tuple[Points, Points, Points]:
    unit = (1 - camera.nearness * towards) / camera.zoom
    across = (column - camera.centre[0]) * unit - camera.shift[0]
    up = (camera.centre[1] - row) * unit - camera.shift[1]
    return across, up, towards


def _small_turn(tilt: tuple[float, float, float]) -> NDArray[np.float64]:
    (sx, sy, sz), (cx, cy, cz) = np.sin(tilt), np.cos(tilt)
    about_right = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_up = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_view = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turn: NDArray[np.float64] = about_view @ about_up @ about_right
    return turn

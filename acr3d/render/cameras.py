"""Where a camera stands and what it makes of points: parallel before a side, or on an orbit with a lens."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Points = NDArray[np.float64]

_X, _Y, _Z = np.eye(3)
# For each side: the model's direction along the picture's right, up, and towards the camera (glTF's axes).
SIDES: dict[str, Vector] = {
    "front": np.array([_X, _Y, _Z]),
    "back": np.array([-_X, _Y, -_Z]),
    "left": np.array([_Z, _Y, -_X]),
    "right": np.array([-_Z, _Y, _X]),
    "top": np.array([_X, -_Z, _Y]),
    "bottom": np.array([_X, _Z, -_Y]),
}
_MARGIN = 0.92  # of the picture's side, that the model fills when a parallel camera is fitted to it


@dataclass(frozen=True)
class Camera:
    """A camera that looks at `target`.

    `turn`: the model's directions along the picture's right, up and towards the camera (rows); `zoom`: pixels
    per unit of length at the target; `nearness`: one over the distance to the target (0: parallel);
    `shift`: where the target lies off the picture's middle, in pixels to the right and down.
    """

    turn: Vector
    target: Vector
    zoom: float
    nearness: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)

    def project(self, points: Points, size: tuple[int, int]) -> tuple[Points, Points, Points]:
        """(column, row, closeness) of (n, 3) points in a picture of (width, height).

        Columns and rows are continuous: the first pixel's middle is at 0.5. Closeness grows towards the
        camera and is linear in the picture, as depth itself is not. It is infinite behind the camera.
        """
        across, up, towards = ((points - self.target) @ self.turn.T).T
        nearer = 1 - self.nearness * towards
        with np.errstate(divide="ignore"):
            factor = np.where(nearer > 0, 1 / nearer, np.inf)
        column = size[0] / 2 + self.shift[0] + self.zoom * factor * np.where(nearer > 0, across, 0)
        row = size[1] / 2 + self.shift[1] - self.zoom * factor * np.where(nearer > 0, up, 0)
        return column, row, factor if self.nearness else towards

    def points_at(self, column: Points, row: Points, closeness: Points, size: tuple[int, int]) -> Points:
        """The (n, 3) points seen at these places at this closeness: the inverse of `project`."""
        factor = closeness if self.nearness else 1.0
        towards = (1 - 1 / closeness) / self.nearness if self.nearness else closeness
        across = (column - size[0] / 2 - self.shift[0]) / (self.zoom * factor)
        up = (size[1] / 2 + self.shift[1] - row) / (self.zoom * factor)
        return np.asarray(np.stack([across, up, towards], -1) @ self.turn + self.target)

    def enlarged(self, by: float) -> Camera:
        """The same view in a picture `by` times as large."""
        return replace(self, zoom=self.zoom * by, shift=(self.shift[0] * by, self.shift[1] * by))

    def directions_to(self, points: Points) -> Points:
        """Unit vectors from (n, 3) points to the camera."""
        if not self.nearness:
            return np.broadcast_to(self.turn[2], points.shape)
        ways = self.target + self.turn[2] / self.nearness - points
        return np.asarray(ways / np.linalg.norm(ways, axis=1, keepdims=True))


def before_side(side: str, low: Vector, high: Vector, pixels: int) -> Camera:
    """A parallel camera before a side, the box from `low` to `high` filling a square picture."""
    turn = SIDES[side]
    largest = float(np.abs(turn[:2] @ (high - low)).max()) or 1.0
    return Camera(turn, (low + high) / 2, _MARGIN * pixels / largest)


@dataclass(frozen=True)
class Orbit:
    """A camera as <model-viewer> names it: angles in degrees, lengths in the model's metres.

    `theta` goes round from the front to the right, `phi` down from the top; `lens` is the vertical angle.
    """

    theta: float
    phi: float
    radius: float
    target: tuple[float, float, float]
    lens: float

    def camera(self, pixels: int) -> Camera:
        """The camera of a square picture."""
        theta, phi = math.radians(self.theta), math.radians(self.phi)
        towards = np.array([math.sin(phi) * math.sin(theta), math.cos(phi), math.sin(phi) * math.cos(theta)])
        right = np.array([math.cos(theta), 0.0, -math.sin(theta)])
        zoom = pixels / 2 / (math.tan(math.radians(self.lens) / 2) * self.radius)
        turn = np.array([right, np.cross(towards, right), towards])
        return Camera(turn, np.array(self.target), zoom, 1 / self.radius)

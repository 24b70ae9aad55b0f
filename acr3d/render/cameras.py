"""Cameras: an orthographic one for each side, and a perspective one on an orbit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Points = NDArray[np.float64]

_X, _Y, _Z = np.eye(3)
# For each side the model's directions (glTF axes) along the picture's right, up, and towards the camera.
SIDES: dict[str, Vector] = {
    "front": np.array([_X, _Y, _Z]),
    "back": np.array([-_X, _Y, -_Z]),
    "left": np.array([_Z, _Y, -_X]),
    "right": np.array([-_Z, _Y, _X]),
    "top": np.array([_X, -_Z, _Y]),
    "bottom": np.array([_X, _Z, -_Y]),
}
FILL = 0.92  # the share of the picture's side that the model fills in a view of one side


@dataclass(frozen=True)
class RenderCamera:
    """A camera that looks at `target`.

    `axes`: the model's directions along the picture's right, up and towards the camera (rows); `zoom`: pixels
    per unit of length at the target; `nearness`: one over the distance to the target (0: orthographic);
    `shift`: offset of the target from the picture's centre, in pixels to the right and down.
    """

    axes: Vector
    target: Vector
    zoom: float
    nearness: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)

    def project(self, points: Points, size: tuple[int, int]) -> tuple[Points, Points, Points]:
        """(column, row, closeness) of (n, 3) points in a picture of (width, height).

        Columns and rows are continuous: the first pixel's centre is at 0.5. Closeness grows towards the
        camera. Unlike depth it is linear in the picture. It is infinite behind the camera.
        """
        across, up, towards = ((points - self.target) @ self.axes.T).T
        nearer = 1 - self.nearness * towards
        with np.errstate(divide="ignore"):
            factor = np.where(nearer > 0, 1 / nearer, np.inf)
        column = size[0] / 2 + self.shift[0] + self.zoom * factor * np.where(nearer > 0, across, 0)
        row = size[1] / 2 + self.shift[1] - self.zoom * factor * np.where(nearer > 0, up, 0)
        return column, row, factor if self.nearness else towards

    def points_at(self, column: Points, row: Points, closeness: Points, size: tuple[int, int]) -> Points:
        """The (n, 3) points seen at these places with this closeness: the inverse of `project`."""
        factor = closeness if self.nearness else 1.0
        towards = (1 - 1 / closeness) / self.nearness if self.nearness else closeness
        across = (column - size[0] / 2 - self.shift[0]) / (self.zoom * factor)
        up = (size[1] / 2 + self.shift[1] - row) / (self.zoom * factor)
        return np.asarray(np.stack([across, up, towards], -1) @ self.axes + self.target)

    def enlarged(self, by: float) -> RenderCamera:
        """The same view in a picture `by` times as large."""
        return replace(self, zoom=self.zoom * by, shift=(self.shift[0] * by, self.shift[1] * by))

    def directions_to(self, points: Points) -> Points:
        """Unit vectors from (n, 3) points to the camera."""
        if not self.nearness:
            return np.broadcast_to(self.axes[2], points.shape)
        rays = self.target + self.axes[2] / self.nearness - points
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))


def side_camera(side: str, low: Vector, high: Vector, pixels: int) -> RenderCamera:
    """An orthographic camera facing a side; the box from `low` to `high` fills a square picture."""
    axes = SIDES[side]
    largest = float(np.abs(axes[:2] @ (high - low)).max()) or 1.0
    return RenderCamera(axes, (low + high) / 2, FILL * pixels / largest)


@dataclass(frozen=True)
class Orbit:
    """A camera in <model-viewer>'s terms: angles in degrees, lengths in metres.

    `theta` goes around from the front to the right, `phi` down from the top; `field_of_view` is vertical.
    """

    theta: float
    phi: float
    radius: float
    target: tuple[float, float, float]
    field_of_view: float

    def camera(self, pixels: int) -> RenderCamera:
        """The camera of a square picture."""
        theta, phi = math.radians(self.theta), math.radians(self.phi)
        towards = np.array([math.sin(phi) * math.sin(theta), math.cos(phi), math.sin(phi) * math.cos(theta)])
        right = np.array([math.cos(theta), 0.0, -math.sin(theta)])
        zoom = pixels / 2 / (math.tan(math.radians(self.field_of_view) / 2) * self.radius)
        axes = np.array([right, np.cross(towards, right), towards])
        return RenderCamera(axes, np.array(self.target), zoom, 1 / self.radius)

"""Cameras in the sheet's frame: a lens, and where it was held.

Lengths are millimetres on the capture sheet: origin at its centre, x right, y up the page, z out of it.
A camera's axes are OpenCV's: x right, y down, z forward; the centre of a picture's top-left pixel is (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHEET_TO_GLTF: Floats = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]) / 1000
"""Sheet millimetres to glTF metres: the sheet lies flat, its z is glTF's +Y."""


@dataclass(frozen=True)
class Lens:
    """A pinhole with one radial term, x_d = x (1 + k1 r²) (OpenCV's k1), in pixels of one picture size."""

    width: int
    height: int
    focal: float
    centre: tuple[float, float]
    k1: float = 0.0

    @property
    def matrix(self) -> Floats:
        """OpenCV's camera matrix (3, 3)."""
        return np.array([[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1.0]])

    def scaled(self, factor: float) -> Lens:
        """The same lens for pictures resized by `factor`; pixel centres stay at whole numbers."""
        x, y = ((value + 0.5) * factor - 0.5 for value in self.centre)
        width, height = round(self.width * factor), round(self.height * factor)
        return Lens(width, height, self.focal * factor, (x, y), self.k1)


@dataclass(frozen=True)
class Camera:
    """A frame's camera. `rotation` (3, 3) and `shift` (3,): X_camera = rotation · X_sheet + shift, in mm."""

    lens: Lens
    rotation: Floats
    shift: Floats

    @property
    def place(self) -> Floats:
        """The centre of projection on the sheet, (3,) mm."""
        return -self.rotation.T @ self.shift

    def project(self, points: NDArray[np.floating]) -> tuple[Floats, Floats]:
        """Pixels (n, 2) and depths (n,) mm of sheet points (n, 3). A depth that is not positive is behind."""
        seen = np.asarray(points, np.float64) @ self.rotation.T + self.shift
        depth = seen[:, 2]
        flat = seen[:, :2] / np.where(depth > 0, depth, np.nan)[:, None]
        bent = flat * (1 + self.lens.k1 * (flat**2).sum(1))[:, None]
        return bent * self.lens.focal + np.asarray(self.lens.centre), depth

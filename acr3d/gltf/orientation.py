"""Rotations: quaternions, and turns by right angles such as `x90` or `x90,y180`.

A turn rotates about one of the world's axes, counter-clockwise when that axis points at the viewer.
Several turns are applied one after the other. The 24 orientations of a box can all be written this way;
turns that cancel out (`x180,x180`) are no turn.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, ...]

_STEP = re.compile(r"([xyz])(90|180|270)")
_MOST_STEPS = 24
_COSINE_AND_SINE = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}


@dataclass(frozen=True)
class Turn:
    """A turn as it was written, and the rows of its rotation matrix (only 0, 1 and -1)."""

    text: str
    rows: tuple[tuple[int, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Turn | None:
        """The turn that `text` describes; None if it changes nothing. Raises ValueError."""
        steps = text.split(",") if text else []
        matrix = np.eye(3, dtype=int)
        for step in steps:
            found = _STEP.fullmatch(step)
            if found is None or len(steps) > _MOST_STEPS:
                raise ValueError(f"{text[:40]!r} is not a turn; use x90, y180, z270 or several: x90,y180")
            matrix = _axis_rotation(found[1], int(found[2])) @ matrix
        if (matrix == np.eye(3)).all():
            return None
        return cls(text, tuple(tuple(row) for row in matrix.tolist()))

    def box(self, low: Vector, high: Vector) -> tuple[Vector, Vector]:
        """Lowest and highest corner of the turned box."""
        corners = np.array([low, high], float) @ np.array(self.rows).T
        return tuple(corners.min(axis=0).tolist()), tuple(corners.max(axis=0).tolist())

    def point(self, at: Vector) -> Vector:
        """A point, turned about the origin."""
        return tuple((np.array(self.rows) @ np.array(at, float)).tolist())

    @property
    def quaternion(self) -> list[float]:
        """The turn as a glTF quaternion: x, y, z, w."""
        candidates = _right_angle_quaternions()
        return next(each for each in candidates if np.allclose(rotation_matrix(each), self.rows))


@functools.cache
def orientations() -> dict[str, NDArray[np.float64]]:
    """The rotation matrices of all 24 orientations by the shortest turn; "" is the identity."""
    steps = [f"{axis}{degrees}" for axis in "xyz" for degrees in (90, 180, 270)]
    found: dict[str, NDArray[np.float64]] = {"": np.eye(3)}
    for count in (1, 2):
        for words in itertools.product(steps, repeat=count):
            text = ",".join(words)
            matrix = turn_matrix(text)
            if not any((matrix == other).all() for other in found.values()):
                found[text] = matrix
    return found


def turn_matrix(text: str) -> NDArray[np.float64]:
    """The 3 × 3 rotation matrix of a turn; the identity for "". Raises ValueError."""
    turn = Turn.parse(text)
    return np.array(turn.rows, np.float64) if turn else np.eye(3)


def compose_quaternions(first: list[float], then: list[float]) -> list[float]:
    """The quaternion of one rotation after another (Hamilton's product `then` × `first`)."""
    x1, y1, z1, w1 = then
    x2, y2, z2, w2 = first
    return [
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
        w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
    ]


def rotation_matrix(quaternion: Sequence[float]) -> NDArray[np.float64]:
    """The 3 × 3 matrix of a node's `rotation` (glTF 2.0, 3.5.3)."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _axis_rotation(axis: str, degrees: int) -> NDArray[np.int_]:
    cosine, sine = _COSINE_AND_SINE[degrees]
    one, other = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3, dtype=int)
    matrix[one, one] = matrix[other, other] = cosine
    matrix[one, other], matrix[other, one] = -sine, sine
    return matrix


def _right_angle_quaternions() -> list[list[float]]:
    """The quaternions of all right-angle rotations: their components are 0 or of equal size."""
    parts = itertools.product((0, 1, -1), repeat=4)
    return [[part / sum(map(abs, four)) ** 0.5 for part in four] for four in parts if any(four)]

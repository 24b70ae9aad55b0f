"""Normals, areas and shape quality of a mesh's triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def normals_and_areas(vertices: Floats, triangles: Integers) -> tuple[Floats, Floats]:
    """Unit normals (m, 3) and areas (m,) of the triangles."""
    sides = _sides(vertices, triangles)
    crosses = _cross(sides[:, 0], sides[:, 1])
    lengths = _length(crosses)
    return (crosses / np.maximum(lengths, 1e-30)).T, lengths / 2


def triangle_quality(vertices: Floats, triangles: Integers) -> Floats:
    """Area over the square of the longest side: 0.43 for an equilateral triangle, near 0 for a sliver."""
    sides = _sides(vertices, triangles)
    longest = (sides**2).sum(0).max(0)
    full: Floats = _length(_cross(sides[:, 0], sides[:, 1])) / 2 / np.maximum(longest, 1e-30)
    return full


def _sides(vertices: Floats, triangles: Integers) -> Floats:
    """(3 axes, 3 sides, m): numpy is many times slower over a last axis of three."""
    corners = np.ascontiguousarray(vertices.T)[:, triangles.T]
    return np.roll(corners, -1, axis=1) - corners


def _cross(one: Floats, other: Floats) -> Floats:
    (a, b, c), (d, e, f) = one, other
    return np.stack([b * f - c * e, c * d - a * f, a * e - b * d])


def _length(vectors: Floats) -> Floats:
    length: Floats = np.sqrt((vectors**2).sum(0))
    return length

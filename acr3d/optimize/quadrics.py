"""Quadrics: weighted sums of squared distances from planes (Garland and Heckbert 1997), one per row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def plane_quadrics(planes: Floats, weights: Floats) -> Floats:
    """Weighted squared distances from planes (n, 4) as rows: A (6 values), b (3), c, and the weight."""
    x, y, z, d = planes.T
    rows = np.stack(
        [x * x, y * y, z * z, x * y, x * z, y * z, x * d, y * d, z * d, d * d, np.ones_like(d)], 1
    )
    weighted: Floats = rows * weights[:, None]
    return weighted


def quadric_form(quadrics: Floats, points: Floats) -> Floats:
    """p·A·p + 2 b·p + c."""
    x, y, z = points.T
    terms = np.stack(
        [x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z, 2 * x, 2 * y, 2 * z, np.ones_like(x)], 1
    )
    found: Floats = (quadrics[:, :10] * terms).sum(1)
    return found


def add_rows(sums: NDArray[np.floating], numbers: Ints, rows: Floats) -> None:
    """Add `rows` to the rows of `sums` with these numbers, in place."""
    for column in range(rows.shape[1]):
        sums[:, column] += np.bincount(numbers, rows[:, column], minlength=len(sums))

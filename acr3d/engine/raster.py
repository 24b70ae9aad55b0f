"""Which texels lie inside which triangles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 80_000  # texels looked at in one go: bounds the memory


def covered_texels(
    corners: NDArray[np.float64], side: int, shrink: float = 0.0
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Yield (texel, triangle, weights) for every texel whose middle lies inside a triangle.

    `corners` is (m, 3, 2) columns and rows; `texel` is row * side + column; `weights` are barycentric (k, 3).
    `shrink` leaves out texels nearer to a triangle's edge than that share; negative widens the triangles.
    """
    low = np.clip(np.floor(corners.min(1) - 0.5), 0, side - 1).astype(np.int64)
    high = np.clip(np.ceil(corners.max(1) - 0.5), 0, side - 1).astype(np.int64)
    spans = high - low + 1
    counts = spans.prod(1)
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _AT_ONCE, side="right")))
        yield _inside(corners, low, spans, counts, np.arange(start, stop), side, shrink)
        start = stop


def _inside(
    corners: NDArray[np.float64],
    low: NDArray[np.int64],
    spans: NDArray[np.int64],
    counts: NDArray[np.int64],
    chosen: NDArray[np.int64],
    side: int,
    shrink: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    face = np.repeat(chosen, counts[chosen])
    within = np.arange(len(face)) - np.repeat(np.cumsum(counts[chosen]) - counts[chosen], counts[chosen])
    column = low[face, 0] + within % spans[face, 0]
    row = low[face, 1] + within // spans[face, 0]
    weights = barycentric(corners[face], np.column_stack([column + 0.5, row + 0.5]))
    inside = weights.min(1) > shrink
    return (row * side + column)[inside], face[inside], weights[inside].astype(np.float32)


def barycentric(corners: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, 3) weights of points (k, 2) in their triangles (k, 3, 2); finite also where one has no area."""
    first, second, third = corners[:, 0], corners[:, 1], corners[:, 2]
    double = _cross(second - first, third - first)
    scale = 1 / np.where(np.abs(double) > 1e-12, double, np.inf)
    weight_first = _cross(second - points, third - points) * scale
    weight_second = _cross(third - points, first - points) * scale
    return np.column_stack([weight_first, weight_second, 1 - weight_first - weight_second])


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return product

"""Rasterize triangles into texels, and interpolate values between their corners."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BATCH_SIZE = 80_000  # texels per batch, to limit memory


def covered_texels(corners: Floats, side: int, shrink: float = 0.0) -> Iterator[tuple[Integers, Integers]]:
    """Yield (texels, triangles) in batches, for every texel whose centre lies inside a triangle.

    `corners` is (m, 3, 2) columns and rows; a texel's number is row * side + column. `shrink` leaves out
    texels closer to a triangle's edge than that share of its height; a negative value grows the triangles.
    """
    low = np.clip(np.floor(corners.min(1) - 0.5), 0, side - 1).astype(np.int64)
    high = np.clip(np.ceil(corners.max(1) - 0.5), 0, side - 1).astype(np.int64)
    spans = high - low + 1
    counts = spans.prod(1)
    weights = barycentric_terms(corners)
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _BATCH_SIZE, side="right")))
        some = slice(start, stop)
        texel, face = _inside(weights[some], low[some], spans[some], counts[some], side, shrink)
        yield texel, face + start
        start = stop


def _inside(
    weights: Floats, low: Integers, spans: Integers, counts: Integers, side: int, shrink: float
) -> tuple[Integers, Integers]:
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    down, across = np.divmod(within.astype(np.int32), np.repeat(spans[:, 0].astype(np.int32), counts))
    column, row = np.repeat(low[:, 0], counts) + across, np.repeat(low[:, 1], counts) + down
    inside = np.ones(len(column), bool)
    for corner in range(3):
        fixed, by_column, by_row = (np.repeat(weights[:, term, corner], counts) for term in range(3))
        inside &= fixed + by_column * (column + 0.5) + by_row * (row + 0.5) > shrink
    return (row * side + column)[inside], np.repeat(np.arange(len(counts)), counts)[inside]


def barycentric_terms(corners: Floats) -> Floats:
    """(m, 3, 3): barycentric weights as linear functions of column and row.

    The middle axis holds the constant term and the factors of column and row, the last axis the corners.
    `corners` is (m, 3, 2). The weights are 0 or 1 everywhere in a triangle without area.
    """
    x, y = corners[..., 0], corners[..., 1]
    next_x, next_y, last_x, last_y = (np.roll(axis, turn, 1) for turn in (-1, -2) for axis in (x, y))
    double = (next_x - x) * (last_y - y) - (last_x - x) * (next_y - y)
    scale = 1 / np.where(np.abs(double) > 1e-12, double, np.inf)
    terms = (
        np.stack([next_x * last_y - last_x * next_y, next_y - last_y, last_x - next_x], 1) * scale[:, None]
    )
    terms[:, 0, 2] += 1 - terms[:, 0].sum(1)  # the weights add up to one, however small the area
    return terms


def interpolate(terms: Floats, column: Floats, row: Floats) -> Floats:
    """(k, n) values at k points, each from its own (k, 3, n) terms."""
    values: Floats = terms[:, 0] + terms[:, 1] * column[:, None] + terms[:, 2] * row[:, None]
    return values

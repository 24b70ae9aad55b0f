"""A scanline rasterizer in numpy: which pixels triangles cover, and which triangle is nearest in each.

Triangles are cut into rows and rows into pixels. A pixel belongs to a triangle if its centre does, so
adjacent triangles neither overlap nor leave gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Numbers = NDArray[np.int64]

NOTHING = -1
_TRIANGLES_AT_ONCE = 1 << 15
_PIXELS_AT_ONCE = 1 << 18
_EMPTY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True)
class ScreenTriangles:
    """Projected triangles, see RenderCamera.project: three arrays (m, 3), one column per corner."""

    columns: Floats
    rows: Floats
    closeness: Floats

    def some(self, chosen: slice | NDArray[np.int64] | NDArray[np.bool_]) -> ScreenTriangles:
        return ScreenTriangles(self.columns[chosen], self.rows[chosen], self.closeness[chosen])


# From (triangles, columns, rows) of pixels to whether each of them is opaque.
PixelTest = Callable[[Numbers, Numbers, Numbers], NDArray[np.bool_]]


def coverage(screen: ScreenTriangles, width: int, height: int) -> NDArray[np.bool_]:
    """The mask of all pixels that are covered. It uses only where each row starts and ends, not pixels."""
    steps = np.zeros(height * (width + 1), np.int32)
    for _, row, first, stop in _spans(screen, width, height):
        start = row * (width + 1)
        steps += np.bincount(start + first, minlength=len(steps)).astype(np.int32)
        steps -= np.bincount(start + stop, minlength=len(steps)).astype(np.int32)
    covered: NDArray[np.bool_] = steps.reshape(height, width + 1).cumsum(1)[:, :width] > 0
    return covered


def nearest_triangles(
    screen: ScreenTriangles, width: int, height: int, is_solid: PixelTest | None = None
) -> NDArray[np.int32]:
    """The nearest triangle in each pixel, (height, width); NOTHING where there is none."""
    buffer = np.full(width * height, _EMPTY)
    depth = _Depth(screen)
    for triangle, row, first, stop in _spans(screen, width, height):
        for chosen in _chunks(stop - first):
            counts = (stop - first)[chosen]
            face, line = np.repeat(triangle[chosen], counts), np.repeat(row[chosen], counts)
            column = np.arange(len(face)) - np.repeat(np.cumsum(counts) - counts - first[chosen], counts)
            if is_solid is not None:
                kept = is_solid(face, column, line)
                face, line, column = face[kept], line[kept], column[kept]
            keys = depth.at(face, column + 0.5, line + 0.5) << np.uint64(32) | face.astype(np.uint64)
            np.minimum.at(buffer, line * width + column, keys)
    found = (buffer & np.uint64(0xFFFF_FFFF)).astype(np.int64)
    found[buffer == _EMPTY] = NOTHING
    return found.astype(np.int32).reshape(height, width)


class _Depth:
    """Depth within triangles: 0 at the nearest corner of all, 1 at the farthest."""

    def __init__(self, screen: ScreenTriangles) -> None:
        known = screen.closeness[np.isfinite(screen.closeness)]
        closest, farthest = (known.max(), known.min()) if len(known) else (1.0, 0.0)
        self.corners = (closest - screen.closeness) / max(closest - farthest, 1e-12)
        self.low, self.high = _extent(self.corners)
        self.screen = screen

    def at(self, face: Numbers, column: Floats, row: Floats) -> NDArray[np.uint64]:
        """The depth at pixels, clipped to the triangle's corners, as an integer with the same order."""
        weights = barycentric(self.screen, face, column, row)
        depth = (weights * self.corners[face]).sum(1).clip(self.low[face], self.high[face])
        # The bits of non-negative floats sort like the floats.
        key: NDArray[np.uint64] = depth.clip(0, 1).astype(np.float32).view(np.uint32).astype(np.uint64)
        return key


def barycentric(screen: ScreenTriangles, face: Numbers, column: Floats, row: Floats) -> Floats:
    """(k, 3) barycentric weights; finite even if a triangle has no area."""
    (x0, x1, x2), (y0, y1, y2) = screen.columns[face].T, screen.rows[face].T
    double = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    scale = 1 / np.where(np.abs(double) > 1e-12, double, np.inf)
    second = ((column - x0) * (y2 - y0) - (x2 - x0) * (row - y0)) * scale
    third = ((x1 - x0) * (row - y0) - (column - x0) * (y1 - y0)) * scale
    weights: Floats = np.column_stack([1 - second - third, second, third])
    return weights


def _spans(
    screen: ScreenTriangles, width: int, height: int
) -> Iterator[tuple[Numbers, Numbers, Numbers, Numbers]]:
    """Yield (triangle, row, first column, column after the last) for all rows of all triangles."""
    for start in range(0, len(screen.columns), _TRIANGLES_AT_ONCE):
        piece = screen.some(slice(start, start + _TRIANGLES_AT_ONCE))
        seen = np.flatnonzero(np.isfinite(piece.columns).all(1) & np.isfinite(piece.rows).all(1))
        low, high = _extent(piece.rows[seen])
        first = np.ceil(low - 0.5).clip(0, height).astype(np.int64)
        stop = np.ceil(high - 0.5).clip(0, height).astype(np.int64)
        tall = stop > first
        seen, first, stop = seen[tall], first[tall], stop[tall]
        for chosen in _chunks(stop - first):
            counts = (stop - first)[chosen]
            face = np.repeat(seen[chosen], counts)
            row = np.arange(len(face)) - np.repeat(np.cumsum(counts) - counts - first[chosen], counts)
            left, right = _crossings(piece.columns[face], piece.rows[face], row + 0.5)
            begin = np.ceil(left - 0.5).clip(0, width).astype(np.int64)
            end = np.ceil(right - 0.5).clip(0, width).astype(np.int64)
            some = end > begin
            yield face[some] + start, row[some], begin[some], end[some]


def _crossings(columns: Floats, rows: Floats, line: Floats) -> tuple[Floats, Floats]:
    """Where a horizontal line enters and leaves each triangle: at its tallest edge and at another one."""
    order = rows.argsort(1, kind="stable")
    (x0, x1, x2) = np.take_along_axis(columns, order, 1).T
    (y0, y1, y2) = np.take_along_axis(rows, order, 1).T
    long = _cross(x0, y0, x2, y2, line)
    short = np.where(line < y1, _cross(x0, y0, x1, y1, line), _cross(x1, y1, x2, y2, line))
    return np.minimum(long, short), np.maximum(long, short)


def _extent(values: Floats) -> tuple[Floats, Floats]:
    """Minimum and maximum of each row of three; numpy's own functions are slow on such a short axis."""
    one, two, three = values.T
    return np.minimum(np.minimum(one, two), three), np.maximum(np.maximum(one, two), three)


def _cross(xa: Floats, ya: Floats, xb: Floats, yb: Floats, line: Floats) -> Floats:
    height = np.where(yb > ya, yb - ya, np.inf)
    crossing: Floats = xa + (line - ya) / height * (xb - xa)
    return crossing


def _chunks(counts: Numbers) -> Iterator[slice]:
    """Slices of entries whose counts add up to about _PIXELS_AT_ONCE, to limit memory."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _PIXELS_AT_ONCE, side="right")))
        yield slice(start, stop)
        start = stop

"""How far points are from a surface, and which of its triangles are nearest to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array

Ints = NDArray[np.intp]

# Points are searched together, so that most triangles are ruled out for all of them at once.
_POINTS = 64
_PAIRS = 1 << 16
# Triangles this much longer than the median would reach into every block of points.
_LARGE = 16
# Shares of the surface's extent, nearest first. Beyond the last one the distance is only an estimate.
_REACHES = (1 / 4096, 1 / 512, 1 / 64)
_ESTIMATES = 64


@dataclass(frozen=True)
class NearPairs:
    """Points and triangles near them, by number; weights (n, 3) of the nearest places, and distances."""

    point: Ints
    triangle: Ints
    weights: Array
    distance: Array


@dataclass(frozen=True)
class _Layer:
    """Some triangles in the order of their lower ends; how far each, and any before it, reaches."""

    order: Ints
    starts: Array
    reached: Array


class Surface:
    """Triangles `faces` (m, 3) of `positions` (n, 3) that can be searched."""

    def __init__(self, positions: Array, faces: NDArray[np.uint32]) -> None:
        self._positions, self._faces = positions, faces
        corners = positions.astype(np.float32)[faces]
        self._low, self._high = corners.min(axis=1), corners.max(axis=1)
        self.extent = float((self._high.max(axis=0) - self._low.min(axis=0)).max())
        self._axis = int(np.ptp(self._low, axis=0).argmax())
        lengths = self._high[:, self._axis] - self._low[:, self._axis]
        is_large = lengths > _LARGE * np.median(lengths)
        self._layers = [self._layer(np.flatnonzero(each)) for each in (is_large, ~is_large)]

    def distances(self, points: Array) -> Array:
        """The distance of each point (n, 3) from the surface."""
        found, pairs = np.full(len(points), np.inf), self.nearest(points)
        np.minimum.at(found, pairs.point, pairs.distance)
        return found

    def nearest(self, points: Array) -> NearPairs:
        """For each point the nearest triangle, among others."""
        count = len(self._faces)
        if len(points) * count <= _PAIRS:
            # Searching would take longer than measuring everything.
            point, triangle = np.divmod(np.arange(len(points) * count), count)
            return self._measured(points, point, triangle, np.inf)
        waiting, found = np.arange(len(points)), []
        for reach in _REACHES:
            pairs = self._within(points, waiting, reach * self.extent)
            found.append(pairs)
            waiting = np.setdiff1d(waiting, pairs.point)
        return _joined([*found, *(self._estimate(points, point) for point in waiting.tolist())])

    def _within(self, points: Array, chosen: Ints, reach: float) -> NearPairs:
        """All pairs of a chosen point and a triangle at most `reach` away."""
        order = chosen[np.argsort(points[chosen, self._axis])]
        blocks = [order[at : at + _POINTS] for at in range(0, len(order), _POINTS)]
        return _joined(
            [
                pairs
                for block in blocks
                for layer in self._layers
                for pairs in self._in_layer(points, block, layer, reach)
            ]
        )

    def _in_layer(self, points: Array, block: Ints, layer: _Layer, reach: float) -> Iterator[NearPairs]:
        """The pairs of a block of points with one layer's triangles."""
        at = points[block]
        first = np.searchsorted(layer.reached, at[:, self._axis].min() - reach)
        last = np.searchsorted(layer.starts, at[:, self._axis].max() + reach, side="right")
        slab = layer.order[first:last]
        is_near = np.ones((len(block), len(slab)), bool)
        for axis in range(3):
            is_near &= self._low[slab, axis] <= at[:, axis, None] + reach
            is_near &= self._high[slab, axis] >= at[:, axis, None] - reach
        rows, columns = np.nonzero(is_near)
        for start in range(0, len(rows), _PAIRS):
            some = slice(start, start + _PAIRS)
            yield self._measured(points, block[rows[some]], slab[columns[some]], reach)

    def _estimate(self, points: Array, point: int) -> NearPairs:
        """For a point far from the surface: the triangles with the nearest middles."""
        off = np.linalg.norm((self._low + self._high) / 2 - points[point], axis=1)
        near = np.argpartition(off, min(_ESTIMATES, len(off)) - 1)[:_ESTIMATES]
        return self._measured(points, np.full(len(near), point), near, np.inf)

    def _measured(self, points: Array, numbers: Ints, triangles: Ints, reach: float) -> NearPairs:
        """The pairs of these points and triangles that are at most `reach` apart."""
        corners, at = self._positions[self._faces[triangles]].astype(float), points[numbers]
        weights = _closest_weights(at, corners)
        distance = np.linalg.norm(np.einsum("nc,ncd->nd", weights, corners) - at, axis=1)
        near = ~(distance > reach)
        return NearPairs(numbers[near], triangles[near], weights[near], distance[near])

    def _layer(self, triangles: Ints) -> _Layer:
        order = triangles[np.argsort(self._low[triangles, self._axis])]
        starts, ends = self._low[order, self._axis], self._high[order, self._axis]
        return _Layer(order, starts, np.maximum.accumulate(ends))


def _joined(parts: list[NearPairs]) -> NearPairs:
    empty = NearPairs(np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, 3)), np.empty(0))
    parts = [empty, *parts]
    return NearPairs(
        np.concatenate([each.point for each in parts]),
        np.concatenate([each.triangle for each in parts]),
        np.concatenate([each.weights for each in parts]),
        np.concatenate([each.distance for each in parts]),
    )


def _closest_weights(points: Array, triangles: Array) -> Array:
    """Barycentric weights of the nearest place on each triangle (Ericson 2005, 5.1.5, vectorized).

    It is the projection onto the plane if that lies inside, else the nearest point on the three edges.
    """
    a, b, c = (triangles[:, at] for at in range(3))
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = _dot(ab, ab), _dot(ab, ac), _dot(ac, ac)
    d20, d21 = _dot(ap, ab), _dot(ap, ac)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-300)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    weights, best = np.stack([1 - v - w, v, w], axis=-1), np.where(inside, -1.0, np.inf)
    for one, other in ((0, 1), (1, 2), (2, 0)):
        start, along = triangles[:, one], triangles[:, other] - triangles[:, one]
        share = np.clip(_dot(points - start, along) / np.maximum(_dot(along, along), 1e-300), 0, 1)
        off = points - start - share[:, None] * along
        distance = _dot(off, off)
        nearer = distance < best
        edge = np.zeros_like(weights)
        edge[:, one], edge[:, other] = 1 - share, share
        weights, best = np.where(nearer[:, None], edge, weights), np.where(nearer, distance, best)
    return weights


def _dot(one: Array, other: Array) -> Array:
    product: Array = np.einsum("nd,nd->n", one, other)
    return product

"""Flip edges to remove needle-thin triangles: two triangles that share an edge swap the diagonal.

An edge is flipped only if both diagonals nearly intersect, so that the surface stays in place, and if the
thinner of the two triangles gets a better shape. The mesh stays closed and keeps its topology.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.mesh_math import normals_and_areas, triangle_quality
from acr3d.carving.visual_hull import TriangleMesh

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROUNDS = 6
_MAX_QUALITY = 0.12  # about 14° in the sharpest corner; better triangles are left alone
_MIN_GAIN = 1.1  # new quality over old
_MAX_DIAGONAL_GAP = 1e-3  # between the two diagonals, relative to the part's largest side
_MIN_NORMAL_COSINE = 0.5  # between a new triangle's normal and the old pair's mean normal


def flip_edges(mesh: TriangleMesh) -> TriangleMesh:
    """The same vertices with better-shaped triangles, where that hardly moves the surface."""
    vertices, triangles = mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64)
    step = _MAX_DIAGONAL_GAP * float((vertices.max(0) - vertices.min(0)).max())
    for _ in range(_ROUNDS):
        edges = _HalfEdges(triangles, len(vertices))
        pairs, corners = edges.adjacent_pairs(
            np.flatnonzero(triangle_quality(vertices, triangles) < _MAX_QUALITY)
        )
        better = _improves_quality(vertices, corners, step) & ~edges.contains(corners[:, 2:])
        chosen = _disjoint_flips(corners[better], len(vertices))
        if not len(chosen):
            break
        one, other = pairs[better][chosen].T
        a, b, c, d = corners[better][chosen].T
        triangles[one], triangles[other] = np.column_stack([a, d, c]), np.column_stack([d, b, c])
    return TriangleMesh(mesh.vertices, triangles.astype(np.int32))


class _HalfEdges:
    """The half-edges of a closed mesh: each edge twice, once in the direction of each of its triangles."""

    def __init__(self, triangles: Integers, count: int) -> None:
        self.count = count
        self.triangles = triangles
        keys = (triangles * count + np.roll(triangles, -1, axis=1)).reshape(-1)
        self.order = np.argsort(keys)
        self.keys = keys[self.order]

    def adjacent_pairs(self, faces: Integers) -> tuple[Integers, Integers]:
        """(pairs, corners) of these triangles with each of their neighbours.

        Corners are a, b, c, d: the first triangle is a b c, its neighbour b a d.
        """
        a, b, c = (np.roll(self.triangles[faces], -turn, axis=1).reshape(-1) for turn in range(3))
        twin = self.order[np.searchsorted(self.keys, b * self.count + a)]
        neighbour, place = np.divmod(twin, 3)
        d = self.triangles[neighbour, (place + 2) % 3]
        return np.column_stack([np.repeat(faces, 3), neighbour]), np.column_stack([a, b, c, d])

    def contains(self, edges: Integers) -> NDArray[np.bool_]:
        """Whether edges (n, 2) are in the mesh."""
        wanted = edges[:, 0] * self.count + edges[:, 1]
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        known: NDArray[np.bool_] = self.keys[places] == wanted
        return known


def _improves_quality(vertices: Floats, corners: Integers, step: float) -> NDArray[np.bool_]:
    """Whether flipping each edge gives better, outward-facing triangles and leaves the surface in place."""
    a, b, c, d = corners.T
    old = [np.column_stack(triangle) for triangle in ((a, b, c), (b, a, d))]
    new = [np.column_stack(triangle) for triangle in ((a, d, c), (d, b, c))]
    before = np.minimum(*(triangle_quality(vertices, triangle) for triangle in old))
    after = np.minimum(*(triangle_quality(vertices, triangle) for triangle in new))
    normals, areas = zip(*(normals_and_areas(vertices, triangle) for triangle in old), strict=True)
    mean = sum(normal * area[:, None] for normal, area in zip(normals, areas, strict=True))
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-30)
    turns = [np.einsum("ij,ij->i", normals_and_areas(vertices, triangle)[0], mean) for triangle in new]
    across = np.cross(vertices[b] - vertices[a], vertices[d] - vertices[c])
    length = np.maximum(np.linalg.norm(across, axis=1), 1e-30)
    apart = np.abs(np.einsum("ij,ij->i", vertices[c] - vertices[a], across)) / length
    better: NDArray[np.bool_] = (
        (after > _MIN_GAIN * before) & (np.minimum(*turns) > _MIN_NORMAL_COSINE) & (apart < step)
    )
    return better


def _disjoint_flips(corners: Integers, count: int) -> Integers:
    """The pairs of triangles that come before all others at each of their four corners."""
    order = np.arange(len(corners))
    first = np.full(count, len(corners), np.int64)
    for corner in corners.T:
        np.minimum.at(first, corner, order)
    return np.flatnonzero((first[corners] == order[:, None]).all(1))

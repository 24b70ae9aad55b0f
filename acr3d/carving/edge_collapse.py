"""Mesh simplification by quadric edge collapse (Garland and Heckbert 1997), many edges at a time.

Each round collapses a set of cheap edges that do not touch each other's triangles, so that a whole round is
a few array operations. The mesh must be closed; it stays closed and keeps its topology.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acr3d.carving.mesh_math import normals_and_areas, triangle_quality
from acr3d.carving.visual_hull import TriangleMesh

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROUNDS = 80
_SAMPLED_SHARE = 0.3  # of all edges, chosen at random in each round
_CHEAPEST_SHARE = 0.6  # of the sampled edges, those that may be collapsed
_LENGTH_WEIGHT = 1e-3  # edges in a flat region cost nothing; with this, short ones go first: fewer slivers
_MIN_QUALITY = 0.05  # a triangle below this may not become thinner
_NEEDLE_RATIO = 0.25  # shortest side over longest of a thin triangle that is collapsed at the end
_VANISHING_QUALITY_SHARE = 0.6  # a neighbour may become this thin, relative to the triangle that vanishes
_NEEDLE_ROUNDS = 10
_PASSES = 3  # over a round's edges, adding those independent of the ones chosen before (Luby 1986)
_MIN_NORMAL_COSINE = 0.3  # between a triangle's normals before and after a collapse


def simplify(mesh: TriangleMesh, most_triangles: int) -> TriangleMesh:
    """The mesh with at most `most_triangles` triangles, or as few as its topology allows."""
    surface = _CollapsingMesh(mesh)
    random = np.random.default_rng(0)
    for _ in range(_ROUNDS):
        surplus = (len(surface.triangles) - most_triangles) // 2
        if surplus <= 0:
            break
        drawn = random.permutation(len(surface.edges))[: math.ceil(_SAMPLED_SHARE * len(surface.edges))]
        if not surface.collapse(surface.edges[drawn], _CHEAPEST_SHARE, surplus):
            break
    for _ in range(_NEEDLE_ROUNDS):
        needles = surface.needles()
        if not len(needles) or not surface.collapse(random.permutation(needles), 1.0, len(needles)):
            break
    return TriangleMesh(surface.vertices.astype(np.float32), surface.triangles.astype(np.int32))


class _CollapsingMesh:
    """A closed mesh with its vertices' quadrics, whose edges are collapsed."""

    def __init__(self, mesh: TriangleMesh) -> None:
        self.vertices, self.triangles = mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64)
        self.quadrics = _vertex_quadrics(self.vertices, self.triangles)
        self.edges = _edges(self.triangles)

    def needles(self) -> Integers:
        """The shortest edges of thin triangles, where two corners nearly coincide."""
        thin = self.triangles[triangle_quality(self.vertices, self.triangles) < _MIN_QUALITY]
        sides = np.stack([thin, np.roll(thin, -1, axis=1)], -1)
        lengths = ((self.vertices[sides[..., 0]] - self.vertices[sides[..., 1]]) ** 2).sum(2)
        shortest = lengths.argmin(1)
        each = np.arange(len(thin))
        is_needle = lengths[each, shortest] < _NEEDLE_RATIO**2 * lengths.max(1)
        return np.unique(np.sort(sides[each, shortest][is_needle], axis=1), axis=0)

    def collapse(self, drawn: Integers, cheapest: float, most: int) -> bool:
        """Collapse at most `most` of the cheapest share of these edges; return whether there were any."""
        vertices, triangles, edges = self.vertices, self.triangles, self.edges
        costs, targets = _collapse_costs(drawn, vertices, self.quadrics)
        cheap = np.flatnonzero(costs <= np.quantile(costs, cheapest))
        chosen = _independent_edges(drawn, cheap, triangles, len(vertices))
        chosen = chosen[_keeps_topology(drawn[chosen], edges, len(vertices))]
        chosen = chosen[_keeps_orientation(drawn[chosen], targets[chosen], vertices, triangles)]
        chosen = chosen[np.argsort(costs[chosen])][:most]
        if not len(chosen):
            return False
        self.vertices, self.triangles, self.quadrics = _collapse(
            drawn[chosen], targets[chosen], vertices, triangles, self.quadrics
        )
        self.edges = _edges(self.triangles)
        return True


def _vertex_quadrics(vertices: Floats, triangles: Integers) -> Floats:
    """(n, 10): per vertex, the area-weighted sum of its planes' quadrics, upper triangle row by row."""
    normals, areas = normals_and_areas(vertices, triangles)
    offsets = -np.einsum("ij,ij->i", normals, vertices[triangles[:, 0]])
    planes = np.column_stack([normals, offsets])
    upper = np.triu_indices(4)
    per_triangle = planes[:, upper[0]] * planes[:, upper[1]] * areas[:, None]
    quadrics = np.empty((len(vertices), 10))
    for entry in range(10):
        weights = np.repeat(per_triangle[:, entry], 3)
        quadrics[:, entry] = np.bincount(triangles.ravel(), weights, len(vertices))
    return quadrics


def _edges(triangles: Integers) -> Integers:
    """Every edge once, as pairs (smaller, larger)."""
    forward = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    return forward[forward[:, 0] < forward[:, 1]]


def _collapse_costs(edges: Integers, vertices: Floats, quadrics: Floats) -> tuple[Floats, Floats]:
    """Per edge, the cost of collapsing it and the point to collapse it to."""
    quadric = quadrics[edges[:, 0]] + quadrics[edges[:, 1]]
    one, other = vertices[edges[:, 0]], vertices[edges[:, 1]]
    middle, squared = (one + other).T / 2, ((one - other).T ** 2).sum(0)
    xx, xy, xz, xw, yy, yz, yw, zz, zw, ww = np.ascontiguousarray(quadric.T)
    pull = 1e-3 * (xx + yy + zz) + 1e-30  # towards the edge's middle, where the planes leave the point open
    target = _solve_symmetric(
        (xx + pull, xy, xz, yy + pull, yz, zz + pull), pull * middle - np.stack([xw, yw, zw])
    )
    x, y, z = target
    error = (
        xx * x * x + yy * y * y + zz * z * z + ww
        + 2 * (xy * x * y + xz * x * z + yz * y * z + xw * x + yw * y + zw * z)
    )  # fmt: skip
    area = xx + yy + zz  # the planes' normals have unit length, so the trace is their area
    return np.maximum(error, 0) + _LENGTH_WEIGHT * 1e-3 * area * squared, target.T


def _solve_symmetric(matrix: tuple[Floats, ...], right: Floats) -> Floats:
    """Cramer's rule for many symmetric 3 × 3 systems at once (xx, xy, xz, yy, yz, zz); (3, n) each side."""
    xx, xy, xz, yy, yz, zz = matrix
    inverse = (yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy,
               xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy)  # fmt: skip
    determinant = xx * inverse[0] + xy * inverse[1] + xz * inverse[2]
    a, b, c = right
    solved = np.stack([
        inverse[0] * a + inverse[1] * b + inverse[2] * c,
        inverse[1] * a + inverse[3] * b + inverse[4] * c,
        inverse[2] * a + inverse[4] * b + inverse[5] * c,
    ])  # fmt: skip
    return solved / determinant


def _independent_edges(edges: Integers, candidates: Integers, triangles: Integers, count: int) -> Integers:
    """Candidates (edge indices) of which no two have adjacent ends; earlier ones take precedence."""
    spread: list[Integers] = []
    for _ in range(_PASSES):
        first = _first_in_neighbourhood(edges[candidates], triangles, count)
        spread.append(candidates[first])
        near = np.zeros(count, bool)
        near[edges[spread[-1]]] = True
        one, two, three = triangles.T
        near[triangles[near[one] | near[two] | near[three]]] = True
        candidates = candidates[~near[edges[candidates]].any(1)]
    return np.concatenate(spread)


def _first_in_neighbourhood(edges: Integers, triangles: Integers, count: int) -> NDArray[np.bool_]:
    """Which edges come before all others in the neighbourhood of both their ends."""
    order = np.arange(len(edges))
    best = np.full(count, len(edges), np.int64)
    for end in edges.T:
        np.minimum.at(best, end, order)
    around = np.minimum.reduce([best[corner] for corner in triangles.T])
    nearby = best.copy()
    for corner in triangles.T:
        np.minimum.at(nearby, corner, around)
    first: NDArray[np.bool_] = (nearby[edges] == order[:, None]).all(1)
    return first


def _keeps_topology(chosen: Integers, edges: Integers, count: int) -> NDArray[np.bool_]:
    """Whether the ends of each chosen edge share exactly the two neighbours from its two triangles."""
    both = np.concatenate([edges, edges[:, ::-1]])
    adjacency = sparse.csr_array(
        (np.ones(len(both), np.int8), (both[:, 0], both[:, 1])), shape=(count, count)
    )
    common: Floats = adjacency[chosen[:, 0]].multiply(adjacency[chosen[:, 1]]).sum(axis=1)
    keeps: NDArray[np.bool_] = np.asarray(common).ravel() == 2
    return keeps


def _keeps_orientation(
    chosen: Integers, targets: Floats, vertices: Floats, triangles: Integers
) -> NDArray[np.bool_]:
    """Whether collapsing each chosen edge neither flips a triangle around it nor makes it too thin."""
    owner = np.full(len(vertices), -1)
    moved = vertices.copy()
    for end in (0, 1):
        owner[chosen[:, end]] = np.arange(len(chosen))
        moved[chosen[:, end]] = targets
    owners = owner[triangles]
    # A triangle with both ends of an edge vanishes; one with a single end is bent.
    bent = np.flatnonzero((owners >= 0).sum(1) == 1)
    before, _ = normals_and_areas(vertices, triangles[bent])
    after, _ = normals_and_areas(moved, triangles[bent])
    owner_of_bent = owners[bent].max(1)
    vanishing = _vanishing_quality(owners, vertices, triangles, len(chosen))[owner_of_bent]
    allowed = np.minimum(_MIN_QUALITY, triangle_quality(vertices, triangles[bent]))
    allowed = np.minimum(allowed, vanishing)
    thinner = triangle_quality(moved, triangles[bent]) < allowed
    spoilt = (np.einsum("ij,ij->i", before, after) < _MIN_NORMAL_COSINE) | thinner
    keeps = np.ones(len(chosen), bool)
    keeps[owner_of_bent[spoilt]] = False
    return keeps


def _vanishing_quality(owners: Integers, vertices: Floats, triangles: Integers, count: int) -> Floats:
    """Per chosen edge, the quality of its thinner triangle, slightly reduced.

    That triangle vanishes with the edge, so a neighbour may become as thin: it is one sliver less in total.
    """
    thinnest = np.full(count, np.inf)
    vanishing = np.flatnonzero((owners >= 0).sum(1) == 2)
    np.minimum.at(
        thinnest,
        owners[vanishing].max(1),
        _VANISHING_QUALITY_SHARE * triangle_quality(vertices, triangles[vanishing]),
    )
    return thinnest


def _collapse(
    chosen: Integers, targets: Floats, vertices: Floats, triangles: Integers, quadrics: Floats
) -> tuple[Floats, Integers, Floats]:
    kept, dropped = chosen.T
    vertices[kept] = targets
    quadrics[kept] += quadrics[dropped]
    renamed = np.arange(len(vertices))
    renamed[dropped] = kept
    triangles = renamed[triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    used = np.zeros(len(vertices), bool)
    used[triangles] = True
    numbers = np.cumsum(used) - 1
    return vertices[used], numbers[triangles], quadrics[used]

"""A simplifier in numpy: half-edge collapses by quadric error, many independent ones at a time.

The error of a collapse follows Garland and Heckbert (1997), with Hoppe's quadrics for normals, texture
coordinates and colours (1999). As in meshoptimizer, a vertex moves onto a neighbour; one on a texture seam or
an open border moves only along it, and one where seams or borders meet does not move.

Vertices at the same position belong to one place; a place on a seam has two vertices, which move together.

It needs nothing but numpy. meshoptimizer is 30 times as fast: docs/decisions/0028-optimizer-levels.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.optimize.quadrics import add_rows, plane_quadrics, quadric_form
from acr3d.optimize.simplifier_input import extreme_vertices, weighted_attributes
from acr3d.optimize.unique_rows import unique_rows

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_INSIDE, _SEAM, _BORDER = 0, 1, 2
_EDGE_WEIGHTS = np.array([0.0, 1.0, 10.0])  # of the planes that hold seams and borders in place
_LEAST_COSINE = 0.25  # of the angle by which one collapse may turn a triangle
_CHEAPEST = 0.25  # the share of all collapses that one round considers
_PER_NEEDED = 2.0  # and at most this many for each one that is still needed
_MOST_ROUNDS = 200
_COST_CLASSES, _PASSES = 4, 3
MOST_TRIANGLES = 300_000  # with more, the arrays would not fit into the memory of the optimizer
_CHUNK = 1 << 15
_NONE = np.iinfo(np.int64).max


def simplify(
    faces: NDArray[np.uint32], attributes: dict[str, Array], wanted: int, most_error: float
) -> NDArray[np.uint32]:
    """Reduce `faces` (n, 3) to about `wanted` triangles that use some of the same vertices.

    `most_error`: the largest mean distance of a moved vertex from the planes that it stands for, as a share
    of the mesh's longest side.
    """
    mesh = _Mesh(faces.astype(np.int64), attributes, most_error)
    for _ in range(_MOST_ROUNDS):
        if len(mesh.faces) <= wanted or not mesh.collapse(len(mesh.faces) - wanted):
            break
    return mesh.faces.astype(np.uint32)


@dataclass(frozen=True)
class _Collapses:
    """Places that could move, the places onto which they would move, and the errors."""

    source: Ints
    target: Ints
    error: Floats

    def some(self, chosen: Ints | Bools) -> _Collapses:
        return _Collapses(self.source[chosen], self.target[chosen], self.error[chosen])


class _Mesh:
    """Triangles with the quadrics of their vertices and places."""

    def __init__(self, faces: Ints, attributes: dict[str, Array], most_error: float) -> None:
        self.most_error = most_error
        positions, self.values = weighted_attributes(attributes)
        first, self.place = unique_rows(positions + np.float32(0))  # adding 0 turns -0.0 into 0.0
        self.is_locked = np.zeros(len(first), bool)
        self.is_locked[self.place[extreme_vertices(positions)]] = True
        spread = positions[first].astype(float)
        low, high = spread.min(axis=0), spread.max(axis=0)
        self.points = (spread - low) / (float((high - low).max()) or 1.0)
        self.faces = self._without_degenerate(faces)
        self.blocked, self.rng = np.empty(0, np.int64), np.random.default_rng(0)
        self._start_quadrics()

    def collapse(self, surplus: int) -> bool:
        """Do one round of collapses, which removes at most `surplus` triangles; False if none is possible."""
        starts, ends = self._vertex_moves()
        candidates = self._candidates(starts, ends)
        if not len(candidates.source):
            return False
        needed = max(1, surplus // 2)
        last = min(
            int(_CHEAPEST * len(candidates.error)), int(_PER_NEEDED * needed), len(candidates.error) - 1
        )
        limit = np.partition(candidates.error, last)[last]
        candidates = self._without_flips(candidates.some(candidates.error <= limit))
        chosen = candidates.some(self._independent(candidates)[:needed])
        self._apply(chosen, starts, ends)
        return True

    # --- candidates ---

    def _vertex_moves(self) -> tuple[Ints, Ints]:
        """The moves of vertices along edges that keep seams and borders intact: from `starts` to `ends`."""
        start, end = self.faces.ravel(), np.roll(self.faces, -1, axis=1).ravel()
        kinds = self._edge_kinds(start, end)
        vertices, places = len(self.place), len(self.points)
        moves = np.concatenate([np.stack([start, end], 1), np.stack([end, start], 1)])
        kinds = np.concatenate([kinds, kinds])
        keys = moves[:, 0] * vertices + moves[:, 1]
        order = np.argsort(keys)
        order = order[_is_new(keys[order])]
        starts, ends, kinds = *moves[order].T, kinds[order]
        source, target = self.place[starts], self.place[ends]
        # A place on a seam or border moves along it, if it has exactly two neighbours there.
        kind_of = np.zeros(places, np.int64)
        np.maximum.at(kind_of, source, kinds)
        pairs = _distinct((source * places + target)[kinds != _INSIDE]) // places
        neighbours = np.bincount(pairs, minlength=places)
        has_both = np.zeros((places, 3), bool)
        has_both[source, kinds] = True
        is_simple = np.where(kind_of == _INSIDE, True, neighbours == 2) & ~(has_both[:, 1] & has_both[:, 2])
        kept = is_simple[source] & ~self.is_locked[source] & (kinds == kind_of[source])
        return starts[kept], ends[kept]

    def _edge_kinds(self, start: Ints, end: Ints) -> Ints:
        """Whether each edge lies inside a chart, on a texture seam, or on an open border."""
        is_inside = _has_reverse(start, end, len(self.place))
        is_joined = _has_reverse(self.place[start], self.place[end], len(self.points))
        return np.where(is_inside, _INSIDE, np.where(is_joined, _SEAM, _BORDER))

    def _candidates(self, starts: Ints, ends: Ints) -> _Collapses:
        """The best collapse of each place; all vertices of the place must be able to move to the target."""
        places = len(self.points)
        all_keys = self.place[starts] * places + self.place[ends]
        order = np.argsort(all_keys)
        is_new = _is_new(all_keys[order])
        keys, group = all_keys[order][is_new], np.empty(len(order), np.int64)
        group[order] = np.cumsum(is_new) - 1
        source, target = keys // places, keys % places
        used = np.flatnonzero(np.bincount(self.faces.ravel()))
        vertices_of = np.bincount(self.place[used], minlength=places)
        moves = np.bincount(group, minlength=len(keys))
        distinct = np.bincount(
            _distinct(group * len(self.place) + starts) // len(self.place), minlength=len(keys)
        )
        is_possible = (moves == vertices_of[source]) & (distinct == moves) & (moves <= 2)
        is_possible &= ~np.isin(keys, self.blocked)
        errors = np.zeros(len(keys))
        errors[is_possible] = _in_chunks(self._position_errors, source[is_possible], target[is_possible])
        is_possible &= errors <= self.most_error**2 * self.quadrics[source, 10]
        if self.values.shape[1]:
            rows = np.flatnonzero(is_possible[group])
            attribute_errors = _in_chunks(self._attribute_errors, starts[rows], ends[rows])
            errors += np.bincount(group[rows], attribute_errors, minlength=len(keys))
        source, target, errors = source[is_possible], target[is_possible], errors[is_possible]
        order = np.lexsort((errors, source))
        best = order[_is_new(source[order])]
        return _Collapses(source[best], target[best], errors[best])

    def _without_flips(self, candidates: _Collapses) -> _Collapses:
        """Leave out, from now on, the collapses that would turn a triangle too far."""
        target_of = np.full(len(self.points), -1)
        target_of[candidates.source] = candidates.target
        corners = self.place[self.faces]
        is_bad = np.zeros(len(self.points), bool)
        for at in range(3):
            target = target_of[corners[:, at]]
            rows = np.flatnonzero((target >= 0) & ~(corners == target[:, None]).any(axis=1))
            old = corners[rows]
            new = old.copy()
            new[:, at] = target[rows]
            before, after = _normals(self.points[old]), _normals(self.points[new])
            lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
            is_bad[old[(before * after).sum(1) <= _LEAST_COSINE * lengths, at]] = True
        bad = is_bad[candidates.source]
        keys = candidates.source[bad] * len(self.points) + candidates.target[bad]
        self.blocked = np.concatenate([self.blocked, keys])
        return candidates.some(~bad)

    def _independent(self, candidates: _Collapses) -> Ints:
        """Candidates of which no two share a triangle, cheapest first.

        Luby's algorithm (1986): a candidate is chosen if it comes before all of its neighbours, in an order
        that is random among those of similar cost.
        """
        count = len(candidates.source)
        by_cost = np.argsort(candidates.error, kind="stable")
        order = by_cost[np.lexsort((self.rng.permutation(count), np.arange(count) * _COST_CLASSES // count))]
        rank = np.full(len(self.points), _NONE)
        rank[candidates.source[order]] = np.arange(count)
        corners, is_chosen = self.place[self.faces], np.zeros(len(self.points), bool)
        for _ in range(_PASSES):
            lowest, around = rank[corners].min(axis=1), np.full(len(self.points), _NONE)
            for at in range(3):
                np.minimum.at(around, corners[:, at], lowest)
            is_new = (rank == around) & (rank != _NONE)
            is_chosen |= is_new
            rank[corners[is_new[corners].any(axis=1)].ravel()] = _NONE
        found: Ints = by_cost[is_chosen[candidates.source[by_cost]]]
        return found

    def _apply(self, chosen: _Collapses, starts: Ints, ends: Ints) -> None:
        target_of = np.full(len(self.points), -1)
        target_of[chosen.source] = chosen.target
        is_moved = target_of[self.place[starts]] == self.place[ends]
        moved, onto = starts[is_moved], ends[is_moved]
        np.add.at(self.quadrics, chosen.target, self.quadrics[chosen.source])
        np.add.at(self.attribute_quadrics, onto, self.attribute_quadrics[moved])
        np.add.at(self.gradients, onto, self.gradients[moved])
        new = np.arange(len(self.place))
        new[moved] = onto
        self.faces = self._without_degenerate(new[self.faces])

    def _without_degenerate(self, faces: Ints) -> Ints:
        a, b, c = self.place[faces].T
        found: Ints = faces[(a != b) & (b != c) & (c != a)]
        return found

    # --- errors ---

    def _start_quadrics(self) -> None:
        corners = self.points[self.place[self.faces]]
        normals = _normals(corners)
        areas = np.linalg.norm(normals, axis=1)
        normals /= np.maximum(areas, 1e-30)[:, None]
        planes = np.column_stack([normals, -(normals * corners[:, 0]).sum(1)])
        self.quadrics = np.zeros((len(self.points), 11))
        for at in range(3):
            add_rows(self.quadrics, self.place[self.faces[:, at]], plane_quadrics(planes, areas))
        self._hold_edges(corners, normals)
        self._start_attribute_quadrics(corners, areas)

    def _hold_edges(self, corners: Floats, normals: Floats) -> None:
        """Add planes through seams and borders, perpendicular to their triangles."""
        after = np.roll(self.faces, -1, axis=1)
        kinds = self._edge_kinds(self.faces.ravel(), after.ravel()).reshape(-1, 3)
        for at in range(3):
            along = corners[:, (at + 1) % 3] - corners[:, at]
            length = np.linalg.norm(along, axis=1)
            across = np.cross(along / np.maximum(length, 1e-30)[:, None], normals)
            planes = np.column_stack([across, -(across * corners[:, at]).sum(1)])
            rows = plane_quadrics(planes, length**2 * _EDGE_WEIGHTS[kinds[:, at]])
            add_rows(self.quadrics, self.place[self.faces[:, at]], rows)
            add_rows(self.quadrics, self.place[after[:, at]], rows)

    def _start_attribute_quadrics(self, corners: Floats, areas: Floats) -> None:
        """For each vertex one quadric of all attributes, and the gradient and offset of each attribute."""
        count, width = self.values.shape
        self.attribute_quadrics = np.zeros((count, 11))
        self.gradients = np.zeros((count, width, 4), np.float32)
        one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        d00, d01, d11 = (one * one).sum(1), (one * other).sum(1), (other * other).sum(1)
        scale = d00 * d11 - d01 * d01
        scale = np.where(scale > 1e-24, 1 / np.maximum(scale, 1e-24), 0)
        to_one = (d11[:, None] * one - d01[:, None] * other) * scale[:, None]
        to_other = (d00[:, None] * other - d01[:, None] * one) * scale[:, None]
        for column in range(width):
            at = self.values[self.faces, column].astype(float)
            gradient = to_one * (at[:, 1] - at[:, 0])[:, None] + to_other * (at[:, 2] - at[:, 0])[:, None]
            planes = np.column_stack([gradient, at[:, 0] - (gradient * corners[:, 0]).sum(1)])
            rows = plane_quadrics(planes, areas)
            rows[:, 10] = areas if column == 0 else 0.0
            for corner in range(3):
                add_rows(self.attribute_quadrics, self.faces[:, corner], rows)
                add_rows(self.gradients[:, column], self.faces[:, corner], planes * areas[:, None])

    def _position_errors(self, source: Ints, target: Ints) -> Floats:
        """The summed squared distances of the places `target` from the planes around `source`, by area."""
        return np.abs(quadric_form(self.quadrics[source], self.points[target]))

    def _attribute_errors(self, starts: Ints, ends: Ints) -> Floats:
        """How far the attributes at `ends` are from what the triangles around `starts` have there."""
        points, values = self.points[self.place[ends]], self.values[ends].astype(float)
        quadrics, planes = self.attribute_quadrics[starts], self.gradients[starts]
        expected = np.einsum("nwk,nk->nw", planes[:, :, :3], points) + planes[:, :, 3]
        weights = quadrics[:, 10]
        raw = quadric_form(quadrics, points) - 2 * (values * expected).sum(1) + weights * (values**2).sum(1)
        errors: Floats = np.abs(raw)
        return errors


def _has_reverse(start: Ints, end: Ints, count: int) -> Bools:
    known = np.sort(end * count + start)
    keys = start * count + end
    found: Bools = known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
    return found


def _is_new(keys: Ints) -> Bools:
    """Which of some sorted keys differ from the one before."""
    found: Bools = np.diff(keys, prepend=-1) != 0
    return found


def _distinct(keys: Ints) -> Ints:
    keys = np.sort(keys)
    return keys[_is_new(keys)]


def _normals(corners: Floats) -> Floats:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _in_chunks(errors: Callable[[Ints, Ints], Floats], first: Ints, second: Ints) -> Floats:
    """The errors of all pairs, a chunk at a time to limit memory."""
    chunks = range(0, len(first), _CHUNK)
    parts = [errors(first[at : at + _CHUNK], second[at : at + _CHUNK]) for at in chunks]
    return np.concatenate([*parts, np.empty(0)])

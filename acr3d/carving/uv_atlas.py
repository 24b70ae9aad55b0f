"""UV unwrapping: charts projected along the part's six directions, packed into one square atlas.

A chart is a connected piece of surface that faces one direction, projected along it, so its texels are
aligned with the pixels of a photo from that side. Pieces that would overlap become separate charts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from acr3d.carving.cameras import SIDES
from acr3d.carving.errors import CarvingError
from acr3d.carving.mesh_math import normals_and_areas
from acr3d.carving.texel_raster import covered_texels
from acr3d.carving.visual_hull import TriangleMesh
from acr3d.messages.message import Message

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ATLAS_SIZES = (512, 1024, 2048, 4096)  # texels
_TYPICAL_FILL = 0.6  # share of an atlas that its charts usually cover
_PADDING = 3  # texels around each chart
_MIN_FACING = 0.15  # cosine; a triangle is not projected along a direction that it hardly faces
_NEIGHBOUR_WEIGHT = 0.35  # of a neighbour's direction, against the cosine of the triangle's own
_PROBE_SIZE = 2048  # texels per side of the atlas in which overlaps are detected


@dataclass(frozen=True)
class Atlas:
    """A UV layout in a square of `side` texels.

    `corners`: (m, 3, 2) column and row of each triangle's corners; `charts`: (m,) each triangle's chart.
    """

    corners: Floats
    charts: Integers
    side: int


def unwrap(mesh: TriangleMesh, density: float, largest: int = 2048) -> Atlas:
    """Unwrap a closed mesh at `density` texels per unit, or as many as an atlas of side `largest` takes."""
    vertices, triangles = mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64)
    neighbours = adjacent_triangles(triangles)
    directions = _projection_directions(vertices, triangles, neighbours)
    flat = _project(vertices, triangles, directions)
    charts = _split_overlapping(flat, connected_pieces(neighbours, directions), neighbours)
    wanted = density * float(np.sqrt(normals_and_areas(vertices, triangles)[1].sum() / _TYPICAL_FILL))
    sizes = [side for side in _ATLAS_SIZES if side <= largest]
    for side in sizes:
        atlas = _pack(flat, charts, side) if side >= min(wanted, sizes[-1]) else None
        if atlas is not None:
            return atlas
    raise _too_many_charts()


def _too_many_charts() -> CarvingError:
    return CarvingError(Message("carving.too_many_pieces"), "too_many_pieces")


def _split_overlapping(flat: Floats, charts: Integers, neighbours: Integers) -> Integers:
    """Split the charts until none overlaps itself. Terminates, because a single triangle never does."""
    doubtful = np.ones(len(charts), bool)
    while doubtful.any():
        asked = np.flatnonzero(doubtful)
        covering = np.zeros(len(charts), bool)
        numbered = np.unique(charts[asked], return_inverse=True)[1]
        side = math.ceil(_PROBE_SIZE * max(0.25, math.sqrt(len(asked) / len(charts))))
        covering[asked] = _overlapping_triangles(flat[asked], numbered, side)
        doubtful = np.isin(charts, charts[covering])
        charts = connected_pieces(neighbours, charts + covering * (charts.max() + 1))
    return charts


def adjacent_triangles(triangles: Integers) -> Integers:
    """(k, 2) pairs of triangles that share an edge."""
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    owner = np.repeat(np.arange(len(triangles)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    same = (edges[order[1:]] == edges[order[:-1]]).all(1)
    return np.column_stack([owner[order[:-1]][same], owner[order[1:]][same]])


def _projection_directions(vertices: Floats, triangles: Integers, neighbours: Integers) -> Integers:
    """Per triangle, the direction (0 to 5, in the order of SIDES) along which it is projected."""
    normals, _ = normals_and_areas(vertices, triangles)
    facing = normals @ np.array([side[2] for side in SIDES.values()]).T
    best = facing.argmax(1)
    for _ in range(6):
        votes = np.zeros_like(facing)
        for one, other in (neighbours.T, neighbours[:, ::-1].T):
            np.add.at(votes, (one, best[other]), _NEIGHBOUR_WEIGHT)
        best = np.where(facing > _MIN_FACING, facing + votes, facing - 9).argmax(1)
    return np.asarray(best, np.int64)


def _project(vertices: Floats, triangles: Integers, directions: Integers) -> Floats:
    """(m, 3, 2): each triangle's corners projected along its direction (right, down), in units."""
    axes = np.array([[side[0], -side[1]] for side in SIDES.values()])
    flat: Floats = np.einsum("mij,mkj->mki", axes[directions], vertices[triangles])
    return flat


def connected_pieces(neighbours: Integers, kinds: Integers) -> Integers:
    """(m,) numbers of the connected pieces of triangles of the same kind."""
    together = neighbours[kinds[neighbours[:, 0]] == kinds[neighbours[:, 1]]]
    shape = (len(kinds), len(kinds))
    graph = sparse.coo_array((np.ones(len(together), np.int8), (together[:, 0], together[:, 1])), shape=shape)
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _overlapping_triangles(flat: Floats, charts: Integers, side: int) -> NDArray[np.bool_]:
    """Triangles that overlap another one of their chart, detected in an atlas with that side."""
    probe = _pack(flat, charts, side)
    if probe is None:
        raise _too_many_charts()
    covering = np.zeros(len(charts), bool)
    found = [
        texel * len(charts) + face for texel, face in covered_texels(probe.corners, probe.side, shrink=1e-3)
    ]
    texel, face = np.divmod(np.sort(np.concatenate(found)), len(charts))
    covering[face[1:][texel[1:] == texel[:-1]]] = True
    return covering


def _pack(flat: Floats, charts: Integers, side: int) -> Atlas | None:
    """Pack the charts on shelves at the largest scale that fits; None if they do not fit at all."""
    count = int(charts.max()) + 1
    low = np.full((count, 2), np.inf)
    high = np.full((count, 2), -np.inf)
    np.minimum.at(low, charts, flat.min(1))
    np.maximum.at(high, charts, flat.max(1))
    size = high - low
    small, large = 0.0, side / size.max()
    for _ in range(14):
        scale = (small + large) / 2
        places = _pack_shelves(np.ceil(size * scale).astype(int) + 2 * _PADDING, side)
        small, large = (scale, large) if places is not None else (small, scale)
    places = _pack_shelves(np.ceil(size * small).astype(int) + 2 * _PADDING, side)
    if places is None or not small:
        return None
    corners = (flat - low[charts][:, None]) * small + places[charts][:, None] + _PADDING
    return Atlas(corners, charts, side)


def _pack_shelves(sizes: Integers, side: int) -> Integers | None:
    """Upper left corners of boxes placed on shelves, tallest first; None if they do not fit."""
    places = np.zeros_like(sizes)
    column = row = shelf = 0
    for box in np.argsort(-sizes[:, 1], kind="stable"):
        width, height = sizes[box]
        if column + width > side:
            column, row, shelf = 0, row + shelf, 0
        shelf = max(shelf, height)
        if column + width > side or row + height > side:
            return None
        places[box] = column, row
        column += width
    return places

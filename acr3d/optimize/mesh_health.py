"""Whether a model is a closed solid: separate pieces, holes, and pieces that are inside out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.gltf.model import Model
from acr3d.gltf.primitive_mesh import read_primitive_mesh
from acr3d.gltf.traversal import mesh_uses
from acr3d.optimize.unique_rows import unique_rows

Edges = NDArray[np.int64]


# More would take more memory than the rest of the optimizer.
_MOST_TRIANGLES = 400_000


@dataclass(frozen=True)
class MeshHealth:
    """Pieces that do not touch, holes in the surface, and closed pieces whose faces point inwards."""

    pieces: int
    holes: int
    inside_out: int


def check_mesh_health(model: Model) -> MeshHealth | None:
    """Check all meshes of a validated model; None if one is unreadable or has too many triangles.

    A mesh counts once for every node that shows it.
    Vertices at the same position count as one, so texture seams are not holes.
    """
    found = []
    for uses, mesh in zip(mesh_uses(model.json), model.json.get("meshes", []), strict=True):
        parts = [read_primitive_mesh(model, primitive) for primitive in mesh.get("primitives", [])]
        if any(part is None for part in parts):
            return None
        kept = [part for part in parts if part is not None]
        if not kept or sum(len(part.faces) for part in kept) > _MOST_TRIANGLES:
            return None
        starts = np.cumsum([0, *(len(part.positions) for part in kept)])
        faces = np.concatenate(
            [part.faces + np.uint32(start) for part, start in zip(kept, starts, strict=False)]
        )
        found.append((uses, _mesh_health(np.concatenate([part.positions for part in kept]), faces)))
    return MeshHealth(
        sum(uses * each.pieces for uses, each in found),
        sum(uses * each.holes for uses, each in found),
        sum(uses * each.inside_out for uses, each in found),
    )


def _mesh_health(positions: Array, faces: NDArray[np.uint32]) -> MeshHealth:
    first, which = unique_rows(positions + np.float32(0))  # adding 0 turns -0.0 into 0.0
    places, corners = positions[first].astype(float), which[faces]
    a, b, c = corners.T
    corners = corners[(a != b) & (b != c) & (c != a)]
    if not len(corners):
        return MeshHealth(0, 0, 0)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    label = _labels(edges, len(places))
    border = _border(edges, len(places))
    piece = label[corners[:, 0]]
    pieces, piece = np.unique(piece, return_inverse=True)
    is_open = np.isin(pieces, label[border[:, 0]]) if len(border) else np.zeros(len(pieces), bool)
    holes = int(np.count_nonzero(np.bincount(_labels(border, len(places))[border[:, 0]])))
    return MeshHealth(len(pieces), holes, _inside_out(places, corners, piece, is_open))


def _border(edges: Edges, count: int) -> Edges:
    """The edges that belong to only one triangle."""
    low, high = np.minimum(*edges.T), np.maximum(*edges.T)
    keys, uses = np.unique(low * count + high, return_counts=True)
    single = keys[uses == 1]
    return np.stack([single // count, single % count], axis=1)


def _labels(edges: Edges, count: int) -> NDArray[np.int64]:
    """Connected components: for every vertex the lowest number among all that it is connected to.

    Shiloach and Vishkin 1982: each round hooks the roots that an edge joins and shortens the paths.
    scipy offers this too, but takes 30 MB just to be imported.
    """
    labels = np.arange(count)
    while len(edges):
        first, second = labels[edges[:, 0]], labels[edges[:, 1]]
        np.minimum.at(labels, np.maximum(first, second), np.minimum(first, second))
        while not (labels == (shorter := labels[labels])).all():
            labels = shorter
        edges = edges[labels[edges[:, 0]] != labels[edges[:, 1]]]
    return labels


def _inside_out(
    places: Array, corners: NDArray[np.intp], piece: NDArray[np.intp], is_open: NDArray[np.bool_]
) -> int:
    """Count closed pieces of negative volume, except cavities: those lie within the box of a sound piece."""
    count = len(is_open)
    a, b, c = (places[corners[:, at]] - places.mean(axis=0) for at in range(3))
    with np.errstate(all="ignore"):
        volumes = np.bincount(piece, np.einsum("ij,ij->i", a, np.cross(b, c)), count)
    inverted, sound = np.flatnonzero(~is_open & (volumes < 0)), np.flatnonzero(~is_open & (volumes > 0))
    if not len(inverted):
        return 0
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for points in (a, b, c):
        np.minimum.at(low, piece, points)
        np.maximum.at(high, piece, points)
    # A cavity can only lie in a larger piece, so the largest ones are enough.
    sound = sound[np.argsort(-volumes[sound])[:100]]
    is_cavity = np.all((low[sound] <= low[inverted, None]) & (high[sound] >= high[inverted, None]), axis=2)
    return len(inverted) - int(np.any(is_cavity, axis=1).sum())

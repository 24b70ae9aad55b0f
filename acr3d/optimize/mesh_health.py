"""Whether a model is a sound solid: in how many pieces it is, where it has holes, and what is inside out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.gltf.model import Model
from acr3d.gltf.surface import surface
from acr3d.optimize.unique_rows import equal_rows

Edges = NDArray[np.int64]


# More would take more memory than the rest of the work.
_MOST_TRIANGLES = 400_000


@dataclass(frozen=True)
class Condition:
    """Pieces that do not touch, holes in their surface, and closed pieces whose faces look inwards."""

    pieces: int
    holes: int
    inside_out: int


def examine(model: Model) -> Condition | None:
    """All meshes of a (checked) model together; None when one cannot be read, or has too many triangles.

    Vertices at the very same place are one: seams of the texture are no holes.
    """
    found = []
    for mesh in model.json.get("meshes", []):
        parts = [surface(model, primitive) for primitive in mesh.get("primitives", [])]
        if any(part is None for part in parts):
            return None
        kept = [part for part in parts if part is not None]
        if not kept or sum(len(part.faces) for part in kept) > _MOST_TRIANGLES:
            return None
        starts = np.cumsum([0, *(len(part.positions) for part in kept)])
        faces = np.concatenate(
            [part.faces + np.uint32(start) for part, start in zip(kept, starts, strict=False)]
        )
        found.append(_examine(np.concatenate([part.positions for part in kept]), faces))
    return Condition(
        sum(each.pieces for each in found),
        sum(each.holes for each in found),
        sum(each.inside_out for each in found),
    )


def _examine(positions: Array, faces: NDArray[np.uint32]) -> Condition:
    first, which = equal_rows(positions + np.float32(0))  # adding 0 makes -0.0 a 0.0
    places, corners = positions[first].astype(float), which[faces]
    a, b, c = corners.T
    corners = corners[(a != b) & (b != c) & (c != a)]
    if not len(corners):
        return Condition(0, 0, 0)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    label = _labels(edges, len(places))
    border = _border(edges, len(places))
    piece = label[corners[:, 0]]
    pieces, piece = np.unique(piece, return_inverse=True)
    is_open = np.isin(pieces, label[border[:, 0]]) if len(border) else np.zeros(len(pieces), bool)
    holes = int(np.count_nonzero(np.bincount(_labels(border, len(places))[border[:, 0]])))
    return Condition(len(pieces), holes, _inside_out(places, corners, piece, is_open))


def _border(edges: Edges, count: int) -> Edges:
    """The edges that only one triangle has."""
    low, high = np.minimum(*edges.T), np.maximum(*edges.T)
    keys, uses = np.unique(low * count + high, return_counts=True)
    single = keys[uses == 1]
    return np.stack([single // count, single % count], axis=1)


def _labels(edges: Edges, count: int) -> NDArray[np.int64]:
    """For every vertex the lowest number among all that it is joined to.

    Shiloach and Vishkin 1982: each round hooks the roots that an edge joins and shortens the way to the root.
    scipy knows this too, but takes 30 MB only to be loaded.
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
    """Closed pieces of negative volume, but for hollows: those lie within the box of a sound piece."""
    count = len(is_open)
    a, b, c = (places[corners[:, at]] - places.mean(axis=0) for at in range(3))
    with np.errstate(all="ignore"):
        volumes = np.bincount(piece, np.einsum("ij,ij->i", a, np.cross(b, c)), count)
    turned, sound = np.flatnonzero(~is_open & (volumes < 0)), np.flatnonzero(~is_open & (volumes > 0))
    if not len(turned):
        return 0
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for points in (a, b, c):
        np.minimum.at(low, piece, points)
        np.maximum.at(high, piece, points)
    # The largest pieces are enough to hold a hollow.
    sound = sound[np.argsort(-volumes[sound])[:100]]
    is_hollow = np.all((low[sound] <= low[turned, None]) & (high[sound] >= high[turned, None]), axis=2)
    return len(turned) - int(np.any(is_hollow, axis=1).sum())

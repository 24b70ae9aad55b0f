"""How true a result is to its source, measured: how far its surface is off, and how its normals are turned.

Some of the source's vertices are looked up on the result's surface, mesh by mesh, in the mesh's own space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.gltf.bounds import shown_meshes
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.surface import Surface, surface

# Points times triangles: what takes about a tenth of a second.
_EFFORT = 10_000_000
_FEWEST, _MOST = 50, 1000
_MOST_PRIMITIVES = 50
_CHUNK = 1 << 19
_MOST_NEAR = 128
_SAMPLE = 2048
# Of the result's extent: more than single precision is off.
_SLACK = 1e-3
# Of the distance between two neighbouring vertices: on an edge of the shape, several triangles are nearest.
_TIE = 0.1


@dataclass(frozen=True)
class Truth:
    """Deviations as shares of the model's longest side, and angles between normals in degrees."""

    position_mean: float
    position_max: float
    normal_mean: float | None
    normal_p95: float | None


def measure(source: Model, result: Model, longest: float) -> Truth | None:
    """`longest` is the source's longest side in metres. None where there is nothing that can be compared."""
    with np.errstate(all="ignore"):  # numbers beyond any sense are told by the result
        return _measure(source, result, longest)


def _measure(source: Model, result: Model, longest: float) -> Truth | None:
    scales = {each.mesh: abs(np.linalg.det(each.matrix[:3, :3])) ** (1 / 3) for each in shown_meshes(source)}
    pairs = [
        (scales[number], surface(source, before), surface(result, after))
        for number, before, after in _primitive_pairs(source, result)
        if number in scales
    ]
    known = [
        (scale, was, is_) for scale, was, is_ in pairs if was and is_ and len(was.faces) and len(is_.faces)
    ]
    triangles = sum(len(is_.faces) for _, _, is_ in known)
    offs, angles = [], []
    for scale, was, is_ in known:
        off, angle = _compare(was, is_, int(np.clip(_EFFORT // triangles, _FEWEST, _MOST)))
        offs.append(scale * off)
        angles.append(angle)
    if not offs or not longest or not np.isfinite(np.concatenate(offs)).all():
        return None
    off, angle = np.concatenate(offs) / longest, np.concatenate(angles)
    angle = angle[np.isfinite(angle)]
    return Truth(
        float(off.mean()),
        float(off.max()),
        float(angle.mean()) if len(angle) else None,
        float(np.percentile(angle, 95)) if len(angle) else None,
    )


def _primitive_pairs(source: Model, result: Model) -> list[tuple[int, Json, Json]]:
    """Each primitive with its mesh's number and what became of it; of very many, the first ones."""
    meshes = zip(source.json.get("meshes", []), result.json.get("meshes", []), strict=True)
    return [
        (number, before, after)
        for number, (mesh, other) in enumerate(meshes)
        for before, after in zip(mesh.get("primitives", []), other.get("primitives", []), strict=True)
    ][:_MOST_PRIMITIVES]


def _compare(was: Surface, is_: Surface, points: int) -> tuple[Array, Array]:
    """For some vertices of the one: how far the other's surface is, and the angle between their normals."""
    used = np.flatnonzero(np.bincount(was.faces.ravel()))
    chosen = used[np.linspace(0, len(used) - 1, min(points, len(used))).astype(np.intp)]
    targets = was.positions[chosen].astype(float)
    corners = is_.positions[is_.faces].astype(np.float32)
    nearest = _nearest_triangles(targets.astype(np.float32), corners)
    triangles = is_.positions.astype(float)[is_.faces[nearest]]
    weights = _closest(targets[:, None], triangles)
    found = np.einsum("nkc,nkcd->nkd", weights, triangles)
    distances = np.linalg.norm(found - targets[:, None], axis=2)
    off = distances.min(axis=1)
    if was.normals is None or is_.normals is None:
        return off, np.full(len(targets), np.nan)
    normals = np.einsum("nkc,nkcd->nkd", weights, is_.normals[is_.faces[nearest]].astype(float))
    angles = _angles(was.normals[chosen].astype(float)[:, None], normals)
    edge = np.linalg.norm(triangles[:, :, 1] - triangles[:, :, 0], axis=2)
    is_tie = distances <= off[:, None] + _TIE * np.median(edge, axis=1, keepdims=True)
    return off, np.where(is_tie, angles, np.inf).min(axis=1)


def _nearest_triangles(points: Array, corners: Array) -> NDArray[np.intp]:
    """For each point the triangles that may be nearest, filled up with the first of them.

    A triangle reaches from its middle less its radius; it is out when another lies wholly before that.
    """
    centre = corners.reshape(-1, 3).mean(axis=0)
    points, corners = points - centre, corners - centre
    middles = corners.sum(axis=1) / 3
    spokes = corners - middles[:, None]
    radii = np.sqrt(np.einsum("ijk,ijk->ij", spokes, spokes)).T
    radii = np.maximum(np.maximum(radii[0], radii[1]), radii[2])
    slack = _SLACK * float(np.abs(corners).max())
    # Both in order along the longest axis, so that a few points at a time need look at a slab only.
    axis = int(np.ptp(middles, axis=0).argmax())
    order, turns = np.argsort(middles[:, axis]), np.argsort(points[:, axis])
    middles, radii = middles[order], radii[order]
    some = slice(None, None, max(1, len(middles) // _SAMPLE))
    nearest = (_away(points, middles[some]) + radii[some]).min(axis=1) + slack
    reach = nearest + radii.max()
    step, found = max(1, _CHUNK // len(middles)), dict[int, NDArray[np.intp]]()
    for at in range(0, len(points), step):
        block = turns[at : at + step]
        slab = _slab(middles[:, axis], points[block, axis], reach[block])
        away = _away(points[block], middles[slab])
        nearest = (away + radii[slab]).min(axis=1, keepdims=True) + slack
        # Asked this way round, what is not a number stays in.
        for number, is_out, row in zip(block, away - radii[slab] > nearest, away, strict=True):
            found[int(number)] = order[slab][_least(~is_out, row)]
    width = max(len(near) for near in found.values())
    rows = (found[number] for number in range(len(points)))
    return np.stack([np.concatenate([near, np.full(width - len(near), near[0])]) for near in rows])


def _away(points: Array, middles: Array) -> Array:
    """How far each point is from each middle."""
    squares = np.einsum("ij,ij->i", middles, middles) + np.einsum("ij,ij->i", points, points)[:, None]
    away: Array = np.sqrt(np.maximum(squares - 2 * points @ middles.T, 0))
    return away


def _slab(sorted_middles: Array, points: Array, reach: Array) -> slice:
    """The triangles within reach of some points along an axis; all of them where numbers run out."""
    first = int(np.searchsorted(sorted_middles, (points - reach).min()))
    last = int(np.searchsorted(sorted_middles, (points + reach).max(), side="right"))
    return slice(first, last) if first < last else slice(None)


def _least(is_near: NDArray[np.bool_], away: Array) -> NDArray[np.intp]:
    """The triangles that are near; of very many, those whose middles are nearest."""
    near = np.flatnonzero(is_near)
    if len(near) <= _MOST_NEAR:
        return near
    return near[np.argpartition(away[near], _MOST_NEAR)[:_MOST_NEAR]]


def _closest(points: Array, triangles: Array) -> Array:
    """Barycentric weights of each triangle's point that is nearest (Ericson 2005, 5.1.5, all cases at once).

    The plane's own point where it lies inside, else the best of the three edges' points.
    """
    a, b, c = (triangles[:, :, at] for at in range(3))
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = _dot(ab, ab), _dot(ab, ac), _dot(ac, ac)
    d20, d21 = _dot(ap, ab), _dot(ap, ac)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-300)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    weights, best = np.stack([1 - v - w, v, w], axis=-1), np.where(inside, -1.0, np.inf)
    for one, other in ((0, 1), (1, 2), (2, 0)):
        start, along = triangles[:, :, one], triangles[:, :, other] - triangles[:, :, one]
        share = np.clip(_dot(points - start, along) / np.maximum(_dot(along, along), 1e-300), 0, 1)
        off = points - start - share[..., None] * along
        distance = _dot(off, off)
        nearer = distance < best
        edge = np.zeros_like(weights)
        edge[..., one], edge[..., other] = 1 - share, share
        weights, best = np.where(nearer[..., None], edge, weights), np.where(nearer, distance, best)
    return weights


def _dot(one: Array, other: Array) -> Array:
    product: Array = np.einsum("nkd,nkd->nk", one, other)
    return product


def _angles(first: Array, second: Array) -> Array:
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = (first * second).sum(axis=-1) / lengths
    angles: Array = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return angles

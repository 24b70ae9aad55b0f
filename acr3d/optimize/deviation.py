"""How far a result deviates from its source: distance between the surfaces, and angle between normals.

A sample of the source's vertices is projected onto the result's surface, mesh by mesh, in mesh space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.primitive_mesh import PrimitiveMesh, read_primitive_mesh
from acr3d.gltf.scene_graph import mesh_instances

# Points times triangles: this takes about a tenth of a second.
_POINT_TRIANGLES = 10_000_000
_FEWEST_POINTS, _MOST_POINTS = 50, 1000
_MOST_PRIMITIVES = 50
_CHUNK = 1 << 19
_MOST_NEAR = 128
_SAMPLE = 2048
# As a share of the result's extent: more than the error of single precision.
_SLACK = 1e-3
# On an edge of the shape several triangles are nearest: within this share of an edge's length they tie.
_TIE = 0.1


@dataclass(frozen=True)
class Deviation:
    """Distances as shares of the model's longest side, and angles between normals in degrees."""

    position_mean: float
    position_max: float
    normal_mean: float | None
    normal_p95: float | None


def measure_deviation(source: Model, result: Model, longest: float) -> Deviation | None:
    """Compare `result` with `source`, whose longest side is `longest` metres; None if that is impossible."""
    with np.errstate(all="ignore"):  # extreme coordinates overflow; the result is checked for that
        return _measure(source, result, longest)


def _measure(source: Model, result: Model, longest: float) -> Deviation | None:
    scales = {
        each.mesh: abs(np.linalg.det(each.matrix[:3, :3])) ** (1 / 3) for each in mesh_instances(source)
    }
    pairs = [
        (scales[number], read_primitive_mesh(source, old), read_primitive_mesh(result, new))
        for number, old, new in _primitive_pairs(source, result)
        if number in scales
    ]
    known = [
        (scale, before, after)
        for scale, before, after in pairs
        if before and after and len(before.faces) and len(after.faces)
    ]
    triangles = sum(len(after.faces) for _, _, after in known)
    offs, angles = [], []
    for scale, before, after in known:
        off, angle = _compare(
            before, after, int(np.clip(_POINT_TRIANGLES // triangles, _FEWEST_POINTS, _MOST_POINTS))
        )
        offs.append(scale * off)
        angles.append(angle)
    if not offs or not longest or not np.isfinite(np.concatenate(offs)).all():
        return None
    off, angle = np.concatenate(offs) / longest, np.concatenate(angles)
    angle = angle[np.isfinite(angle)]
    return Deviation(
        float(off.mean()),
        float(off.max()),
        float(angle.mean()) if len(angle) else None,
        float(np.percentile(angle, 95)) if len(angle) else None,
    )


def _primitive_pairs(source: Model, result: Model) -> list[tuple[int, Json, Json]]:
    """(mesh number, source primitive, result primitive); only the first ones if there are very many."""
    meshes = zip(source.json.get("meshes", []), result.json.get("meshes", []), strict=True)
    return [
        (number, before, after)
        for number, (mesh, other) in enumerate(meshes)
        for before, after in zip(mesh.get("primitives", []), other.get("primitives", []), strict=True)
    ][:_MOST_PRIMITIVES]


def _compare(source: PrimitiveMesh, result: PrimitiveMesh, points: int) -> tuple[Array, Array]:
    """For a sample of the source's vertices: distance to the result's surface, and angle between normals."""
    used = np.flatnonzero(np.bincount(source.faces.ravel()))
    chosen = used[np.linspace(0, len(used) - 1, min(points, len(used))).astype(np.intp)]
    targets = source.positions[chosen].astype(float)
    corners = result.positions[result.faces].astype(np.float32)
    nearest = _nearest_triangles(targets.astype(np.float32), corners)
    triangles = result.positions.astype(float)[result.faces[nearest]]
    weights = _closest_weights(targets[:, None], triangles)
    found = np.einsum("nkc,nkcd->nkd", weights, triangles)
    distances = np.linalg.norm(found - targets[:, None], axis=2)
    off = distances.min(axis=1)
    if source.normals is None or result.normals is None:
        return off, np.full(len(targets), np.nan)
    normals = np.einsum("nkc,nkcd->nkd", weights, result.normals[result.faces[nearest]].astype(float))
    angles = _angles(source.normals[chosen].astype(float)[:, None], normals)
    edge = np.linalg.norm(triangles[:, :, 1] - triangles[:, :, 0], axis=2)
    is_tie = distances <= off[:, None] + _TIE * np.median(edge, axis=1, keepdims=True)
    return off, np.where(is_tie, angles, np.inf).min(axis=1)


def _nearest_triangles(points: Array, corners: Array) -> NDArray[np.intp]:
    """For each point the triangles that may be nearest, (points, k); short rows repeat their first entry.

    A triangle can be no nearer than its centre minus its radius. It is ruled out if another one lies
    completely within that distance.
    """
    centre = corners.reshape(-1, 3).mean(axis=0)
    points, corners = points - centre, corners - centre
    centres = corners.sum(axis=1) / 3
    arms = corners - centres[:, None]
    radii = np.sqrt(np.einsum("ijk,ijk->ij", arms, arms)).T
    radii = np.maximum(np.maximum(radii[0], radii[1]), radii[2])
    slack = _SLACK * float(np.abs(corners).max())
    # Both are sorted along the longest axis, so that a block of points only has to search a slab.
    axis = int(np.ptp(centres, axis=0).argmax())
    order, point_order = np.argsort(centres[:, axis]), np.argsort(points[:, axis])
    centres, radii = centres[order], radii[order]
    some = slice(None, None, max(1, len(centres) // _SAMPLE))
    nearest = (_distances(points, centres[some]) + radii[some]).min(axis=1) + slack
    reach = nearest + radii.max()
    step, found = max(1, _CHUNK // len(centres)), dict[int, NDArray[np.intp]]()
    for at in range(0, len(points), step):
        block = point_order[at : at + step]
        slab = _slab(centres[:, axis], points[block, axis], reach[block])
        distances = _distances(points[block], centres[slab])
        nearest = (distances + radii[slab]).min(axis=1, keepdims=True) + slack
        # Written this way, triangles whose distance is not a number are kept.
        for number, is_out, row in zip(block, distances - radii[slab] > nearest, distances, strict=True):
            found[int(number)] = order[slab][_nearest_of(~is_out, row)]
    width = max(len(near) for near in found.values())
    rows = (found[number] for number in range(len(points)))
    return np.stack([np.concatenate([near, np.full(width - len(near), near[0])]) for near in rows])


def _distances(points: Array, centres: Array) -> Array:
    """The distance of each point from each centre."""
    squares = np.einsum("ij,ij->i", centres, centres) + np.einsum("ij,ij->i", points, points)[:, None]
    distances: Array = np.sqrt(np.maximum(squares - 2 * points @ centres.T, 0))
    return distances


def _slab(sorted_centres: Array, points: Array, reach: Array) -> slice:
    """The triangles within reach of some points along an axis; all of them if coordinates overflow."""
    first = int(np.searchsorted(sorted_centres, (points - reach).min()))
    last = int(np.searchsorted(sorted_centres, (points + reach).max(), side="right"))
    return slice(first, last) if first < last else slice(None)


def _nearest_of(is_near: NDArray[np.bool_], distances: Array) -> NDArray[np.intp]:
    """The near triangles; only those with the nearest centres if there are very many."""
    near = np.flatnonzero(is_near)
    if len(near) <= _MOST_NEAR:
        return near
    return near[np.argpartition(distances[near], _MOST_NEAR)[:_MOST_NEAR]]


def _closest_weights(points: Array, triangles: Array) -> Array:
    """Barycentric weights of the nearest point on each triangle (Ericson 2005, 5.1.5, vectorized).

    It is the projection onto the plane if that lies inside, else the nearest point on the three edges.
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

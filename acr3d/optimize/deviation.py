"""How far a result deviates from its source: distance between the surfaces, and angle between normals.

A sample of the source's vertices is projected onto the result's surface, mesh by mesh, in its space. If the
result has fewer triangles, points on them are also projected onto the source's surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acr3d.gltf.accessors import Array
from acr3d.gltf.model import Model
from acr3d.gltf.primitive_mesh import PrimitiveMesh
from acr3d.gltf.scene_graph import UNPLACED, Matrix
from acr3d.optimize.compared_meshes import ComparedMesh, compared_meshes
from acr3d.optimize.origins import Origins
from acr3d.optimize.shape_change import points_on, some_of
from acr3d.optimize.surface_distance import Surface

# The largest share of the model's longest side by which a result may be off.
MOST_OFF = 0.01
# Points times triangles: this takes about a tenth of a second.
_POINT_TRIANGLES = 10_000_000
_FEWEST_POINTS, _MOST_POINTS = 50, 1000
# On an edge of the shape several triangles are nearest: within this share of an edge's length they tie.
_TIE = 0.1


@dataclass(frozen=True)
class Deviation:
    """Distances as shares of the model's longest side, and angles between normals in degrees."""

    position_mean: float
    position_max: float
    normal_mean: float | None
    normal_p95: float | None


def measure_deviation(
    source: Path, result: Path, longest: float, origins: Origins | None = None, placed: Matrix = UNPLACED
) -> Deviation | None:
    """Compare `result` with `source`, whose longest side is `longest` metres; None if that is impossible.

    Without `origins`, every node of the result shows what the node of the same number showed. `placed`: the
    matrix (4, 4) that was applied to the whole scene.
    """
    # Extreme coordinates overflow; the result is checked for that.
    with Model(source) as first, Model(result) as second, np.errstate(all="ignore"):
        return _measure(
            list(compared_meshes(first, second, origins or Origins.of(first.json), placed)), longest
        )


def why_too_far_off(deviation: Deviation | None) -> str | None:
    """Why a result must not be used, as a phrase; None if its shape is that of the source."""
    if deviation is None or deviation.position_max <= MOST_OFF:
        return None
    return f"its shape would be off by {100 * deviation.position_max:.2g} %"


def _measure(pairs: list[ComparedMesh], longest: float) -> Deviation | None:
    triangles = sum(len(pair.after.faces) for pair in pairs)
    points = int(np.clip(_POINT_TRIANGLES // max(triangles, 1), _FEWEST_POINTS, _MOST_POINTS))
    offs, angles = [], []
    for pair in pairs:
        scale, before, after = pair.scale, pair.before, pair.after
        off, angle = _compare(before, after, points)
        offs.append(scale * off)
        angles.append(angle)
        if len(after.faces) < len(before.faces):
            back = points_on(after.positions[after.faces].astype(float), points)
            offs.append(scale * Surface(before.positions, before.faces).distances(back))
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


def _compare(source: PrimitiveMesh, result: PrimitiveMesh, points: int) -> tuple[Array, Array]:
    """For a sample of the source's vertices: distance to the result's surface, and angle between normals."""
    used = np.flatnonzero(np.bincount(source.faces.ravel()))
    chosen = some_of(used, points)
    targets = source.positions[chosen].astype(float)
    pairs = Surface(result.positions, result.faces).nearest(targets)
    off = np.full(len(targets), np.inf)
    np.minimum.at(off, pairs.point, pairs.distance)
    if source.normals is None or result.normals is None:
        return off, np.full(len(targets), np.nan)
    corners = result.faces[pairs.triangle]
    normals = np.einsum("nc,ncd->nd", pairs.weights, result.normals[corners].astype(float))
    angles = _angles(source.normals[chosen][pairs.point].astype(float), normals)
    ends = result.positions[corners[:, :2]].astype(float)
    edge = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    is_tie = pairs.distance <= off[pairs.point] + _TIE * edge
    least = np.full(len(targets), np.inf)
    np.minimum.at(least, pairs.point[is_tie], angles[is_tie])
    return off, least


def _angles(first: Array, second: Array) -> Array:
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = (first * second).sum(axis=-1) / lengths
    angles: Array = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return angles

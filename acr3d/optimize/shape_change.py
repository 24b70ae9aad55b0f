"""How far fewer triangles of a mesh are from all of them, in both directions.

From the mesh to the fewer triangles shows what was lost; the other direction shows what was never there, such
as a disc where a wheel had spokes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.optimize.surface_distance import Surface

Faces = NDArray[np.uint32]


def shape_change(positions: Array, faces: Faces, fewer: Faces, count: int) -> float:
    """The largest distance found, in the unit of `positions` (n, 3); both lists index them.

    Only a sample of about `count` points is measured in each direction: removed vertices, and points on the
    largest and on other triangles that are left.
    """
    positions = positions.astype(float)
    was, is_ = (np.bincount(each.ravel(), minlength=len(positions)) > 0 for each in (faces, fewer))
    lost = some_of(np.flatnonzero(was & ~is_), count)
    found = [Surface(positions, fewer).distances(positions[lost])] if len(lost) else []
    found.append(Surface(positions, faces).distances(points_on(positions[fewer], count)))
    return float(np.concatenate(found).max())


def points_on(corners: Array, count: int) -> Array:
    """About `count` points (n, 3): centres and edge middles of the largest of some triangles and of others.

    Large triangles come first, because those span what was removed.
    """
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    each = max(1, count // 8)
    largest = np.argsort(-areas, kind="stable")[:each]
    chosen = corners[np.concatenate([largest, some_of(np.arange(len(corners)), each)])]
    middles = (chosen + np.roll(chosen, -1, axis=1)) / 2
    points: Array = np.concatenate([chosen.mean(axis=1), middles.reshape(-1, 3)])
    return points


def some_of(values: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """At most `count` of some values, evenly spread."""
    return values[np.linspace(0, len(values) - 1, min(count, len(values))).astype(np.intp)]

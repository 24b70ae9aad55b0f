"""Whether two meshes are the same surface, whatever the order of their vertices and triangles.

It compares integrals over the surface, which do not depend on order: area, signed volume, and the mean of
every attribute. A lost, flipped or wrongly mapped region changes at least one of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array

_TOLERANCE = 2e-3
_BOX = 1e-3


def moments_differ(
    faces: NDArray[np.uint32],
    values: dict[str, Array],
    other_faces: NDArray[np.uint32],
    others: dict[str, Array],
) -> bool:
    """Whether surface B (`other_faces`, `others`) differs from A in size, position or any attribute."""
    low, high = _box(values["POSITION"])
    other_low, other_high = _box(others["POSITION"])
    size = float((high - low).max()) or 1.0
    before, after = _integrals(faces, values, low), _integrals(other_faces, others, low)
    area = float(before["area"])
    allowed = {"area": 0.02 * area + 1e-3 * size**2, "volume": _TOLERANCE * size**3}
    allowed |= {name: _TOLERANCE * (float(np.ptp(array)) or 1.0) for name, array in values.items()}
    # Written this way, a result that is not a number counts as different.
    is_near = all(np.abs(before[name] - after[name]).max() <= most for name, most in allowed.items())
    has_same_box = max(np.abs(low - other_low).max(), np.abs(high - other_high).max()) <= _BOX * size
    return not (is_near and has_same_box)


def _box(positions: Array) -> tuple[Array, Array]:
    return positions.min(axis=0).astype(float), positions.max(axis=0).astype(float)


def _integrals(faces: NDArray[np.uint32], values: dict[str, Array], origin: Array) -> dict[str, Array]:
    corners = [values["POSITION"][faces[:, at]].astype(float) - origin for at in range(3)]
    cross = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    weights = np.sqrt(np.einsum("ij,ij->i", cross, cross))
    total = weights.sum() or 1.0
    # The signed volume under the faces: flipped faces change its sign.
    found: dict[str, Array] = {
        "area": weights.sum() / 2,
        "volume": np.einsum("ij,ij->i", corners[0], cross).sum() / 6,
    }
    for name, array in values.items():
        shares = sum(np.bincount(faces[:, at], weights, minlength=len(array)) for at in range(3))
        found[name] = shares @ array.astype(float) / (3 * total)
    return found

"""Weld and clean: equal vertices once, unused ones not at all, and no triangle that is a line or a point.

Nothing that can be seen changes, at any pose: vertices are equal when every value of theirs is, bone weights
and morph targets too, and a triangle goes when two of its corners are such an equal vertex, or, where nothing
bends it, stand at the very same place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array, read
from acr3d.gltf.model import Model
from acr3d.gltf.prune import may_renumber
from acr3d.gltf.write_accessors import keep_vertices, store_faces
from acr3d.optimize.primitive_groups import Group, faces_of, own_groups, plain_bytes
from acr3d.optimize.unique_rows import equal_rows


@dataclass
class CleanResult:
    """What the step did: vertices and triangles taken out, and the arrays' bytes before and after."""

    vertices: int = 0
    degenerate: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


def clean(model: Model) -> CleanResult:
    """Clean every primitive whose arrays are its own; changes `model`. What is shared stays as it is."""
    result = CleanResult()
    if not may_renumber(model.json):
        return result
    for group in own_groups(model)[0]:
        result.bytes_before += plain_bytes(model, group)
        _clean(model, group, result)
        result.bytes_after += plain_bytes(model, group)
    return result


def _clean(model: Model, group: Group, result: CleanResult) -> None:
    faces, count = faces_of(model, group), int(model.json["accessors"][group.attributes["POSITION"]]["count"])
    first, which = equal_rows(_rows([read(model, at) for at in group.vertex_accessors]))
    welded = which[faces]
    bends = bool(group.targets) or any(name.startswith("JOINTS_") for name in group.attributes)
    is_flat = _flat(welded[..., None] if bends else read(model, group.attributes["POSITION"])[faces])
    if is_flat.all():
        return  # nothing would be left; the checks after this one say so
    welded = welded[~is_flat]
    used = np.flatnonzero(np.bincount(welded.ravel()))
    if len(used) == count and not is_flat.any():
        return
    # In the order of the file, which is kind to a graphics card's cache.
    used = used[np.argsort(first[used])]
    places = np.empty(len(first), np.uint32)
    places[used] = np.arange(len(used))
    keep_vertices(model, group, first[used])
    store_faces(model, group, places[welded], len(used))
    result.vertices += count - len(used)
    result.degenerate += int(is_flat.sum()) * len(group.members)


def _flat(corners: Array) -> NDArray[np.bool_]:
    """Which triangles (n, 3 corners, width) have two corners that are the same."""
    a, b, c = (corners[:, at].T for at in range(3))
    # Column by column: numpy is slow along short axes.
    pairs = [[x == y for x, y in zip(*pair, strict=True)] for pair in ((a, b), (b, c), (c, a))]
    found: NDArray[np.bool_] = np.logical_or.reduce([np.logical_and.reduce(columns) for columns in pairs])
    return found


def _rows(arrays: list[Array]) -> Array:
    """The arrays' bytes side by side."""
    parts = [np.ascontiguousarray(array).view(np.uint8).reshape(len(array), -1) for array in arrays]
    return np.concatenate(parts, axis=1)

"""Weld: merge equal vertices, and remove unused vertices and triangles without area.

Nothing visible changes, in any pose. Vertices are equal only if all their values are, including skin weights
and morph targets. A triangle is removed if two of its corners are the same vertex or, in a mesh without skin
and morph targets, are at the same position.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array, element_bytes, read_accessor
from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.model import Model
from acr3d.gltf.write_accessors import index_array
from acr3d.optimize.primitive_groups import (
    PrimitiveGroup,
    array_bytes,
    editable_groups,
    keep_vertices,
    read_faces,
    vertex_count,
    write_faces,
)
from acr3d.optimize.unique_rows import unique_rows


@dataclass
class WeldResult:
    """Removed vertices and triangles without area; bytes of the arrays before and after."""

    vertices: int = 0
    degenerate: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


def weld(model: Model) -> WeldResult:
    """Weld every primitive that shares its arrays with no other; changes `model`."""
    result = WeldResult()
    if not can_renumber(model.json):
        return result
    for group in editable_groups(model)[0]:
        result.bytes_before += array_bytes(model, group)
        _weld_group(model, group, result)
        result.bytes_after += array_bytes(model, group)
    return result


def _weld_group(model: Model, group: PrimitiveGroup, result: WeldResult) -> None:
    faces, count = read_faces(model, group), vertex_count(model, group)
    first, which = unique_rows(_joined_bytes([read_accessor(model, at) for at in group.vertex_accessors]))
    welded = which[faces]
    is_deformed = bool(group.targets) or any(name.startswith("JOINTS_") for name in group.attributes)
    positions = read_accessor(model, group.attributes["POSITION"])
    is_degenerate = _has_equal_corners(welded[..., None] if is_deformed else positions[faces])
    if is_degenerate.all():
        return  # no triangle would be left; later checks report that
    welded = welded[~is_degenerate]
    used = np.flatnonzero(np.bincount(welded.ravel()))
    if not is_degenerate.any() and (len(used) == count or _would_grow(model, group, len(used), faces)):
        return
    # Keeping the file's order suits the vertex cache of graphics cards.
    used = used[np.argsort(first[used])]
    new_numbers = np.empty(len(first), np.uint32)
    new_numbers[used] = np.arange(len(used))
    keep_vertices(model, group, first[used])
    write_faces(model, group, new_numbers[welded], len(used))
    result.vertices += count - len(used)
    result.degenerate += int(is_degenerate.sum()) * group.uses


def _would_grow(model: Model, group: PrimitiveGroup, vertices: int, faces: NDArray[np.uint32]) -> bool:
    """Whether loose triangles would need more bytes for indices than they save in vertices."""
    if group.indices is not None:
        return False
    width = sum(element_bytes(model.json["accessors"][at]) for at in group.vertex_accessors)
    saved = (vertex_count(model, group) - vertices) * width
    return saved < index_array(faces, vertices).nbytes


def _has_equal_corners(corners: Array) -> NDArray[np.bool_]:
    """Which triangles (n, 3 corners, width) have two equal corners."""
    a, b, c = (corners[:, at].T for at in range(3))
    # Column by column, because numpy is slow along short axes.
    pairs = [[x == y for x, y in zip(*pair, strict=True)] for pair in ((a, b), (b, c), (c, a))]
    found: NDArray[np.bool_] = np.logical_or.reduce([np.logical_and.reduce(columns) for columns in pairs])
    return found


def _joined_bytes(arrays: list[Array]) -> Array:
    """The bytes of all arrays side by side, one row per vertex."""
    parts = [np.ascontiguousarray(array).view(np.uint8).reshape(len(array), -1) for array in arrays]
    return np.concatenate(parts, axis=1)

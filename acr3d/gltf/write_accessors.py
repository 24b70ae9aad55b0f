"""Putting arrays back into a model: the accessor says what is there now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import DTYPES, Array, read
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.optimize.primitive_groups import Group

_COMPONENT_TYPES = {dtype: number for number, dtype in DTYPES.items()}
_ALIGNMENT = 4
_NARROW_VERTICES = 65535  # the last number of sixteen bits restarts strips, so no vertex may have it


def store(model: Model, number: int, values: Array, *, is_vertex: bool = True) -> None:
    """Let accessor `number` hold `values` (count, width), in their type, with a view of its own.

    A vertex's values start at multiples of four bytes, as glTF asks for.
    """
    accessor = model.json["accessors"][number]
    for key in ("byteOffset", "sparse"):
        accessor.pop(key, None)
    rows = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
    width = rows.shape[1]
    if is_vertex and width % _ALIGNMENT:
        rows = np.pad(rows, ((0, 0), (0, -width % _ALIGNMENT)))
    accessor["bufferView"] = view = model.add_view(rows.tobytes())
    if is_vertex and width % _ALIGNMENT:
        model.json["bufferViews"][view]["byteStride"] = rows.shape[1]
    accessor["count"] = len(values)
    accessor["componentType"] = _COMPONENT_TYPES[values.dtype.newbyteorder("<")]
    if "min" in accessor or "max" in accessor:
        accessor["min"], accessor["max"] = values.min(axis=0).tolist(), values.max(axis=0).tolist()


def add_accessor(model: Model, like: Json, values: Array, *, is_vertex: bool = True) -> int:
    """A new accessor for `values` that is otherwise `like` another; return its number."""
    accessors = model.json["accessors"]
    accessors.append(dict(like))
    store(model, len(accessors) - 1, values, is_vertex=is_vertex)
    return len(accessors) - 1


def narrow_indices(faces: NDArray[np.uint32], vertices: int) -> Array:
    """Indices (n, 1) in the narrowest type that `vertices` allow."""
    return faces.astype(np.uint16 if vertices <= _NARROW_VERTICES else np.uint32).reshape(-1, 1)


def store_faces(model: Model, group: Group, faces: NDArray[np.uint32], vertices: int) -> None:
    """Let the group draw these triangles of its `vertices`."""
    number, narrow = group.indices, narrow_indices(faces, vertices)
    if number is None:
        number = add_accessor(model, {"type": "SCALAR"}, narrow, is_vertex=False)
    else:
        model.json["accessors"][number].pop("normalized", None)
        store(model, number, narrow, is_vertex=False)
    for member in group.members:
        member["indices"] = number


def keep_vertices(model: Model, group: Group, kept: NDArray[np.intp]) -> None:
    """Let the group have only these of its vertices, in this order; sparse morph targets stay so."""
    for number in group.vertex_accessors:
        accessor, values = model.json["accessors"][number], read(model, number)[kept]
        is_mostly_zero = "sparse" in accessor and "bufferView" not in accessor
        store(model, number, values)
        if is_mostly_zero:
            _make_sparse(model, number, values)


def _make_sparse(model: Model, number: int, values: Array) -> None:
    """Name the rows that are not zero instead, where that takes less."""
    accessor, rows = model.json["accessors"][number], np.flatnonzero(values.any(axis=1))
    places = rows.astype(np.uint16 if len(values) <= _NARROW_VERTICES else np.uint32)
    if places.nbytes + values[rows].nbytes >= values.nbytes:
        return
    del accessor["bufferView"]
    if len(rows):
        accessor["sparse"] = {
            "count": len(rows),
            "indices": {
                "bufferView": model.add_view(places.tobytes()),
                "componentType": _COMPONENT_TYPES[places.dtype.newbyteorder("<")],
            },
            "values": {"bufferView": model.add_view(values[rows].tobytes())},
        }

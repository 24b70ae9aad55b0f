"""Writing arrays into a model's accessors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import DTYPES, Array
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model

_COMPONENT_TYPES = {dtype: number for number, dtype in DTYPES.items()}
_ALIGNMENT = 4
_MOST_SHORT_VERTICES = 65535  # 65535 restarts a strip, so no vertex may have this index


def set_accessor(model: Model, number: int, values: Array, *, is_vertex: bool = True) -> None:
    """Store `values` (count, width) in accessor `number`, in their type, with a buffer view of its own.

    Vertex attributes start at multiples of four bytes, as glTF requires.
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
    """Add an accessor for `values` with the other fields of `like`; return its number."""
    accessors = model.json["accessors"]
    accessors.append(dict(like))
    set_accessor(model, len(accessors) - 1, values, is_vertex=is_vertex)
    return len(accessors) - 1


def index_array(faces: NDArray[np.uint32], vertices: int) -> Array:
    """Indices (n, 1) in the smallest type that is enough for `vertices`."""
    return faces.astype(_index_type(vertices)).reshape(-1, 1)


def make_sparse(model: Model, number: int, values: Array) -> None:
    """Store only the rows of `values` that are not zero in accessor `number`, if that takes fewer bytes."""
    accessor, rows = model.json["accessors"][number], np.flatnonzero(values.any(axis=1))
    places = rows.astype(_index_type(len(values)))
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


def _index_type(vertices: int) -> type[np.uint16] | type[np.uint32]:
    return np.uint16 if vertices <= _MOST_SHORT_VERTICES else np.uint32

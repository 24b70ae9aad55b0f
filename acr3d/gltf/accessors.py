"""Accessors as numpy arrays, with their strides, sparse values and normalized integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model

Array = NDArray[Any]

FLOAT = 5126
DTYPES: dict[int, np.dtype[Any]] = {
    5120: np.dtype("i1"),
    5121: np.dtype("u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    FLOAT: np.dtype("<f4"),
}
INDEX_TYPES = (5121, 5123, 5125)
COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}


def element_bytes(accessor: Json) -> int:
    """Bytes of one element. Matrix columns of small types are padded to multiples of four bytes."""
    size, kind = DTYPES[accessor["componentType"]].itemsize, str(accessor["type"])
    if not kind.startswith("MAT"):
        return size * COMPONENTS[kind]
    side = int(kind[3])
    return side * -(-side * size // 4) * 4


def trailing_padding(accessor: Json) -> int:
    """Bytes after the last column of a matrix, which the last element of an accessor may lack."""
    size, kind = DTYPES[accessor["componentType"]].itemsize, str(accessor["type"])
    return -int(kind[3]) * size % 4 if kind.startswith("MAT") else 0


def stored_bytes(accessor: Json) -> int:
    """How many bytes of the file hold the accessor's values: 0 if a Draco stream holds them."""
    size = element_bytes(accessor)
    length = int(accessor["count"]) * size if "bufferView" in accessor else 0
    if "sparse" not in accessor:
        return length
    sparse = accessor["sparse"]
    return length + int(sparse["count"]) * (DTYPES[sparse["indices"]["componentType"]].itemsize + size)


def read_accessor(model: Model, number: int) -> Array:
    """The values of a checked accessor as (count, components), in their stored type. May be read-only."""
    accessor = model.json["accessors"][number]
    count, width = int(accessor["count"]), COMPONENTS[accessor["type"]]
    if "bufferView" in accessor:
        values = read_span(model, accessor, count, width)
    else:
        values = np.broadcast_to(DTYPES[accessor["componentType"]].type(0), (count, width))
    if "sparse" not in accessor:
        return values
    sparse = accessor["sparse"]
    changed = int(sparse["count"])
    values = values.copy()
    typed = sparse["values"] | {"componentType": accessor["componentType"]}
    values[read_span(model, sparse["indices"], changed, 1)[:, 0]] = read_span(model, typed, changed, width)
    return values


def read_span(model: Model, holder: Json, count: int, width: int) -> Array:
    """A (count, width) array over the bytes that `holder` (an accessor or part of a sparse one) points at."""
    view = model.json["bufferViews"][holder["bufferView"]]
    dtype = DTYPES[holder["componentType"]]
    size = dtype.itemsize * width
    stride, offset = int(view.get("byteStride", size)), int(holder.get("byteOffset", 0))
    content = model.view_bytes(holder["bufferView"], offset, stride * (count - 1) + size)
    return np.ndarray((count, width), dtype, buffer=content, strides=(stride, dtype.itemsize))


def as_floats(values: Array, accessor: Json) -> NDArray[np.float64]:
    """The numbers that an accessor's values stand for: normalized integers become fractions."""
    floats = values.astype(float)
    if values.dtype.kind == "f" or not accessor.get("normalized"):
        return floats
    # glTF 2.0, 3.6.2.2: a signed fraction is at least −1.
    return np.maximum(floats / normalized_one(accessor), -1.0)


def normalized_one(accessor: Json) -> int:
    """The integer that stands for 1.0 in a `normalized` accessor; 1 for any other accessor."""
    dtype = DTYPES[accessor["componentType"]]
    return int(np.iinfo(dtype).max) if accessor.get("normalized") and dtype.kind != "f" else 1


def is_readable(model: Model, number: int) -> bool:
    """Whether the values can be read directly: they are not inside a Draco or meshopt stream."""
    view = model.json["accessors"][number].get("bufferView")
    return view is None or (model.has_bytes(view) and not is_meshopt(model.json["bufferViews"][view]))


def is_meshopt(view: Json) -> bool:
    """Whether a buffer view's bytes are compressed with meshopt."""
    extensions = view.get("extensions", {})
    return "EXT_meshopt_compression" in extensions or "KHR_meshopt_compression" in extensions

"""Accessors as numpy arrays: shapes, strides, sparse values; what they claim is checked before any read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import limits
from acr3d.gltf.errors import damaged, too_large
from acr3d.gltf.json_fields import Json, child, index, integer, numbers, text
from acr3d.gltf.model import Model

Array = NDArray[Any]

DTYPES: dict[int, np.dtype[Any]] = {
    5120: np.dtype("i1"),
    5121: np.dtype("u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_INDEX_TYPES = (5121, 5123, 5125)


def check_accessor(model: Model, number: int) -> None:
    """Type, count and place of one accessor: everything inside its view, and aligned as browsers need it."""
    accessor, place = model.json["accessors"][number], f"accessors[{number}]"
    if integer(accessor, "componentType", place) not in DTYPES:
        raise damaged(f"{place}.componentType", f"is {accessor['componentType']}, which glTF does not know")
    if text(accessor, "type", place) not in COMPONENTS:
        raise damaged(f"{place}.type", "is not one that glTF knows")
    count = integer(accessor, "count", place, low=1)
    _check_count(count, place)
    for key in ("min", "max"):
        numbers(accessor, key, COMPONENTS[accessor["type"]], place)
    if "bufferView" in accessor:
        _check_span(model, accessor, count, element_bytes(accessor), place)
    if "sparse" in accessor:
        _check_sparse(model, accessor, count, place)


def _check_count(count: int, place: str) -> None:
    if count > limits.ELEMENTS:
        raise too_large(f"{place}.count", f"is {count}, over {limits.ELEMENTS}")


def element_bytes(accessor: Json) -> int:
    """Bytes of one element; matrix columns of small numbers start at multiples of four."""
    size, kind = DTYPES[accessor["componentType"]].itemsize, str(accessor["type"])
    if not kind.startswith("MAT"):
        return size * COMPONENTS[kind]
    side = int(kind[3])
    return side * -(-side * size // 4) * 4


def stored_bytes(accessor: Json) -> int:
    """How many bytes of the file hold the accessor's own values: none of a stream's, few of sparse ones."""
    size = element_bytes(accessor)
    length = int(accessor["count"]) * size if "bufferView" in accessor else 0
    if "sparse" not in accessor:
        return length
    sparse = accessor["sparse"]
    return length + int(sparse["count"]) * (DTYPES[sparse["indices"]["componentType"]].itemsize + size)


def _check_span(model: Model, holder: Json, count: int, size: int, place: str) -> None:
    """That `count` elements of `size` bytes lie within the holder's view."""
    views = model.json.get("bufferViews", [])
    view = views[index(holder.get("bufferView"), len(views), f"{place}.bufferView")]
    offset = integer(holder, "byteOffset", place, default=0)
    stride = int(view.get("byteStride", size))
    component = DTYPES[holder["componentType"]].itemsize
    if stride < size or stride % component:
        raise damaged(place, f"does not fit its view's stride of {stride} bytes")
    if offset + stride * (count - 1) + size > view["byteLength"]:
        raise damaged(f"{place}.count", f"is {count}, which runs past the end of its buffer view")
    if (offset + int(view.get("byteOffset", 0))) % component:
        raise damaged(f"{place}.byteOffset", f"is {offset}, not aligned to {component} bytes")


def _check_sparse(model: Model, accessor: Json, count: int, place: str) -> None:
    sparse, place = child(accessor, "sparse", place), f"{place}.sparse"
    changed = integer(sparse, "count", place, low=1, high=count)
    at, values = child(sparse, "indices", place), child(sparse, "values", place)
    if integer(at, "componentType", f"{place}.indices") not in _INDEX_TYPES:
        raise damaged(f"{place}.indices", "are not of an index type")
    _check_span(model, at, changed, DTYPES[at["componentType"]].itemsize, f"{place}.indices")
    typed = values | {"componentType": accessor["componentType"]}
    _check_span(model, typed, changed, element_bytes(accessor), f"{place}.values")
    where = _span(model, at, changed, 1)[:, 0].astype(np.int64)
    if where[-1] >= count or (np.diff(where) <= 0).any():
        raise damaged(f"{place}.indices", "do not rise within the accessor's count")


def read(model: Model, number: int) -> Array:
    """The accessor's values as (count, components), in their stored type. May be read-only."""
    accessor = model.json["accessors"][number]
    count, width = int(accessor["count"]), COMPONENTS[accessor["type"]]
    if "bufferView" in accessor:
        values = _span(model, accessor, count, width)
    else:
        values = np.broadcast_to(DTYPES[accessor["componentType"]].type(0), (count, width))
    if "sparse" not in accessor:
        return values
    sparse = accessor["sparse"]
    changed = int(sparse["count"])
    values = values.copy()
    typed = sparse["values"] | {"componentType": accessor["componentType"]}
    values[_span(model, sparse["indices"], changed, 1)[:, 0]] = _span(model, typed, changed, width)
    return values


def _span(model: Model, holder: Json, count: int, width: int) -> Array:
    """A (count, width) array over the bytes that `holder` points at, without a copy."""
    view = model.json["bufferViews"][holder["bufferView"]]
    dtype = DTYPES[holder["componentType"]]
    size = dtype.itemsize * width
    stride = int(view.get("byteStride", size))
    content = model.view(holder["bufferView"], int(holder.get("byteOffset", 0)), stride * (count - 1) + size)
    return np.ndarray((count, width), dtype, buffer=content, strides=(stride, dtype.itemsize))


def as_floats(values: Array, accessor: Json) -> NDArray[np.float64]:
    """The numbers that an accessor's values stand for: whole ones, if `normalized`, are fractions."""
    floats = values.astype(float)
    if values.dtype.kind == "f" or not accessor.get("normalized"):
        return floats
    # glTF 2.0, 3.6.2.2: a signed fraction is at least −1.
    return np.maximum(floats / whole(accessor), -1.0)


def whole(accessor: Json) -> int:
    """What a `normalized` accessor stores for 1; 1 for any other."""
    dtype = DTYPES[accessor["componentType"]]
    return int(np.iinfo(dtype).max) if accessor.get("normalized") and dtype.kind != "f" else 1


def is_readable(model: Model, number: int) -> bool:
    """Whether the values are plainly in the file: not inside a Draco or meshopt stream."""
    view = model.json["accessors"][number].get("bufferView")
    return view is None or (model.has_bytes(view) and not is_meshopt(model.json["bufferViews"][view]))


def is_meshopt(view: Json) -> bool:
    """Whether a view's bytes come out of a meshopt stream."""
    extensions = view.get("extensions", {})
    return "EXT_meshopt_compression" in extensions or "KHR_meshopt_compression" in extensions

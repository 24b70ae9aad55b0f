"""Whether accessors have known types and lie inside their buffer views."""

from __future__ import annotations

import numpy as np

from acr3d.gltf import limits
from acr3d.gltf.accessors import COMPONENTS, DTYPES, INDEX_TYPES, element_bytes, read_span, trailing_padding
from acr3d.gltf.errors import damaged, too_large
from acr3d.gltf.json_fields import Json, child, index, integer, numbers, text
from acr3d.gltf.model import Model


def check_accessor(model: Model, number: int) -> None:
    """Check type, count, place and alignment of one accessor. Raises BadModel."""
    accessor, place = model.json["accessors"][number], f"accessors[{number}]"
    if integer(accessor, "componentType", place) not in DTYPES:
        raise damaged(f"{place}.componentType", f"is {accessor['componentType']}, which glTF does not define")
    if text(accessor, "type", place) not in COMPONENTS:
        raise damaged(f"{place}.type", "is not a type that glTF defines")
    count = integer(accessor, "count", place, low=1)
    if count > limits.ELEMENTS:
        raise too_large(f"{place}.count", f"is {count}, over {limits.ELEMENTS}")
    for key in ("min", "max"):
        numbers(accessor, key, COMPONENTS[accessor["type"]], place)
    if "bufferView" in accessor:
        _check_span(model, accessor, count, element_bytes(accessor), place, trailing_padding(accessor))
    if "sparse" in accessor:
        _check_sparse(model, accessor, count, place)


def check_reading_effort(data: Json) -> None:
    """A small file can name the same bytes a million times; reading them all must stay quick."""
    total = sum(int(a["count"]) * element_bytes(a) for a in data.get("accessors", []))
    if total > 4 * limits.FILE_BYTES:
        raise too_large("accessors", f"ask for {total} bytes together")


def _check_span(model: Model, holder: Json, count: int, size: int, place: str, padding: int = 0) -> None:
    """Check that `count` elements of `size` bytes lie within the holder's buffer view.

    The last one may lack its last `padding` bytes.
    """
    views = model.json.get("bufferViews", [])
    view = views[index(holder.get("bufferView"), len(views), f"{place}.bufferView")]
    offset = integer(holder, "byteOffset", place, default=0)
    stride = int(view.get("byteStride", size))
    component = DTYPES[holder["componentType"]].itemsize
    if stride < size or stride % component:
        raise damaged(place, f"does not fit its buffer view's stride of {stride} bytes")
    if offset + stride * (count - 1) + size - padding > view["byteLength"]:
        raise damaged(f"{place}.count", f"is {count}, which runs past the end of its buffer view")
    if (offset + int(view.get("byteOffset", 0))) % component:
        raise damaged(f"{place}.byteOffset", f"is {offset}, not aligned to {component} bytes")


def _check_sparse(model: Model, accessor: Json, count: int, place: str) -> None:
    sparse, place = child(accessor, "sparse", place), f"{place}.sparse"
    changed = integer(sparse, "count", place, low=1, high=count)
    at, values = child(sparse, "indices", place), child(sparse, "values", place)
    if integer(at, "componentType", f"{place}.indices") not in INDEX_TYPES:
        raise damaged(f"{place}.indices", "are not of an index type")
    _check_span(model, at, changed, DTYPES[at["componentType"]].itemsize, f"{place}.indices")
    typed = values | {"componentType": accessor["componentType"]}
    size, padding = element_bytes(accessor), trailing_padding(accessor)
    _check_span(model, typed, changed, size, f"{place}.values", padding)
    where = read_span(model, at, changed, 1)[:, 0].astype(np.int64)
    if where[-1] >= count or (np.diff(where) <= 0).any():
        raise damaged(f"{place}.indices", "are not in ascending order within the accessor's count")

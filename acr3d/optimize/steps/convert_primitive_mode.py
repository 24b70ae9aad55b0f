"""Convert primitive mode: triangle strips and fans become triangle lists, which other steps can handle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import is_readable, read_accessor
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import primitives
from acr3d.gltf.write_accessors import add_accessor, index_array

_STRIP, _FAN = 5, 6


def convert_to_triangle_lists(model: Model) -> None:
    """Convert every strip and fan whose indices are readable; changes `model`."""
    converted: dict[tuple[int | None, int, int], int] = {}
    for _, primitive in primitives(model.json):
        at = primitive.get("attributes", {}).get("POSITION")
        if primitive.get("mode", 4) not in (_STRIP, _FAN) or at is None or primitive.get("targets"):
            continue
        if "indices" in primitive and not is_readable(model, primitive["indices"]):
            continue
        vertices = int(model.json["accessors"][at]["count"])
        corners = _corners(model, primitive, vertices)
        if len(corners) < 3:
            continue
        key = (primitive.get("indices"), primitive["mode"], vertices)
        if key not in converted:
            indices = index_array(_triangles(corners, primitive["mode"]), vertices)
            converted[key] = add_accessor(model, {"type": "SCALAR"}, indices, is_vertex=False)
        primitive["indices"] = converted[key]
        del primitive["mode"]


def _corners(model: Model, primitive: Json, vertices: int) -> NDArray[np.uint32]:
    if "indices" not in primitive:
        return np.arange(vertices, dtype=np.uint32)
    return read_accessor(model, primitive["indices"])[:, 0].astype(np.uint32)


def _triangles(corners: NDArray[np.uint32], mode: int) -> NDArray[np.uint32]:
    """The triangles (n, 3) in the order and winding of glTF 2.0, 3.7.2.1."""
    if mode == _FAN:
        first = np.full(len(corners) - 2, corners[0])
        return np.stack([corners[1:-1], corners[2:], first], axis=1)
    triangles = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    triangles[1::2] = triangles[1::2][:, [0, 2, 1]]
    return triangles

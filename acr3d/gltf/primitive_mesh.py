"""A primitive's triangles and vertices as arrays, also from a Draco stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import draco
from acr3d.gltf.accessors import Array, as_floats, is_readable, read_accessor
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model


@dataclass(frozen=True)
class PrimitiveMesh:
    """`faces` (n, 3), `positions` (m, 3) and `normals` (m, 3), None without any; float32."""

    faces: NDArray[np.uint32]
    positions: Array
    normals: Array | None


def read_primitive_mesh(model: Model, primitive: Json) -> PrimitiveMesh | None:
    """The triangles of a checked primitive; None if it has none or only a meshopt decoder could read it."""
    attributes = primitive.get("attributes", {})
    if "POSITION" not in attributes or primitive.get("mode", 4) != 4:
        return None
    packed = primitive.get("extensions", {}).get(DRACO)
    if packed is not None:
        mesh = draco.decode(model.view_bytes(packed["bufferView"]), "the stream")
        values = {
            name: as_floats(mesh.attributes[at], model.json["accessors"][attributes[name]])
            for name, at in packed["attributes"].items()
            if name in ("POSITION", "NORMAL")
        }
        return PrimitiveMesh(
            mesh.faces, values["POSITION"].astype(np.float32), _normals(values.get("NORMAL"))
        )
    numbers = [attributes[name] for name in ("POSITION", "NORMAL") if name in attributes]
    if not all(is_readable(model, at) for at in [*numbers, primitive.get("indices", numbers[0])]):
        return None
    positions = _floats(model, numbers[0])
    normals = _floats(model, numbers[1]) if len(numbers) > 1 else None
    flat = (
        read_accessor(model, primitive["indices"])[:, 0]
        if "indices" in primitive
        else np.arange(len(positions))
    )
    return PrimitiveMesh(
        flat[: len(flat) // 3 * 3].reshape(-1, 3).astype(np.uint32), positions, _normals(normals)
    )


def _floats(model: Model, number: int) -> Array:
    return as_floats(read_accessor(model, number), model.json["accessors"][number]).astype(np.float32)


def _normals(values: Array | None) -> Array | None:
    return None if values is None else values.astype(np.float32)

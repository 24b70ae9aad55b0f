"""The arrays of several placed primitives as those of one, in the space that they are placed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array, as_floats, read_accessor
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import Matrix
from acr3d.optimize.primitive_groups import PrimitiveGroup, read_faces

TRANSFORMED = ("POSITION", "NORMAL", "TANGENT")
"""The attributes that a matrix changes; they become floats."""


@dataclass(frozen=True)
class PlacedPrimitive:
    """A primitive, its number in the mesh of its node, and its matrix (4, 4)."""

    node: int
    number: int
    primitive: Json
    matrix: Matrix


@dataclass(frozen=True)
class JoinedArrays:
    """Attributes by name, positions as doubles, and triangles (n, 3)."""

    values: dict[str, Array]
    faces: NDArray[np.uint32]


def joined_arrays(model: Model, parts: list[PlacedPrimitive]) -> JoinedArrays:
    """The arrays of primitives that have the same attributes; only vertices that triangles use."""
    pieces, faces, count = [], [], 0
    for part in parts:
        group = PrimitiveGroup("", [part.primitive])
        used, numbers = np.unique(read_faces(model, group), return_inverse=True)
        pieces.append(
            {name: _placed(model, name, at, part.matrix, used) for name, at in group.attributes.items()}
        )
        own = (numbers.reshape(-1, 3) + count).astype(np.uint32)
        # A mirrored triangle would face the other way.
        faces.append(own[:, ::-1] if np.linalg.det(part.matrix[:3, :3]) < 0 else own)
        count += len(used)
    values = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    return JoinedArrays(values, np.concatenate(faces))


def _placed(model: Model, name: str, number: int, matrix: Matrix, used: NDArray[np.uint32]) -> Array:
    values, accessor = read_accessor(model, number)[used], model.json["accessors"][number]
    if name not in TRANSFORMED:
        return values
    floats, linear = as_floats(values, accessor), matrix[:3, :3]
    if name == "POSITION":
        return floats @ linear.T + matrix[:3, 3]
    if name == "NORMAL":
        return _unit(floats @ np.linalg.inv(linear)).astype(np.float32)
    side = np.sign(np.linalg.det(linear)) * floats[:, 3:]
    return np.hstack([_unit(floats[:, :3] @ linear.T), side]).astype(np.float32)


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Array = vectors / np.where(lengths > 0, lengths, 1)
    return unit

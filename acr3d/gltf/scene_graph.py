"""Which meshes the default scene shows, and where: node matrices, skins and morph weights at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import is_readable, read_accessor
from acr3d.gltf.errors import damaged
from acr3d.gltf.json_fields import Json, numbers
from acr3d.gltf.model import Model
from acr3d.gltf.orientation import rotation_matrix

Matrix = NDArray[np.float64]
UNPLACED: Matrix = np.eye(4)


@dataclass(frozen=True)
class MeshInstance:
    """A mesh shown by a node of the default scene.

    `matrix`: 4 × 4, from the mesh to the world; `joints`: (n, 4, 4), from the skin to the world, None without
    a skin; `weights`: how far each morph target is applied. A skinned mesh follows its joints: its node's own
    matrix is ignored (glTF 2.0, 3.7.3.3).
    """

    node: int
    mesh: int
    matrix: Matrix
    joints: Matrix | None
    weights: tuple[float, ...]


def mesh_instances(model: Model) -> list[MeshInstance]:
    """Every mesh of the default scene of a checked model, placed."""
    data, nodes = model.json, model.json.get("nodes", [])
    worlds = _world_matrices(data)
    skins = {nodes[at]["skin"] for at in worlds if "mesh" in nodes[at] and "skin" in nodes[at]}
    joints = {number: _joint_matrices(model, data["skins"][number], worlds) for number in skins}
    return [
        MeshInstance(
            at, nodes[at]["mesh"], matrix, joints.get(nodes[at].get("skin")), _morph_weights(data, at)
        )
        for at, matrix in worlds.items()
        if "mesh" in nodes[at]
    ]


def node_matrix(node: Json) -> Matrix:
    """A node's own 4 × 4 matrix, from `matrix` or from translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    rotation = rotation_matrix(node.get("rotation") or (0, 0, 0, 1))
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * np.array(node.get("scale") or (1, 1, 1), float)
    matrix[:3, 3] = node.get("translation") or (0, 0, 0)
    return matrix


def _world_matrices(data: Json) -> dict[int, Matrix]:
    """The world matrices of all nodes in the default scene that have a mesh or are a joint, by node."""
    nodes, scenes = data.get("nodes", []), data.get("scenes", [])
    if not scenes:
        return {}
    joints = {joint for skin in data.get("skins", []) for joint in skin.get("joints", [])}
    waiting = [(at, np.eye(4)) for at in scenes[data.get("scene", 0)].get("nodes", [])]
    worlds = {}
    while waiting:
        at, parent = waiting.pop()
        with np.errstate(all="ignore"):
            matrix = parent @ node_matrix(nodes[at])
        if "mesh" in nodes[at] or at in joints:
            worlds[at] = matrix
        waiting += [(child, matrix) for child in nodes[at].get("children", [])]
    return worlds


def _joint_matrices(model: Model, skin: Json, worlds: dict[int, Matrix]) -> Matrix:
    """The matrices from the skin's space to the world, (n, 4, 4). A joint outside the scene does not move."""
    joints = skin.get("joints", [])
    matrices = np.array([worlds.get(joint, np.eye(4)) for joint in joints]).reshape(-1, 4, 4)
    at = skin.get("inverseBindMatrices")
    if at is None or not is_readable(model, at):
        return matrices
    inverse = read_accessor(model, at)
    if len(inverse) < len(joints) or inverse.shape[1] != 16:
        raise damaged("skins", "have fewer inverse bind matrices than joints")
    with np.errstate(all="ignore"):
        found: Matrix = matrices @ inverse[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1).astype(float)
    return found


def _morph_weights(data: Json, node: int) -> tuple[float, ...]:
    """How far each morph target is applied at rest. A node's weights override its mesh's."""
    holder, place = data["nodes"][node], f"nodes[{node}]"
    if "weights" not in holder:
        holder, place = data["meshes"][holder["mesh"]], f"meshes[{holder['mesh']}]"
    weights = holder.get("weights", [])
    return tuple(numbers(holder, "weights", len(weights) if isinstance(weights, list) else 0, place) or ())

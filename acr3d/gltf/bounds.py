"""The box around what the default scene shows at rest: tight, whatever turns, bends or morphs it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import draco, limits
from acr3d.gltf.accessors import as_floats, is_readable, read, whole
from acr3d.gltf.errors import damaged
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json, numbers
from acr3d.gltf.model import Model
from acr3d.optimize.steps.orientation import rotation_matrix

Matrix = NDArray[np.float64]
# Every placement of a mesh that is turned or bent costs a look at its vertices; beyond this, its box must do.
_MOST_VERTICES = 4 * limits.ELEMENTS
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Shown:
    """A mesh that the default scene shows; `joints` are its bones' matrices to the world, if it is skinned.

    A skinned mesh stands where its bones are: glTF 2.0, 3.7.3.3, ignores its node's own matrix.
    """

    mesh: int
    matrix: Matrix
    joints: Matrix | None
    weights: tuple[float, ...]


def shown_meshes(model: Model) -> list[Shown]:
    """Every mesh of the default scene, placed."""
    data, nodes = model.json, model.json.get("nodes", [])
    worlds = _world_matrices(data)
    skins = {nodes[at]["skin"] for at in worlds if "mesh" in nodes[at] and "skin" in nodes[at]}
    joints = {number: _joint_matrices(model, data["skins"][number], worlds) for number in skins}
    return [
        Shown(nodes[at]["mesh"], matrix, joints.get(nodes[at].get("skin")), _morph_weights(data, at))
        for at, matrix in worlds.items()
        if "mesh" in nodes[at]
    ]


def scene_box(model: Model, shown: list[Shown]) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    """Lowest and highest corner in metres; None and None when nothing is shown. Raises BadModel."""
    by_mesh: dict[int, list[Shown]] = {}
    for each in shown:
        by_mesh.setdefault(each.mesh, []).append(each)
    shapes = (
        (_Shape(model, primitive), places)
        for mesh, places in by_mesh.items()
        for primitive in model.json["meshes"][mesh].get("primitives", [])
    )
    low, high, vertices_left = np.full(3, np.inf), np.full(3, -np.inf), _MOST_VERTICES
    for shape, places in shapes:
        for place in places:
            vertices_left -= shape.effort(place)
            for points in shape.points(place, is_loose=vertices_left < 0):
                low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
                if not np.isfinite([low, high]).all():
                    raise damaged("nodes", "blow the model up beyond any number")
    return (tuple(low.tolist()), tuple(high.tolist())) if (low <= high).all() else (None, None)


def node_matrix(node: Json) -> Matrix:
    """A node's own 4 × 4 matrix, from `matrix` or from translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    turn = rotation_matrix(node.get("rotation") or (0, 0, 0, 1))
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.get("scale") or (1, 1, 1), float)
    matrix[:3, 3] = node.get("translation") or (0, 0, 0)
    return matrix


def _world_matrices(data: Json) -> dict[int, Matrix]:
    """The matrices to the world of the default scene's meshes and of all bones, by node."""
    nodes, scenes = data.get("nodes", []), data.get("scenes", [])
    if not scenes:
        return {}
    bones = {joint for skin in data.get("skins", []) for joint in skin.get("joints", [])}
    waiting = [(at, np.eye(4)) for at in scenes[data.get("scene", 0)].get("nodes", [])]
    worlds = {}
    while waiting:
        at, above = waiting.pop()
        with np.errstate(all="ignore"):
            matrix = above @ node_matrix(nodes[at])
        if "mesh" in nodes[at] or at in bones:
            worlds[at] = matrix
        waiting += [(child, matrix) for child in nodes[at].get("children", [])]
    return worlds


def _joint_matrices(model: Model, skin: Json, worlds: dict[int, Matrix]) -> Matrix:
    """From the skin's space to the world, for each of its joints; one outside the scene does not move."""
    joints = skin.get("joints", [])
    matrices = np.array([worlds.get(joint, np.eye(4)) for joint in joints]).reshape(-1, 4, 4)
    at = skin.get("inverseBindMatrices")
    if at is None or not is_readable(model, at):
        return matrices
    inverse = read(model, at)
    if len(inverse) < len(joints) or inverse.shape[1] != 16:
        raise damaged("skins", "have fewer inverse bind matrices than joints")
    with np.errstate(all="ignore"):
        found: Matrix = matrices @ inverse[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1).astype(float)
    return found


def _morph_weights(data: Json, node: int) -> tuple[float, ...]:
    """How far each morph target is applied at rest: the node's word comes before its mesh's."""
    holder, place = data["nodes"][node], f"nodes[{node}]"
    if "weights" not in holder:
        holder, place = data["meshes"][holder["mesh"]], f"meshes[{holder['mesh']}]"
    weights = holder.get("weights", [])
    return tuple(numbers(holder, "weights", len(weights) if isinstance(weights, list) else 0, place) or ())


class _Shape:
    """One primitive's vertices, read when somebody needs them."""

    def __init__(self, model: Model, primitive: Json) -> None:
        self._model, self._primitive = model, primitive
        self._attributes: dict[str, int] = primitive.get("attributes", {})

    def effort(self, place: Shown) -> int:
        """How many vertices must be looked at for this placement; none where the box's corners tell all."""
        if "POSITION" not in self._attributes or self._is_told_by_its_box(place):
            return 0
        return int(self._model.json["accessors"][self._attributes["POSITION"]]["count"])

    def points(self, place: Shown, is_loose: bool) -> Iterator[Matrix]:
        """Points in the world that have the same box as the primitive (a wider one if `is_loose`)."""
        matrices = [place.matrix] if place.joints is None else list(place.joints)
        vertices = None if is_loose or self._is_told_by_its_box(place) else self._vertices
        if vertices is None:
            yield from (_moved(self._corners, matrix) for matrix in matrices if len(self._corners))
            return
        vertices = self._morphed(vertices, place.weights)
        if place.joints is None:
            yield from (_moved(vertices[at : at + _CHUNK], place.matrix) for at in _chunks(vertices))
        else:
            yield from self._bent(vertices, place.joints)

    def _is_told_by_its_box(self, place: Shown) -> bool:
        """Whether the node only moves, stretches, mirrors or turns by right angles."""
        axes = np.abs(place.matrix[:3, :3])
        # A right angle said by a quaternion leaves some 1e-16 where zeros should be.
        is_straight = (np.count_nonzero(axes > 1e-12 * axes.max(), axis=1) <= 1).all()
        return bool(is_straight and place.joints is None and not self._is_morphed(place.weights))

    def _is_morphed(self, weights: tuple[float, ...]) -> bool:
        return any(weights) and bool(self._primitive.get("targets"))

    @functools.cached_property
    def _corners(self) -> Matrix:
        """The eight corners of the primitive's own box: by its values where plain, else by what it states."""
        at = self._attributes.get("POSITION")
        if at is None:
            return np.empty((0, 3))
        accessor = self._model.json["accessors"][at]
        if _is_plain(self._model, at):
            values = as_floats(read(self._model, at), accessor)
            bounds = values.min(axis=0), values.max(axis=0)
        elif accessor.get("min") and accessor.get("max"):
            # As stored (glTF 2.0, 3.6.2.5): `normalized` has not been applied to them.
            one = whole(accessor)
            bounds = np.array(accessor["min"], float) / one, np.array(accessor["max"], float) / one
        else:
            return np.empty((0, 3))
        return np.array(np.meshgrid(*zip(*bounds, strict=True))).reshape(3, 8).T.astype(float)

    @functools.cached_property
    def _vertices(self) -> Matrix | None:
        return self._values("POSITION")

    def _values(self, name: str) -> Matrix | None:
        """An attribute's values, or None where only a meshopt decoder could tell."""
        at = self._attributes.get(name)
        if at is None:
            return None
        accessor = self._model.json["accessors"][at]
        if _is_plain(self._model, at):
            return as_floats(read(self._model, at), accessor)
        packed = self._primitive.get("extensions", {}).get(DRACO)
        if packed is None or name not in packed.get("attributes", {}):
            return None
        return as_floats(self._decoded.attributes[packed["attributes"][name]], accessor)

    @functools.cached_property
    def _decoded(self) -> draco.DracoMesh:
        view = self._primitive["extensions"][DRACO]["bufferView"]
        return draco.decode(self._model.view(view), f"bufferViews[{view}]")

    def _morphed(self, vertices: Matrix, weights: tuple[float, ...]) -> Matrix:
        if not self._is_morphed(weights):
            return vertices
        vertices = vertices.copy()
        for weight, target in zip(weights, self._primitive["targets"], strict=False):
            at = target.get("POSITION")
            if weight and at is not None and is_readable(self._model, at):
                offsets = as_floats(read(self._model, at), self._model.json["accessors"][at])
                if offsets.shape != vertices.shape:
                    raise damaged(f"accessors[{at}].count", "is not that of the vertices it morphs")
                vertices += weight * offsets
        return vertices

    def _bent(self, vertices: Matrix, matrices: Matrix) -> Iterator[Matrix]:
        """The vertices where their bones take them; as in three.js, four bones with weights of sum one."""
        joints, weights = self._values("JOINTS_0"), self._values("WEIGHTS_0")
        if joints is None or weights is None:
            yield from (_moved(self._corners, matrix) for matrix in matrices)
            return
        place = f"accessors[{self._attributes['JOINTS_0']}]"
        if joints.shape[1] != 4 or weights.shape[1] != 4:
            raise damaged(place, "and its weights are not four to a vertex")
        if joints.max() >= len(matrices) or joints.min() < 0:
            raise damaged(place, "names a joint that the skin lacks")
        for at in _chunks(vertices):
            some = slice(at, at + _CHUNK)
            share = weights[some]
            share[share.sum(axis=1) == 0] = (1, 0, 0, 0)
            share = share / share.sum(axis=1, keepdims=True)
            points = np.zeros_like(vertices[some])
            for bone in range(joints.shape[1]):
                chosen = matrices[joints[some, bone].astype(int)]
                moved = np.einsum("nij,nj->ni", chosen[:, :3, :3], vertices[some]) + chosen[:, :3, 3]
                points += share[:, bone, None] * moved
            yield points


def _is_plain(model: Model, number: int) -> bool:
    """Whether the accessor's own bytes hold its values; without any it stands for a stream."""
    accessor = model.json["accessors"][number]
    return is_readable(model, number) and ("bufferView" in accessor or "sparse" in accessor)


def _chunks(vertices: Matrix) -> range:
    return range(0, len(vertices), _CHUNK)


def _moved(points: Matrix, matrix: Matrix) -> Matrix:
    with np.errstate(all="ignore"):
        moved: Matrix = points @ matrix[:3, :3].T + matrix[:3, 3]
    return moved

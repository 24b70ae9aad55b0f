"""The bounding box of the default scene at rest, tight under any rotation, skin or morph target."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import draco, limits
from acr3d.gltf.accessors import Array, as_floats, is_readable, normalized_one, read_accessor
from acr3d.gltf.errors import damaged
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import Matrix, MeshInstance

# Each instance of a mesh that is rotated or deformed requires a pass over its vertices. Beyond this many
# vertices, the mesh's own box is used instead.
_MOST_VERTICES = 4 * limits.ELEMENTS
_CHUNK = 1 << 16

Corner = tuple[float, ...]


def scene_bounds(model: Model, instances: list[MeshInstance]) -> tuple[Corner | None, Corner | None]:
    """Lowest and highest corner in metres; None and None when nothing is shown. Raises BadModel."""
    by_mesh: dict[int, list[MeshInstance]] = {}
    for each in instances:
        by_mesh.setdefault(each.mesh, []).append(each)
    shapes = (
        (_PrimitiveVertices(model, primitive), places)
        for mesh, places in by_mesh.items()
        for primitive in model.json["meshes"][mesh].get("primitives", [])
    )
    low, high, vertices_left = np.full(3, np.inf), np.full(3, -np.inf), _MOST_VERTICES
    for shape, places in shapes:
        for place in places:
            vertices_left -= shape.vertices_to_read(place)
            for points in shape.points(place, is_loose=vertices_left < 0):
                low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
                if not np.isfinite([low, high]).all():
                    raise damaged("nodes", "scale the model beyond the range of numbers")
    return (tuple(low.tolist()), tuple(high.tolist())) if (low <= high).all() else (None, None)


class _PrimitiveVertices:
    """One primitive's vertices, read when they are needed."""

    def __init__(self, model: Model, primitive: Json) -> None:
        self._model, self._primitive = model, primitive
        self._attributes: dict[str, int] = primitive.get("attributes", {})

    def vertices_to_read(self, place: MeshInstance) -> int:
        """How many vertices this instance takes; 0 where the corners of the box are enough."""
        if "POSITION" not in self._attributes or self._needs_box_only(place):
            return 0
        return int(self._model.json["accessors"][self._attributes["POSITION"]]["count"])

    def points(self, place: MeshInstance, is_loose: bool) -> Iterator[Matrix]:
        """Points in the world whose box is the primitive's (or a wider one if `is_loose`)."""
        matrices = [place.matrix] if place.joints is None else list(place.joints)
        vertices = None if is_loose or self._needs_box_only(place) else self._vertices
        if vertices is None:
            yield from (_moved(self._corners, matrix) for matrix in matrices if len(self._corners))
            return
        vertices = self._morphed(vertices, place.weights)
        if place.joints is None:
            yield from (_moved(vertices[at : at + _CHUNK], place.matrix) for at in _chunks(vertices))
        else:
            yield from self._skinned(vertices, place.joints)

    def _needs_box_only(self, place: MeshInstance) -> bool:
        """Whether the node only moves, scales, mirrors or turns by right angles."""
        axes = np.abs(place.matrix[:3, :3])
        # A right angle from a quaternion leaves about 1e-16 where zeros should be.
        is_straight = (np.count_nonzero(axes > 1e-12 * axes.max(), axis=1) <= 1).all()
        return bool(is_straight and place.joints is None and not self._is_morphed(place.weights))

    def _is_morphed(self, weights: tuple[float, ...]) -> bool:
        return any(weights) and bool(self._primitive.get("targets"))

    @functools.cached_property
    def _corners(self) -> Matrix:
        """The corners (8, 3) of the primitive's box: from its values if readable, else from min and max."""
        at = self._attributes.get("POSITION")
        if at is None:
            return np.empty((0, 3))
        accessor = self._model.json["accessors"][at]
        if _has_own_values(self._model, at):
            values = as_floats(self._drawn(read_accessor(self._model, at)), accessor)
            bounds = values.min(axis=0), values.max(axis=0)
        elif accessor.get("min") and accessor.get("max"):
            # These are stored values (glTF 2.0, 3.6.2.5): `normalized` has not been applied.
            one = normalized_one(accessor)
            bounds = np.array(accessor["min"], float) / one, np.array(accessor["max"], float) / one
        else:
            return np.empty((0, 3))
        return np.array(np.meshgrid(*zip(*bounds, strict=True))).reshape(3, 8).T.astype(float)

    @functools.cached_property
    def _vertices(self) -> Matrix | None:
        return self._values("POSITION")

    def _values(self, name: str) -> Matrix | None:
        """An attribute's values, or None if only a meshopt decoder could read them."""
        at = self._attributes.get(name)
        if at is None:
            return None
        accessor = self._model.json["accessors"][at]
        if _has_own_values(self._model, at):
            return as_floats(self._drawn(read_accessor(self._model, at)), accessor)
        packed = self._primitive.get("extensions", {}).get(DRACO)
        if packed is None or name not in packed.get("attributes", {}):
            return None
        return as_floats(self._decoded.attributes[packed["attributes"][name]], accessor)

    def _drawn(self, values: Array) -> Array:
        """The values of the vertices that something is drawn of; others may lie anywhere."""
        indices = self._indices
        return values if indices is None or indices[-1] >= len(values) else values[indices]

    @functools.cached_property
    def _indices(self) -> NDArray[np.intp] | None:
        """The drawn vertices; None if they are all drawn or only a decoder could tell."""
        at = self._primitive.get("indices")
        if at is None or not _has_own_values(self._model, at):
            return None
        indices = read_accessor(self._model, at)[:, 0]
        # Parts of a shared array use few of its vertices, so counting all of those would take long.
        if int(indices.max()) > 4 * len(indices):
            return np.unique(indices).astype(np.intp)
        return np.flatnonzero(np.bincount(indices))

    @functools.cached_property
    def _decoded(self) -> draco.DracoMesh:
        view = self._primitive["extensions"][DRACO]["bufferView"]
        return draco.decode(self._model.view_bytes(view), f"bufferViews[{view}]")

    def _morphed(self, vertices: Matrix, weights: tuple[float, ...]) -> Matrix:
        if not self._is_morphed(weights):
            return vertices
        vertices = vertices.copy()
        for weight, target in zip(weights, self._primitive["targets"], strict=False):
            at = target.get("POSITION")
            if weight and at is not None and is_readable(self._model, at):
                accessor = self._model.json["accessors"][at]
                offsets = as_floats(self._drawn(read_accessor(self._model, at)), accessor)
                if offsets.shape != vertices.shape:
                    raise damaged(
                        f"accessors[{at}].count", "differs from the number of vertices that it morphs"
                    )
                vertices += weight * offsets
        return vertices

    def _skinned(self, vertices: Matrix, matrices: Matrix) -> Iterator[Matrix]:
        """The vertices moved by their joints. As in three.js: four joints, weights scaled to a sum of one."""
        joints, weights = self._values("JOINTS_0"), self._values("WEIGHTS_0")
        if joints is None or weights is None:
            yield from (_moved(self._corners, matrix) for matrix in matrices)
            return
        place = f"accessors[{self._attributes['JOINTS_0']}]"
        if joints.shape[1] != 4 or weights.shape[1] != 4:
            raise damaged(place, "and its weights do not have four values per vertex")
        if joints.max() >= len(matrices) or joints.min() < 0:
            raise damaged(place, "names a joint that the skin does not have")
        for at in _chunks(vertices):
            some = slice(at, at + _CHUNK)
            share = weights[some]
            share[share.sum(axis=1) == 0] = (1, 0, 0, 0)
            share = share / share.sum(axis=1, keepdims=True)
            points = np.zeros_like(vertices[some])
            for joint in range(joints.shape[1]):
                chosen = matrices[joints[some, joint].astype(int)]
                moved = np.einsum("nij,nj->ni", chosen[:, :3, :3], vertices[some]) + chosen[:, :3, 3]
                points += share[:, joint, None] * moved
            yield points


def _has_own_values(model: Model, number: int) -> bool:
    """Whether the accessor's own bytes hold its values. Without bytes it describes a Draco stream."""
    accessor = model.json["accessors"][number]
    return is_readable(model, number) and ("bufferView" in accessor or "sparse" in accessor)


def _chunks(vertices: Matrix) -> range:
    return range(0, len(vertices), _CHUNK)


def _moved(points: Matrix, matrix: Matrix) -> Matrix:
    with np.errstate(all="ignore"):
        moved: Matrix = points @ matrix[:3, :3].T + matrix[:3, 3]
    return moved

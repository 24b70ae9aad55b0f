"""The default scene of a GLB at rest, as arrays: all triangles in world space, with their materials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import draco
from acr3d.gltf.accessors import is_readable, read_accessor
from acr3d.gltf.check_buffers import check_buffers
from acr3d.gltf.check_json import check_json
from acr3d.gltf.errors import BadModel
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import MeshInstance, mesh_instances
from acr3d.render.materials import Material, read_materials

Floats = NDArray[np.float64]
_KEPT = ("POSITION", "NORMAL", "COLOR_0")
_TRIANGLES, _STRIP, _FAN = 4, 5, 6


@dataclass(frozen=True)
class Scene:
    """`points` and `normals` (n, 3), `colours` (n, 4, linear, 0 to 1); None if no primitive has any.

    `uv`: (n, 2) by UV set; `triangles`: (m, 3); `material_of`: (m,) indices into `materials`.
    """

    points: NDArray[np.float32]
    triangles: NDArray[np.int32]
    normals: NDArray[np.float32] | None
    colours: NDArray[np.float32] | None
    uv: dict[int, NDArray[np.float32]]
    material_of: NDArray[np.int32]
    materials: list[Material]

    @property
    def box(self) -> tuple[Floats, Floats]:
        """Lowest and highest corner of the vertices that triangles use."""
        used = self.points[np.unique(self.triangles)]
        return used.min(0).astype(np.float64), used.max(0).astype(np.float64)


@dataclass(frozen=True)
class PlacedPrimitive:
    """One primitive in world space; `material`: its number in the file, -1 for glTF's default."""

    points: Floats
    triangles: NDArray[np.int64]
    attributes: dict[str, Floats]
    material: int


def read_scene(path: Path, most_texels: int = 2048) -> Scene:
    """Read and check a file, its textures no larger than `most_texels` a side (0: none). Raises BadModel."""
    with Model(path) as model:
        check_json(model)
        check_buffers(model)
        placed = list(placed_primitives(model))
        if not placed:
            raise BadModel("The model has nothing to draw. Generate or export the model again.", "empty")
        materials = read_materials(model, {primitive.material for primitive in placed}, most_texels)
    scene = _joined(placed, materials)
    if not np.ptp(scene.box, axis=0).any():
        raise BadModel("The model has no size. Generate or export the model again.", "empty")
    return scene


def placed_primitives(model: Model) -> Iterator[PlacedPrimitive]:
    """The triangles of a checked model, one primitive of its default scene at a time. Raises BadModel."""
    for instance in mesh_instances(model):
        for primitive in model.json["meshes"][instance.mesh].get("primitives", []):
            is_drawn = "POSITION" in primitive.get("attributes", {})
            if is_drawn and primitive.get("mode", _TRIANGLES) in (_TRIANGLES, _STRIP, _FAN):
                placed = _place_primitive(model, instance, primitive)
                if len(placed.triangles):
                    yield placed


def _place_primitive(model: Model, instance: MeshInstance, primitive: Json) -> PlacedPrimitive:
    attributes, triangles = _decoded(model, primitive)
    # A skinned mesh follows its joints. At rest they usually share one matrix, so the first one is used.
    matrix = instance.matrix if instance.joints is None or not len(instance.joints) else instance.joints[0]
    with np.errstate(all="ignore"):
        points = attributes.pop("POSITION") @ matrix[:3, :3].T + matrix[:3, 3]
    if not np.isfinite(points).all():
        raise BadModel(
            "The model is scaled beyond the range of numbers, so it cannot be drawn. "
            "Generate or export the model again.",
            "damaged",
        )
    if np.linalg.det(matrix[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    if "NORMAL" in attributes:
        attributes["NORMAL"] = attributes["NORMAL"] @ np.linalg.pinv(matrix[:3, :3])
    return PlacedPrimitive(points, triangles, attributes, primitive.get("material", -1))


def _decoded(model: Model, primitive: Json) -> tuple[dict[str, Floats], NDArray[np.int64]]:
    """The attributes that drawing needs, as floats, and the triangles."""
    accessors, names = model.json["accessors"], primitive.get("attributes", {})
    wanted = [name for name in names if name in _KEPT or name.startswith("TEXCOORD_")]
    packed = primitive.get("extensions", {}).get(DRACO)
    if packed is not None:
        mesh, ids = draco.decode(model.view_bytes(packed["bufferView"]), "the model"), packed["attributes"]
        held = {name: mesh.attributes[ids[name]] for name in wanted if name in ids}
        return _all_floats(held, accessors, names), mesh.faces.astype(np.int64)
    if not all(is_readable(model, names[name]) for name in wanted):
        sentence = (
            "The model uses meshopt compression, which only browsers can read, so no picture of it was drawn."
        )
        raise BadModel(sentence, "unsupported")
    attributes = _all_floats({name: read_accessor(model, names[name]) for name in wanted}, accessors, names)
    at = primitive.get("indices")
    plain = (
        np.arange(len(attributes["POSITION"]))
        if at is None
        else read_accessor(model, at)[:, 0].astype(np.int64)
    )
    return attributes, _triangles(plain, primitive.get("mode", _TRIANGLES))


def _triangles(corners: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if len(corners) < 3:
        return np.empty((0, 3), np.int64)
    if mode == _FAN:
        return np.column_stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]])
    strip = np.column_stack([corners[:-2], corners[1:-1], corners[2:]])
    strip[1::2] = strip[1::2, ::-1]  # every second triangle has the opposite winding
    return strip


def _all_floats(
    held: dict[str, NDArray[Any]], accessors: list[Json], names: dict[str, int]
) -> dict[str, Floats]:
    return {
        name: values / (np.iinfo(values.dtype).max if _is_normalized(accessors[names[name]]) else 1.0)
        for name, values in held.items()
    }


def _is_normalized(accessor: Json) -> bool:
    """Whether integers stand for 0 to 1 (or −1 to 1)."""
    return bool(accessor.get("normalized")) and accessor["componentType"] != 5126


def _joined(placed: list[PlacedPrimitive], materials: dict[int, Material]) -> Scene:
    """All primitives in one set of arrays. Missing attributes get neutral values."""
    numbers = {key: number for number, key in enumerate(materials)}
    starts = np.cumsum([0] + [len(primitive.points) for primitive in placed[:-1]])
    sets = {texture.channel for material in materials.values() if (texture := material.texture)}
    return Scene(
        points=np.concatenate([primitive.points for primitive in placed]).astype(np.float32),
        triangles=np.concatenate(
            [primitive.triangles + start for primitive, start in zip(placed, starts, strict=True)]
        ).astype(np.int32),
        normals=_attribute(placed, "NORMAL", (0, 0, 0)),
        colours=_attribute(placed, "COLOR_0", (1, 1, 1, 1)),
        uv={
            number: found
            for number in sets
            if (found := _attribute(placed, f"TEXCOORD_{number}", (0, 0))) is not None
        },
        material_of=np.repeat(
            [numbers[primitive.material] for primitive in placed],
            [len(primitive.triangles) for primitive in placed],
        ).astype(np.int32),
        materials=list(materials.values()),
    )


def _attribute(
    placed: list[PlacedPrimitive], name: str, neutral: tuple[float, ...]
) -> NDArray[np.float32] | None:
    if not any(name in primitive.attributes for primitive in placed):
        return None
    joined = np.empty((sum(len(primitive.points) for primitive in placed), len(neutral)), np.float32)
    start = 0
    for primitive in placed:
        place = joined[start : start + len(primitive.points)]
        place[:] = neutral
        values = primitive.attributes.get(name)
        if values is not None:
            width = min(values.shape[1], len(neutral))  # a colour may have no alpha
            place[:, :width] = values[:, :width]
        start += len(primitive.points)
    return joined

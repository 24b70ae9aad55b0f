"""Join: small parts of the same material become one mesh, where nothing refers to them one by one.

An assembly of thousands of screws and brackets takes more bytes for its JSON than for its shapes, and each
part is a draw call. Parts stay by themselves if they are animated, skinned, morphed, transparent or large, or
if they are one mesh in many places and joining would take more bytes. Why GPU instancing is not used:
docs/decisions/0009-optimizer-geometry.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acr3d.gltf import limits
from acr3d.gltf.extensions import can_rearrange
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import Matrix, node_matrix
from acr3d.gltf.traversal import mesh_uses, triangle_count
from acr3d.gltf.write_accessors import add_accessor, index_array
from acr3d.optimize.joined_arrays import TRANSFORMED, JoinedArrays, PlacedPrimitive, joined_arrays
from acr3d.optimize.node_removal import remove_meshes, remove_nodes
from acr3d.optimize.origins import Origins
from acr3d.optimize.primitive_groups import PrimitiveGroup, why_not_readable
from acr3d.optimize.steps.real_size import TRUE_SIZE

# About how many bytes a triangle takes in a stream and in plain arrays (measured), and a primitive in JSON.
STREAM_BYTES, ARRAY_BYTES = 3, 30
_PRIMITIVE_JSON = 600
# How many bytes it is worth to save a draw call.
_DRAW_CALL = 100
# In larger parts, the JSON hardly counts.
_MOST_TRIANGLES = 2000
_JOINED_ATTRIBUTES = ("POSITION", "NORMAL", "TANGENT", "TEXCOORD_", "COLOR_")
# In one joined primitive; Draco's encoder takes about 200 bytes for each.
_MOST_JOINED = 500_000


@dataclass(frozen=True)
class _Part:
    """A node that shows a mesh, the nearest node above that must stay, and the matrix between the two."""

    node: int
    mesh: int
    anchor: int | None
    matrix: Matrix


def join(model: Model, triangle_bytes: int) -> Origins:
    """Join what may and should be joined; changes `model`. Tells where everything came from.

    `triangle_bytes`: about how much a triangle will take in the file.
    """
    data = model.json
    origins = Origins.of(data)
    if not can_rearrange(data) or len(data.get("scenes", [])) != 1:
        return origins
    by_anchor: dict[int | None, list[_Part]] = {}
    for part in _worth_joining(data, list(_joinable_parts(model)), triangle_bytes):
        by_anchor.setdefault(part.anchor, []).append(part)
    joined, meshes = set[int](), {part.mesh for parts in by_anchor.values() for part in parts}
    for anchor, parts in by_anchor.items():
        joined |= _join_parts(model, anchor, parts, origins)
    if joined:
        origins.renumber(remove_nodes(data, joined))
        remove_meshes(data, meshes)
    return origins


def _joinable_parts(model: Model) -> Iterator[_Part]:
    """The parts of the scene that may be joined."""
    data, nodes = model.json, model.json.get("nodes", [])
    may_join = [_is_joinable(model, mesh) for mesh in data.get("meshes", [])]
    staying = _staying_nodes(data)
    waiting: list[tuple[int, int | None, Matrix]] = [
        (root, None, np.eye(4)) for root in data["scenes"][0].get("nodes", [])
    ]
    while waiting:
        number, anchor, above = waiting.pop()
        node = nodes[number]
        with np.errstate(all="ignore"):
            matrix = np.eye(4) if number in staying else above @ node_matrix(node)
        anchor = number if number in staying else anchor
        if number not in staying and "mesh" in node and may_join[node["mesh"]] and _is_regular(matrix):
            yield _Part(number, node["mesh"], anchor, matrix)
        waiting += [(child, anchor, matrix) for child in node.get("children", [])]


def _staying_nodes(data: Json) -> set[int]:
    """The nodes that something refers to or that do more than show a mesh in a place."""
    staying = {
        channel.get("target", {}).get("node")
        for animation in data.get("animations", [])
        for channel in animation.get("channels", [])
    }
    for skin in data.get("skins", []):
        staying |= {*skin.get("joints", []), skin.get("skeleton")}
    own = {"camera", "skin", "weights", "extensions"}
    staying |= {
        number
        for number, node in enumerate(data.get("nodes", []))
        if own & node.keys() or node.get("extras") == TRUE_SIZE
    }
    return staying - {None}


def _is_joinable(model: Model, mesh: Json) -> bool:
    primitives = mesh.get("primitives", [])
    is_plain = bool(primitives) and not {"weights", "extensions"} & mesh.keys()
    return is_plain and all(_is_primitive_joinable(model, primitive) for primitive in primitives)


def _is_primitive_joinable(model: Model, primitive: Json) -> bool:
    attributes = primitive.get("attributes", {})
    if primitive.get("mode", 4) != 4 or {"targets", "extensions"} & primitive.keys():
        return False
    if not all(name.startswith(_JOINED_ATTRIBUTES) for name in attributes):
        return False
    if not 0 < triangle_count(model.json, primitive) <= _MOST_TRIANGLES:
        return False
    material = model.json["materials"][primitive["material"]] if "material" in primitive else {}
    # Transparent surfaces are sorted object by object.
    is_opaque = str(material.get("alphaMode", "OPAQUE")) != "BLEND"
    if not is_opaque or "KHR_materials_transmission" in material.get("extensions", {}):
        return False
    return why_not_readable(model, PrimitiveGroup("", [primitive])) is None


def _is_regular(matrix: Matrix) -> bool:
    size = np.abs(matrix[:3, :3]).max()
    return bool(np.isfinite(matrix).all() and size > 0 and abs(np.linalg.det(matrix[:3, :3] / size)) > 1e-6)


def _worth_joining(data: Json, parts: list[_Part], triangle_bytes: int) -> list[_Part]:
    """The parts of the meshes that take fewer bytes, or not many more, where they are joined."""
    by_mesh: dict[int, list[_Part]] = {}
    for part in parts:
        by_mesh.setdefault(part.mesh, []).append(part)
    uses, room = mesh_uses(data), limits.TRIANGLES - _stored_triangles(data)
    found = []
    for mesh, places in by_mesh.items():
        primitives = data["meshes"][mesh]["primitives"]
        triangles = sum(triangle_count(data, primitive) for primitive in primitives)
        is_gone = uses[mesh] == len(places)
        stays = sum(len(json.dumps(data["nodes"][part.node])) for part in places)
        stays += len(primitives) * (_DRAW_CALL * len(places) + (_PRIMITIVE_JSON if is_gone else 0))
        more = triangles * (len(places) - is_gone)
        if more * triangle_bytes <= stays and more <= room:
            room -= more
            found += places
    return found


def _stored_triangles(data: Json) -> int:
    return sum(
        triangle_count(data, primitive)
        for mesh in data.get("meshes", [])
        for primitive in mesh.get("primitives", [])
    )


def _join_parts(model: Model, anchor: int | None, parts: list[_Part], origins: Origins) -> set[int]:
    """Join parts below the same node; returns the nodes that have become empty."""
    batches = list(_batches(model, parts))
    joined = {each.node for batch in batches for each in batch}
    if not joined:
        return set()
    data, arrays = model.json, [joined_arrays(model, batch) for batch in batches]
    low = np.min([each.values["POSITION"].min(axis=0) for each in arrays], axis=0)
    high = np.max([each.values["POSITION"].max(axis=0) for each in arrays], axis=0)
    centre = (low + high) / 2  # far from the origin, floats are too coarse
    primitives = []
    for each, batch in zip(arrays, batches, strict=True):
        each.values["POSITION"] = (each.values["POSITION"] - centre).astype(np.float32)
        primitives.append(_add_primitive(model, each, batch[0].primitive))
    data["meshes"].append({"primitives": primitives})
    data["nodes"].append({"mesh": len(data["meshes"]) - 1, "translation": centre.tolist()})
    node = len(data["nodes"]) - 1
    parent = data["nodes"][anchor] if anchor is not None else data["scenes"][0]
    parent.setdefault("children" if anchor is not None else "nodes", []).append(node)
    for number in joined:
        del data["nodes"][number]["mesh"]
    origins.joined.add(node)
    for at, batch in enumerate(batches):
        origins.sources[node, at] = [(each.node, each.number) for each in batch]
    return joined


def _batches(model: Model, parts: list[_Part]) -> Iterator[list[PlacedPrimitive]]:
    """The primitives that become one, without the parts that have nothing in common with any other."""
    alike: dict[tuple[object, ...], list[PlacedPrimitive]] = {}
    for part in parts:
        for at, primitive in enumerate(model.json["meshes"][part.mesh]["primitives"]):
            placed = PlacedPrimitive(part.node, at, primitive, part.matrix)
            alike.setdefault(_format(model.json, primitive), []).append(placed)
    joined = {each.node for members in alike.values() if len(members) > 1 for each in members}
    for members in alike.values():
        batch, triangles = list[PlacedPrimitive](), 0
        for each in members:
            if each.node not in joined:
                continue
            count = triangle_count(model.json, each.primitive)
            if triangles + count > _MOST_JOINED:
                yield batch
                batch, triangles = [], 0
            batch.append(each)
            triangles += count
        if batch:
            yield batch


def _format(data: Json, primitive: Json) -> tuple[object, ...]:
    """What primitives must have in common to become one."""
    types = []
    for name, at in sorted(primitive["attributes"].items()):
        accessor = data["accessors"][at]
        stored = (accessor["componentType"], accessor.get("normalized", False))
        types.append((name, accessor["type"], None if name in TRANSFORMED else stored))
    return primitive.get("material"), *types


def _add_primitive(model: Model, arrays: JoinedArrays, like: Json) -> Json:
    attributes = {}
    for name, values in arrays.values.items():
        accessor = model.json["accessors"][like["attributes"][name]]
        fields = {"type": accessor["type"]}
        if name not in TRANSFORMED and accessor.get("normalized"):
            fields["normalized"] = True
        if name == "POSITION":
            fields |= {"min": [], "max": []}
        attributes[name] = add_accessor(model, fields, values)
    indices = index_array(arrays.faces, len(arrays.values["POSITION"]))
    primitive = {
        "attributes": attributes,
        "indices": add_accessor(model, {"type": "SCALAR"}, indices, is_vertex=False),
    }
    return primitive | ({"material": like["material"]} if "material" in like else {})

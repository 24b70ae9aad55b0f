"""Whether meshes, nodes, scenes, skins and animations refer to things that exist."""

from __future__ import annotations

from collections.abc import Mapping

from acr3d.gltf import limits
from acr3d.gltf.accessors import INDEX_TYPES
from acr3d.gltf.errors import BadModel, damaged, too_large
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import (
    Json,
    child,
    extension,
    index,
    indices,
    integer,
    numbers,
    objects,
    reference,
)
from acr3d.gltf.traversal import triangle_count
from acr3d.messages.message import Message

_FIXED_WIDTH: dict[str, tuple[str, ...]] = {"POSITION": ("VEC3",), "NORMAL": ("VEC3",), "TANGENT": ("VEC4",)}
# A morph target moves the direction of a tangent, not its handedness (glTF 2.0, 3.7.2.2).
_TARGET_WIDTH: dict[str, tuple[str, ...]] = _FIXED_WIDTH | {"TANGENT": ("VEC3",)}
_NODE_REFERENCES = {"mesh": "meshes", "skin": "skins", "camera": "cameras"}
_VARIANTS = "KHR_materials_variants"


def check_scene(data: Json) -> None:
    """Check the scene part of the JSON. Raises BadModel at the first error."""
    _check_meshes(data)
    _check_nodes(data)
    _check_scenes(data)
    _check_skins(data)
    _check_animations(data)


def _check_meshes(data: Json) -> None:
    triangles = primitives = 0
    for number, mesh in enumerate(data.get("meshes", [])):
        for at, primitive in enumerate(objects(mesh, "primitives", f"meshes[{number}]")):
            place = f"meshes[{number}].primitives[{at}]"
            _check_primitive(data, primitive, place)
            triangles += triangle_count(data, primitive)
            primitives += 1
    if triangles > limits.TRIANGLES:
        raise too_large("meshes", f"have {triangles} triangles, over {limits.TRIANGLES}")
    if not primitives:
        raise BadModel(Message("model_file.empty"), "empty")


def _check_primitive(data: Json, primitive: Json, place: str) -> None:
    accessors = data.get("accessors", [])
    if "attributes" not in primitive:
        raise damaged(place, "has no attributes")
    attributes = child(primitive, "attributes", place)
    _check_attributes(attributes, accessors, place)
    for target in objects(primitive, "targets", place):
        _check_attributes(target, accessors, place, _TARGET_WIDTH)
    counts = {accessors[at]["count"] for at in attributes.values()}
    if len(counts) > 1:
        raise damaged(f"{place}.attributes", "are not all of the same length")
    at = reference(primitive, "indices", len(accessors), place)
    if at is not None and not _is_index_accessor(accessors[at]):
        raise damaged(f"{place}.indices", "are not integers")
    reference(primitive, "material", len(data.get("materials", [])), place)
    integer(primitive, "mode", place, high=6, default=4)
    variants = extension(primitive, _VARIANTS, place) or {}
    for each in objects(variants, "mappings", f"{place}.extensions.{_VARIANTS}"):
        reference(each, "material", len(data.get("materials", [])), f"{place}.extensions.{_VARIANTS}")
    packed = extension(primitive, DRACO, place)
    if packed is not None:
        _check_draco(data, packed, primitive, f"{place}.extensions.{DRACO}")


def _is_index_accessor(accessor: Json) -> bool:
    return accessor["type"] == "SCALAR" and accessor["componentType"] in INDEX_TYPES


def _check_attributes(
    attributes: Json,
    accessors: list[Json],
    place: str,
    widths: Mapping[str, tuple[str, ...]] = _FIXED_WIDTH,
) -> None:
    for name, at in attributes.items():
        kind = accessors[index(at, len(accessors), f"{place}.attributes.{name}")]["type"]
        if kind not in widths.get(name, (kind, "VEC3")):
            raise damaged(f"{place}.attributes.{name}", f"is a {kind}")


def _check_draco(data: Json, packed: Json, primitive: Json, place: str) -> None:
    reference(packed, "bufferView", len(data.get("bufferViews", [])), place)
    ids = child(packed, "attributes", place)
    if "bufferView" not in packed or "indices" not in primitive or "POSITION" not in ids:
        raise damaged(place, "lacks a stream, indices or positions")
    for name in ids:
        integer(ids, name, f"{place}.attributes", high=2**32 - 1)
        if name not in primitive["attributes"]:
            raise damaged(f"{place}.attributes", f"names {name[:40]!r}, which the primitive does not have")


def _check_nodes(data: Json) -> None:
    nodes = data.get("nodes", [])
    parent: dict[int, int] = {}
    for number, node in enumerate(nodes):
        place = f"nodes[{number}]"
        for at in indices(node, "children", len(nodes), place):
            if at in parent:
                raise damaged(f"{place}.children", f"contains node {at}, which already has a parent")
            parent[at] = number
        for key, target in _NODE_REFERENCES.items():
            reference(node, key, len(objects(data, target)), place)
        for key, count in (("matrix", 16), ("translation", 3), ("rotation", 4), ("scale", 3)):
            numbers(node, key, count, place)
        instances = child(extension(node, "EXT_mesh_gpu_instancing", place) or {}, "attributes", place)
        _check_attributes(instances, data.get("accessors", []), place)
    _check_depth(parent, len(nodes))


def _check_depth(parent: dict[int, int], count: int) -> None:
    """Check that every node leads to a root, and not too far. Every node is visited once."""
    depth: dict[int, int] = {}
    for start in range(count):
        path = {start: None}
        node = start
        while (above := parent.get(node)) is not None and above not in depth:
            if above in path:
                raise damaged(f"nodes[{start}]", "is its own ancestor")
            path[above] = None
            node = above
        below = depth.get(parent.get(node, -1), 0)
        for step, each in enumerate(reversed(path), 1):
            depth[each] = below + step
        if depth[start] > limits.NODE_DEPTH:
            raise too_large(f"nodes[{start}]", f"lies deeper than {limits.NODE_DEPTH} nodes")


def _check_scenes(data: Json) -> None:
    scenes, nodes = data.get("scenes", []), len(data.get("nodes", []))
    if "scene" in data:
        index(data["scene"], len(scenes), "scene")
    for number, scene in enumerate(scenes):
        indices(scene, "nodes", nodes, f"scenes[{number}]")


def _check_skins(data: Json) -> None:
    accessors, nodes = len(data.get("accessors", [])), len(data.get("nodes", []))
    for number, skin in enumerate(data.get("skins", [])):
        place = f"skins[{number}]"
        reference(skin, "inverseBindMatrices", accessors, place)
        reference(skin, "skeleton", nodes, place)
        indices(skin, "joints", nodes, place)


def _check_animations(data: Json) -> None:
    accessors, nodes = len(data.get("accessors", [])), len(data.get("nodes", []))
    for number, animation in enumerate(data.get("animations", [])):
        place = f"animations[{number}]"
        samplers = objects(animation, "samplers", place)
        for at, sampler in enumerate(samplers):
            for key in ("input", "output"):
                index(sampler.get(key), accessors, f"{place}.samplers[{at}].{key}")
        for at, channel in enumerate(objects(animation, "channels", place)):
            index(channel.get("sampler"), len(samplers), f"{place}.channels[{at}].sampler")
            target = child(channel, "target", f"{place}.channels[{at}]")
            reference(target, "node", nodes, f"{place}.channels[{at}].target")

"""Draco encode: compress geometry with KHR_draco_mesh_compression, on one position grid for the whole model.

A primitive that Draco cannot hold completely (with morph targets, shared accessors or unusual types) is left
as it is. Every stream is decoded again, and ids, counts and shape are taken from the decoded stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.accessors import COMPONENTS
from acr3d.gltf.extensions import DRACO, can_renumber, require_extension
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import accessor_use_counts, primitives, texture_infos
from acr3d.optimize.draco import attributes, stream
from acr3d.optimize.draco.stream import DracoOptions, EncodedStream, QuantizationGrid
from acr3d.optimize.primitive_groups import (
    PrimitiveGroup,
    array_bytes,
    read_faces,
    triangle_groups,
    why_not_editable,
)
from acr3d.optimize.steps.core_gltf import drop_quantization_extension

_TANGENT_SLOTS = {"normalTexture", "clearcoatNormalTexture"}
_ANISOTROPY = "KHR_materials_anisotropy"


@dataclass
class DracoResult:
    """Bytes of the compressed primitives before and after, and which primitives were not compressed."""

    bytes_before: int = 0
    bytes_after: int = 0
    compressed: int = 0
    degenerate: int = 0
    left_alone: list[str] = field(default_factory=list)


def draco_encode(model: Model, options: DracoOptions | None = None) -> DracoResult:
    """Compress every primitive that can be compressed; changes `model`."""
    options, result = options or DracoOptions(), DracoResult()
    if not can_renumber(model.json):
        result.left_alone.append("the geometry, because the file uses an unknown extension")
        return result
    _drop_unused_tangents(model)
    groups = _candidates(model, result)
    if not groups:
        return result
    grid = stream.common_grid((attributes.read_positions(model, group) for group in groups), options)
    for group in groups:
        _compress(model, group, grid, options, result)
    if result.compressed:
        require_extension(model.json, DRACO)
        drop_quantization_extension(model)
    return result


def _drop_unused_tangents(model: Model) -> None:
    """Tangents serve only normal maps and anisotropy; without those nothing reads them."""
    materials = model.json.get("materials", [])
    for _, primitive in primitives(model.json):
        material = materials[primitive["material"]] if "material" in primitive else {}
        slots = {place.rpartition(".")[2] for place, _ in texture_infos(material, "material")}
        has_variants = "KHR_materials_variants" in primitive.get("extensions", {})
        is_read = bool(slots & _TANGENT_SLOTS) or _ANISOTROPY in material.get("extensions", {})
        if not is_read and not has_variants and not primitive.get("targets"):
            primitive["attributes"].pop("TANGENT", None)
            primitive.get("extensions", {}).get(DRACO, {}).get("attributes", {}).pop("TANGENT", None)


def _candidates(model: Model, result: DracoResult) -> list[PrimitiveGroup]:
    counts, kept = accessor_use_counts(model.json), []
    for group in triangle_groups(model):
        reason = _why_not(model, group, counts)
        if reason is None:
            kept.append(group)
        else:
            result.left_alone.append(f"{group.place}, because it {reason}")
    return kept


def _why_not(model: Model, group: PrimitiveGroup, use_counts: dict[int, int]) -> str | None:
    """Why Draco cannot hold this group, or None if it can."""
    if group.targets:
        return "has morph targets"
    reason = why_not_editable(model, group, use_counts)
    if reason is not None:
        return reason
    for name, at in group.attributes.items():
        if not attributes.can_encode(name, model.json["accessors"][at]):
            return f"stores {name} in a type that Draco does not support"
    return None


def _compress(
    model: Model,
    group: PrimitiveGroup,
    grid: QuantizationGrid,
    options: DracoOptions,
    result: DracoResult,
) -> None:
    """Encode one group; use the stream if it is correct and smaller than the arrays."""
    plain = array_bytes(model, group)
    values = attributes.draco_attributes(model, group)
    encoded = stream.encode_stream(read_faces(model, group), values, grid, options)
    if isinstance(encoded, str) or len(encoded.stream) >= plain:
        why = encoded if isinstance(encoded, str) else "would not get smaller"
        result.left_alone.append(f"{group.place}, because it {why}")
        return
    _use_stream(model, group, encoded)
    result.compressed += len(group.members)
    result.bytes_before += plain
    result.bytes_after += len(encoded.stream)
    result.degenerate += encoded.degenerate * group.uses


def _use_stream(model: Model, group: PrimitiveGroup, encoded: EncodedStream) -> None:
    """Let the group's JSON describe the stream instead of the arrays."""
    accessors, view = model.json["accessors"], model.add_view(encoded.stream)
    names = attributes.names_by_accessor(group)
    for at, (name, *_) in names.items():
        accessor, stored = accessors[at], encoded.stored[name]
        _drop_storage(accessor)
        accessor["count"], accessor["componentType"] = encoded.vertices, stored.component_type
        accessor.pop("normalized", None)
        if stored.is_normalized:
            accessor["normalized"] = True
        if name == "POSITION":
            accessor["min"], accessor["max"] = encoded.low, encoded.high
        assert COMPONENTS[accessor["type"]] == stored.width  # noqa: S101 - encode_stream has checked it
    ids = {name: encoded.ids[first] for first, *more in names.values() for name in (first, *more)}
    indices = group.indices
    if indices is None:
        accessors.append({"type": "SCALAR"})
        indices = len(accessors) - 1
    _drop_storage(accessors[indices])
    accessors[indices]["count"] = 3 * encoded.triangles
    accessors[indices]["componentType"] = 5123 if encoded.vertices < 65536 else 5125
    for member in group.members:
        member["indices"] = indices
        member.setdefault("extensions", {})[DRACO] = {"bufferView": view, "attributes": dict(ids)}


def _drop_storage(accessor: Json) -> None:
    for key in ("bufferView", "byteOffset", "sparse", "min", "max"):
        accessor.pop(key, None)

"""Geometry to KHR_draco_mesh_compression, one position grid for the whole model.

A primitive that Draco cannot hold whole (morphed, sharing accessors, of odd types) stays as it is.
Nothing is believed: every stream is decoded again, and its ids, counts and shape are taken from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.accessors import COMPONENTS
from acr3d.gltf.check_buffers import primitives
from acr3d.gltf.check_json import texture_infos
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import accessor_users, may_renumber
from acr3d.optimize.primitive_groups import Group, faces_of, plain_bytes, triangle_groups, why_not_own
from acr3d.optimize.steps import draco_attributes, draco_stream
from acr3d.optimize.steps.core_gltf import forget_quantization
from acr3d.optimize.steps.draco_stream import DracoOptions, Encoded, Grid

_TANGENT_SLOTS = {"normalTexture", "clearcoatNormalTexture"}
_ANISOTROPY = "KHR_materials_anisotropy"


@dataclass
class GeometryResult:
    """What the step did: bytes of the compressed primitives before and after, and what it had to leave."""

    bytes_before: int = 0
    bytes_after: int = 0
    compressed: int = 0
    degenerate: int = 0
    left_alone: list[str] = field(default_factory=list)


def compress_geometry(model: Model, options: DracoOptions | None = None) -> GeometryResult:
    """Compress every primitive that can be; changes `model`. Raises nothing for what it cannot do."""
    options, result = options or DracoOptions(), GeometryResult()
    if not may_renumber(model.json):
        result.left_alone.append("the geometry, because the file uses an extension that we do not know")
        return result
    _drop_idle_tangents(model)
    groups = _candidates(model, result)
    if not groups:
        return result
    grid = draco_stream.common_grid((draco_attributes.positions(model, group) for group in groups), options)
    for group in groups:
        _compress(model, group, grid, options, result)
    if result.compressed:
        for key in ("extensionsUsed", "extensionsRequired"):
            model.json[key] = sorted({*model.json.get(key, []), DRACO})
        forget_quantization(model)
    return result


def _drop_idle_tangents(model: Model) -> None:
    """Tangents serve normal maps and anisotropy only; without those nothing reads them."""
    materials = model.json.get("materials", [])
    for _, primitive in primitives(model.json):
        material = materials[primitive["material"]] if "material" in primitive else {}
        slots = {place.rpartition(".")[2] for place, _ in texture_infos(material, "material")}
        has_variants = "KHR_materials_variants" in primitive.get("extensions", {})
        is_read = bool(slots & _TANGENT_SLOTS) or _ANISOTROPY in material.get("extensions", {})
        if not is_read and not has_variants and not primitive.get("targets"):
            primitive["attributes"].pop("TANGENT", None)


def _candidates(model: Model, result: GeometryResult) -> list[Group]:
    users, kept = accessor_users(model.json), []
    for group in triangle_groups(model):
        reason = _why_not(model, group, users)
        if reason is None:
            kept.append(group)
        else:
            result.left_alone.append(f"{group.place}, because it {reason}")
    return kept


def _why_not(model: Model, group: Group, users: dict[int, int]) -> str | None:
    """Why Draco cannot hold this primitive, or None when it can."""
    if group.targets:
        return "has morph targets"
    reason = why_not_own(model, group, users)
    if reason is not None:
        return reason
    for name, at in group.attributes.items():
        if not draco_attributes.can_hold(name, model.json["accessors"][at]):
            return f"holds {name} in a form that Draco cannot keep"
    return None


def _compress(model: Model, group: Group, grid: Grid, options: DracoOptions, result: GeometryResult) -> None:
    """Encode one group, decode it again, and take it when it is true to the source and smaller."""
    plain = plain_bytes(model, group)
    encoded = draco_stream.encode(
        faces_of(model, group), draco_attributes.held_values(model, group), grid, options
    )
    if isinstance(encoded, str) or len(encoded.stream) >= plain:
        why = encoded if isinstance(encoded, str) else "would not get smaller"
        result.left_alone.append(f"{group.place}, because it {why}")
        return
    _apply(model, group, encoded)
    result.compressed += len(group.members)
    result.bytes_before += plain
    result.bytes_after += len(encoded.stream)
    result.degenerate += encoded.degenerate * len(group.members)


def _apply(model: Model, group: Group, encoded: Encoded) -> None:
    """Let the JSON tell of the stream instead of the plain arrays."""
    accessors, view = model.json["accessors"], model.add_view(encoded.stream)
    names = draco_attributes.names_by_accessor(group)
    for at, (name, *_) in names.items():
        accessor, stored = accessors[at], encoded.stored[name]
        _forget_bytes(accessor)
        accessor["count"], accessor["componentType"] = encoded.vertices, stored.component_type
        accessor.pop("normalized", None)
        if stored.is_normalized:
            accessor["normalized"] = True
        if name == "POSITION":
            accessor["min"], accessor["max"] = encoded.low, encoded.high
        assert COMPONENTS[accessor["type"]] == stored.width  # noqa: S101 - encode.py checked it
    ids = {name: encoded.ids[first] for first, *more in names.values() for name in (first, *more)}
    indices = group.indices
    if indices is None:
        accessors.append({"type": "SCALAR"})
        indices = len(accessors) - 1
    _forget_bytes(accessors[indices])
    accessors[indices]["count"] = 3 * encoded.triangles
    accessors[indices]["componentType"] = 5123 if encoded.vertices < 65536 else 5125
    for member in group.members:
        member["indices"] = indices
        member.setdefault("extensions", {})[DRACO] = {"bufferView": view, "attributes": dict(ids)}


def _forget_bytes(accessor: Json) -> None:
    for key in ("bufferView", "byteOffset", "sparse", "min", "max"):
        accessor.pop(key, None)

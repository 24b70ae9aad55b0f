"""Geometry to KHR_draco_mesh_compression, one position grid for the whole model.

A primitive that Draco cannot hold whole (skinned, morphed, sharing accessors, odd types) stays as it is.
Nothing is believed: every stream is decoded again, and its ids, counts and shape are taken from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import encode
from .accessors import COMPONENTS, element_bytes, is_readable, read
from .check import texture_infos
from .contents import primitives
from .encode import DracoOptions, Encoded, Grid
from .extensions import DRACO
from .fields import Json
from .model import Model
from .prune import accessor_users, may_renumber

_TANGENT_SLOTS = {"normalTexture", "clearcoatNormalTexture", "anisotropyTexture"}


@dataclass
class GeometryResult:
    """What the step did: bytes of the compressed primitives before and after, and what it had to leave."""

    bytes_before: int = 0
    bytes_after: int = 0
    compressed: int = 0
    degenerate: int = 0
    left_alone: list[str] = field(default_factory=list)


@dataclass
class _Group:
    """Primitives with the very same attributes and indices: one stream serves them all."""

    place: str
    members: list[Json]

    @property
    def attributes(self) -> dict[str, int]:
        attributes: dict[str, int] = self.members[0]["attributes"]
        return attributes

    @property
    def accessors(self) -> set[int]:
        indices = self.members[0].get("indices")
        return {*self.attributes.values()} | ({indices} if indices is not None else set())


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
    grid = encode.common_grid([read(model, g.attributes["POSITION"]) for g in groups], options)
    for group in groups:
        _compress(model, group, grid, options, result)
    if result.compressed:
        for key in ("extensionsUsed", "extensionsRequired"):
            model.json[key] = sorted({*model.json.get(key, []), DRACO})
    return result


def _drop_idle_tangents(model: Model) -> None:
    """Tangents serve a normal map only; without one nothing reads them."""
    materials = model.json.get("materials", [])
    for _, primitive in primitives(model.json):
        material = materials[primitive["material"]] if "material" in primitive else {}
        slots = {place.rpartition(".")[2] for place, _ in texture_infos(material, "material")}
        has_variants = "KHR_materials_variants" in primitive.get("extensions", {})
        if not slots & _TANGENT_SLOTS and not has_variants and not primitive.get("targets"):
            primitive["attributes"].pop("TANGENT", None)


def _candidates(model: Model, result: GeometryResult) -> list[_Group]:
    groups: dict[tuple[object, ...], _Group] = {}
    for place, primitive in primitives(model.json):
        if primitive.get("mode", 4) != 4 or DRACO in primitive.get("extensions", {}):
            continue
        key = (*sorted(primitive.get("attributes", {}).items()), primitive.get("indices"))
        groups.setdefault(key, _Group(place, [])).members.append(primitive)
    users = accessor_users(model.json)
    kept = []
    for group in groups.values():
        reason = _why_not(model, group, users)
        if reason is None:
            kept.append(group)
        else:
            result.left_alone.append(f"{group.place}, because it {reason}")
    return kept


def _why_not(model: Model, group: _Group, users: dict[int, int]) -> str | None:
    """Why Draco cannot hold this primitive, or None when it can."""
    if any(member.get("targets") for member in group.members):
        return "has morph targets"
    if "POSITION" not in group.attributes:
        return "has no positions"
    if any(name.startswith(("JOINTS_", "WEIGHTS_")) for name in group.attributes):
        return "is skinned"
    if any(users[at] != len(group.members) for at in group.accessors):
        return "shares its vertices with another part"
    if not all(is_readable(model, at) for at in group.accessors):
        return "is compressed already"
    for name, at in group.attributes.items():
        if not encode.can_hold(name, model.json["accessors"][at]):
            return f"holds {name} in a form that Draco cannot keep"
    return None


def _compress(model: Model, group: _Group, grid: Grid, options: DracoOptions, result: GeometryResult) -> None:
    """Encode one group, decode it again, and take it when it is true to the source and smaller."""
    accessors = model.json["accessors"]
    attributes = {name: read(model, at) for name, at in group.attributes.items()}
    normalized = {name for name, at in group.attributes.items() if accessors[at].get("normalized")}
    indices = group.members[0].get("indices")
    count = len(attributes["POSITION"])
    faces = np.arange(count) if indices is None else read(model, indices)[:, 0]
    faces = faces[: len(faces) // 3 * 3].reshape(-1, 3).astype(np.uint32)
    plain = sum(int(accessors[at]["count"]) * element_bytes(accessors[at]) for at in group.accessors)
    encoded = encode.encode(faces, attributes, normalized, grid, options)
    if isinstance(encoded, str) or len(encoded.stream) >= plain:
        why = encoded if isinstance(encoded, str) else "would not get smaller"
        result.left_alone.append(f"{group.place}, because it {why}")
        return
    _apply(model, group, encoded)
    result.compressed += len(group.members)
    result.bytes_before += plain
    result.bytes_after += len(encoded.stream)
    result.degenerate += encoded.degenerate * len(group.members)


def _apply(model: Model, group: _Group, encoded: Encoded) -> None:
    """Let the JSON tell of the stream instead of the plain arrays."""
    accessors, view = model.json["accessors"], model.add_view(encoded.stream)
    for name, at in group.attributes.items():
        accessor = accessors[at]
        _forget_bytes(accessor)
        held = encoded.held[name]
        accessor["count"], accessor["componentType"] = encoded.vertices, held.component_type
        accessor.pop("normalized", None)
        if held.is_normalized:
            accessor["normalized"] = True
        if name == "POSITION":
            accessor["min"], accessor["max"] = encoded.low, encoded.high
        assert COMPONENTS[accessor["type"]] == held.width  # noqa: S101 - encode.py checked it
    indices = group.members[0].get("indices")
    if indices is None:
        accessors.append({"type": "SCALAR"})
        indices = len(accessors) - 1
    _forget_bytes(accessors[indices])
    accessors[indices]["count"] = 3 * encoded.triangles
    accessors[indices]["componentType"] = 5123 if encoded.vertices < 65536 else 5125
    for member in group.members:
        member["indices"] = indices
        member.setdefault("extensions", {})[DRACO] = {"bufferView": view, "attributes": dict(encoded.ids)}


def _forget_bytes(accessor: Json) -> None:
    for key in ("bufferView", "byteOffset", "sparse", "min", "max"):
        accessor.pop(key, None)

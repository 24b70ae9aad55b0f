"""The types in which a primitive's attributes go into a Draco stream: valid in core glTF, and small."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from acr3d.gltf.accessors import Array, as_floats, read_accessor
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.optimize.draco import bone_weights
from acr3d.optimize.draco.texcoord_scale import largest_scales
from acr3d.optimize.primitive_groups import PrimitiveGroup
from acr3d.optimize.steps.core_gltf import is_core_type

_GENERIC_TYPES = (5121, 5123, 5125, 5126)
_ONE = 65535
# Sixteen bits are finer than the texels of a 4096² texture that is repeated up to this often along a side.
_MOST_REPEATS = 16


@dataclass(frozen=True)
class DracoAttribute:
    """An attribute's values (count, width), and whether they are normalized integers.

    `scale` is the largest scale that a material applies to a UV set.
    """

    values: Array
    is_normalized: bool = False
    scale: float = 1.0


def can_encode(name: str, accessor: Json) -> bool:
    """Whether a stream can hold this attribute. Types that core glTF does not allow are stored as floats."""
    kind, component = str(accessor["type"]), int(accessor["componentType"])
    if name == "TEXCOORD_0":
        return kind == "VEC2"
    return not kind.startswith("MAT") and (component in _GENERIC_TYPES or not is_core_type(name, accessor))


def names_by_accessor(group: PrimitiveGroup) -> dict[int, list[str]]:
    """The attribute names under which the group uses each accessor."""
    names: dict[int, list[str]] = {}
    for name, at in sorted(group.attributes.items()):
        names.setdefault(at, []).append(name)
    return names


def draco_attributes(model: Model, group: PrimitiveGroup) -> dict[str, DracoAttribute]:
    """The group's attributes by name; an accessor with several names appears once, under the first."""
    scales, found = largest_scales(model.json, group.members), {}
    for at, names in names_by_accessor(group).items():
        scale = max(scales.get(name, 1.0) for name in names)
        found[names[0]] = _attribute(names[0], read_accessor(model, at), model.json["accessors"][at], scale)
    floats = {
        name: attribute.values
        for name, attribute in found.items()
        if name.startswith("WEIGHTS_") and attribute.values.dtype.kind == "f"
    }
    weights = bone_weights.to_unorm16(floats) if floats else None
    return found | {
        name: DracoAttribute(values, is_normalized=True) for name, values in (weights or {}).items()
    }


def read_positions(model: Model, group: PrimitiveGroup) -> Array:
    """The group's positions as floats, (count, 3)."""
    at = group.attributes["POSITION"]
    return as_floats(read_accessor(model, at), model.json["accessors"][at]).astype(np.float32)


def _attribute(name: str, values: Array, accessor: Json, scale: float) -> DracoAttribute:
    attribute = DracoAttribute(np.ascontiguousarray(values), accessor.get("normalized") is True, scale)
    if name == "TEXCOORD_0" or not is_core_type(name, accessor):
        attribute = DracoAttribute(as_floats(values, accessor).astype(np.float32), scale=scale)
    return attribute if name == "TEXCOORD_0" else _quantized(name, attribute)


def _quantized(name: str, attribute: DracoAttribute) -> DracoAttribute:
    """DracoPy stores other float attributes raw, so those from 0 to 1 become normalized 16-bit integers."""
    values = attribute.values
    is_candidate = name.startswith(("TEXCOORD_", "COLOR_")) and values.dtype.kind == "f"
    if not is_candidate or values.min() < 0 or values.max() > 1 or attribute.scale > _MOST_REPEATS:
        return attribute
    return replace(attribute, values=np.round(values * _ONE).astype(np.uint16), is_normalized=True)

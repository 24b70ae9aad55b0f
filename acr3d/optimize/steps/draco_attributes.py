"""In which types Draco shall hold a primitive's values: such as core glTF allows, and as small as is true."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from acr3d.gltf.accessors import Array, as_floats, read
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.optimize.primitive_groups import Group
from acr3d.optimize.steps import bone_weights
from acr3d.optimize.steps.core_gltf import is_core
from acr3d.optimize.steps.texcoord_scale import largest_scales

_GENERIC_TYPES = (5121, 5123, 5125, 5126)
_ONE = 65535
# Sixteen bits are finer than any 4096² map that is shown up to this often along a side.
_MOST_ENLARGED = 16


@dataclass(frozen=True)
class Held:
    """An attribute's values (count, width), and whether its whole numbers stand for fractions.

    `scale` is by how much a material enlarges a UV set.
    """

    values: Array
    is_normalized: bool = False
    scale: float = 1.0


def can_hold(name: str, accessor: Json) -> bool:
    """Whether a stream can keep this attribute; what core glTF does not allow is held as floats."""
    kind, component = str(accessor["type"]), int(accessor["componentType"])
    if name == "TEXCOORD_0":
        return kind == "VEC2"
    return not kind.startswith("MAT") and (component in _GENERIC_TYPES or not is_core(name, accessor))


def names_by_accessor(group: Group) -> dict[int, list[str]]:
    """Under which names the group reads each of its attributes' accessors."""
    names: dict[int, list[str]] = {}
    for name, at in sorted(group.attributes.items()):
        names.setdefault(at, []).append(name)
    return names


def held_values(model: Model, group: Group) -> dict[str, Held]:
    """The group's attributes, each accessor once, by the first of its names."""
    scales, found = largest_scales(model.json, group.members), {}
    for at, names in names_by_accessor(group).items():
        scale = max(scales.get(name, 1.0) for name in names)
        found[names[0]] = _held(names[0], read(model, at), model.json["accessors"][at], scale)
    floats = {
        name: held.values
        for name, held in found.items()
        if name.startswith("WEIGHTS_") and held.values.dtype.kind == "f"
    }
    fractions = bone_weights.as_fractions(floats) if floats else None
    return found | {name: Held(values, is_normalized=True) for name, values in (fractions or {}).items()}


def positions(model: Model, group: Group) -> Array:
    """The group's positions as floats."""
    at = group.attributes["POSITION"]
    return as_floats(read(model, at), model.json["accessors"][at]).astype(np.float32)


def _held(name: str, values: Array, accessor: Json, scale: float) -> Held:
    held = Held(np.ascontiguousarray(values), accessor.get("normalized") is True, scale)
    if name == "TEXCOORD_0" or not is_core(name, accessor):
        held = Held(as_floats(values, accessor).astype(np.float32), scale=scale)
    return held if name == "TEXCOORD_0" else _packed(name, held)


def _packed(name: str, held: Held) -> Held:
    """DracoPy stores further floats raw, so those from 0 to 1 become fractions of sixteen bits."""
    values = held.values
    is_further = name.startswith(("TEXCOORD_", "COLOR_")) and values.dtype.kind == "f"
    if not is_further or values.min() < 0 or values.max() > 1 or held.scale > _MOST_ENLARGED:
        return held
    return replace(held, values=np.round(values * _ONE).astype(np.uint16), is_normalized=True)

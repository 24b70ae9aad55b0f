"""Draco streams back to plain arrays, for the steps that have to work on them and for readers that cannot."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np

from acr3d.gltf import draco
from acr3d.gltf.accessors import DTYPES, Array, whole
from acr3d.gltf.check_buffers import primitives
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.write_accessors import add_accessor, store
from acr3d.optimize.primitive_groups import Group, plain_bytes


@dataclass
class _Stream:
    """Primitives that were one stream, what the JSON said of them and of their accessors, and its bytes."""

    place: str
    members: list[Json]
    told: list[Json]
    accessors: dict[int, Json]
    length: int


@dataclass
class Unpacked:
    """The streams that are unpacked, their bytes and those of the arrays that they became."""

    streams: list[_Stream] = field(default_factory=list)
    bytes_before: int = 0
    bytes_after: int = 0


def unpack(model: Model) -> Unpacked:
    """Decode every (checked) Draco primitive in place."""
    groups: dict[str, list[tuple[str, Json]]] = {}
    for place, primitive in primitives(model.json):
        if DRACO in primitive.get("extensions", {}):
            key = repr([primitive["extensions"][DRACO], primitive["indices"], primitive["attributes"]])
            groups.setdefault(key, []).append((place, primitive))
    unpacked, written = Unpacked(), dict[int, tuple[int, int]]()
    for group in groups.values():
        members = [primitive for _, primitive in group]
        stream = _remember(model, group[0][0], members)
        unpacked.streams.append(stream)
        unpacked.bytes_before += stream.length
        unpacked.bytes_after += _unpack(model, stream, written)
    for key in ("extensionsUsed", "extensionsRequired"):
        _forget(model, key)
    return unpacked


def restore(model: Model, unpacked: Unpacked) -> list[tuple[str, int, int]]:
    """Put back the streams whose triangles are still plain and all there.

    Returns their places, the bytes of their arrays and of their streams.
    """
    found = []
    holders = [number for stream in unpacked.streams for number in stream.accessors]
    for stream in unpacked.streams:
        now, was = stream.members[0], stream.told[0]
        is_packed = DRACO in now.get("extensions", {})
        triangles = model.json["accessors"][now["indices"]]["count"]
        is_whole = triangles == stream.accessors[was["indices"]]["count"]
        if is_packed or not is_whole or any(holders.count(number) > 1 for number in stream.accessors):
            continue
        found.append((stream.place, plain_bytes(model, Group(stream.place, [now])), stream.length))
        for member, told in zip(stream.members, stream.told, strict=True):
            member.clear()
            member.update(told)
        for number, accessor in stream.accessors.items():
            model.json["accessors"][number] = accessor
    if found:
        for key in ("extensionsUsed", "extensionsRequired"):
            model.json[key] = sorted({*model.json.get(key, []), DRACO})
    return found


def _remember(model: Model, place: str, members: list[Json]) -> _Stream:
    view = members[0]["extensions"][DRACO]["bufferView"]
    holders = [each for member in members for each in (member["attributes"], *member.get("targets", []))]
    numbers = {members[0]["indices"], *(at for holder in holders for at in holder.values())}
    accessors = {number: copy.deepcopy(model.json["accessors"][number]) for number in sorted(numbers)}
    length = int(model.json["bufferViews"][view]["byteLength"])
    return _Stream(place, members, copy.deepcopy(members), accessors, length)


def _unpack(model: Model, stream: _Stream, written: dict[int, tuple[int, int]]) -> int:
    """Decode one stream; `written` tells which view and id each accessor holds. Returns the arrays' bytes."""
    packed, length = stream.members[0]["extensions"][DRACO], 0
    mesh = draco.decode(model.view(packed["bufferView"]), stream.place)
    own = dict(stream.members[0]["attributes"])
    for name, unique_id in packed["attributes"].items():
        holds = packed["bufferView"], unique_id
        accessor = model.json["accessors"][own[name]]
        values = _as_stated(mesh.attributes[unique_id], accessor)
        if written.setdefault(own[name], holds) == holds:
            store(model, own[name], values)
        else:
            # Two streams, or two names, stand for other values than this one accessor can hold.
            own[name] = add_accessor(model, accessor, values)
        length += values.nbytes
    faces = mesh.faces.reshape(-1, 1).astype(np.uint32)
    indices = add_accessor(model, {"type": "SCALAR"}, faces, is_vertex=False)
    for member in stream.members:
        member["attributes"], member["indices"] = dict(own), indices
        member.pop("mode", None)  # a stream holds triangles, whatever they came from
        del member["extensions"][DRACO]
        if not member["extensions"]:
            del member["extensions"]
    return length + faces.nbytes


def _as_stated(values: Array, accessor: Json) -> Array:
    """The values in the type that the accessor promises; floats are the fractions that they stand for."""
    stated = DTYPES[accessor["componentType"]]
    if values.dtype.kind == "f" and stated.kind != "f":
        limits = np.iinfo(stated)
        values = np.round(values * whole(accessor)).clip(limits.min, limits.max)
    typed: Array = values.astype(stated)
    return typed


def _forget(model: Model, key: str) -> None:
    names = [name for name in model.json.get(key, []) if name != DRACO]
    model.json.pop(key, None)
    if names:
        model.json[key] = names

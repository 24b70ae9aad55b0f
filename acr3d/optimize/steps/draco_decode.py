"""Draco decode: turn Draco streams into plain arrays, for steps and readers that need those."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from acr3d.gltf import draco
from acr3d.gltf.accessors import DTYPES, Array, normalized_one
from acr3d.gltf.extensions import DRACO, drop_extensions, require_extension
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import attribute_sets, primitives
from acr3d.gltf.write_accessors import add_accessor, set_accessor
from acr3d.optimize.primitive_groups import PrimitiveGroup, array_bytes


@dataclass
class _Stream:
    """The primitives of one stream, with copies of their JSON and their accessors' before decoding."""

    place: str
    members: list[Json]
    members_before: list[Json]
    accessors_before: dict[int, Json]
    length: int


@dataclass
class DecodedStreams:
    """The decoded streams; bytes of the streams, and of the arrays that they became."""

    streams: list[_Stream] = field(default_factory=list)
    bytes_before: int = 0
    bytes_after: int = 0


def draco_decode(model: Model) -> DecodedStreams:
    """Decode every Draco primitive of a validated model; changes `model`."""
    groups: dict[str, list[tuple[str, Json]]] = {}
    for place, primitive in primitives(model.json):
        if DRACO in primitive.get("extensions", {}):
            key = repr([primitive["extensions"][DRACO], primitive["indices"], primitive["attributes"]])
            groups.setdefault(key, []).append((place, primitive))
    decoded, written = DecodedStreams(), dict[int, tuple[int, int]]()
    for group in groups.values():
        stream = _snapshot(model, group[0][0], [primitive for _, primitive in group])
        decoded.streams.append(stream)
        decoded.bytes_before += stream.length
        decoded.bytes_after += _decode(model, stream, written)
    drop_extensions(model.json, {DRACO})
    return decoded


def restore_streams(model: Model, decoded: DecodedStreams) -> list[tuple[str, int, int]]:
    """Put back the streams that are still decoded and have lost no triangles; changes `model`.

    Returns their places, the bytes of their arrays, and the bytes of their streams.
    """
    restored, present = [], {id(primitive) for _, primitive in primitives(model.json)}
    uses = Counter(number for stream in decoded.streams for number in stream.accessors_before)
    for stream in decoded.streams:
        now, before = stream.members[0], stream.members_before[0]
        if id(now) not in present:
            continue  # it was joined with others
        is_encoded = DRACO in now.get("extensions", {})
        triangles = model.json["accessors"][now["indices"]]["count"]
        is_whole = triangles == stream.accessors_before[before["indices"]]["count"]
        if is_encoded or not is_whole or any(uses[number] > 1 for number in stream.accessors_before):
            continue
        plain = array_bytes(model, PrimitiveGroup(stream.place, [now]))
        restored.append((stream.place, plain, stream.length))
        for member, was in zip(stream.members, stream.members_before, strict=True):
            member.clear()
            member.update(was)
        for number, accessor in stream.accessors_before.items():
            model.json["accessors"][number] = accessor
    if restored:
        require_extension(model.json, DRACO)
    return restored


def _snapshot(model: Model, place: str, members: list[Json]) -> _Stream:
    view = members[0]["extensions"][DRACO]["bufferView"]
    attributes = [at for member in members for each in attribute_sets(member) for at in each.values()]
    numbers = sorted({members[0]["indices"], *attributes})
    accessors = {number: copy.deepcopy(model.json["accessors"][number]) for number in numbers}
    length = int(model.json["bufferViews"][view]["byteLength"])
    return _Stream(place, members, copy.deepcopy(members), accessors, length)


def _decode(model: Model, stream: _Stream, written: dict[int, tuple[int, int]]) -> int:
    """Decode one stream; return the arrays' bytes.

    `written`: for each accessor the buffer view and Draco id that it was filled from.
    """
    packed, length = stream.members[0]["extensions"][DRACO], 0
    mesh = draco.decode(model.view_bytes(packed["bufferView"]), stream.place)
    own = dict(stream.members[0]["attributes"])
    for name, unique_id in packed["attributes"].items():
        source = packed["bufferView"], unique_id
        accessor = model.json["accessors"][own[name]]
        values = _in_accessor_type(mesh.attributes[unique_id], accessor)
        if written.setdefault(own[name], source) == source:
            set_accessor(model, own[name], values)
        else:
            # The same accessor stands for other values in another stream or under another name.
            own[name] = add_accessor(model, accessor, values)
        length += values.nbytes
    faces = mesh.faces.reshape(-1, 1).astype(np.uint32)
    indices = add_accessor(model, {"type": "SCALAR"}, faces, is_vertex=False)
    for member in stream.members:
        member["attributes"], member["indices"] = dict(own), indices
        member.pop("mode", None)  # a decoded stream is a triangle list, even if it was made from a strip
        del member["extensions"][DRACO]
        if not member["extensions"]:
            del member["extensions"]
    return length + faces.nbytes


def _in_accessor_type(values: Array, accessor: Json) -> Array:
    """The values in the accessor's type; floats become normalized integers if the accessor holds integers."""
    dtype = DTYPES[accessor["componentType"]]
    if values.dtype.kind == "f" and dtype.kind != "f":
        limits = np.iinfo(dtype)
        values = np.round(values * normalized_one(accessor)).clip(limits.min, limits.max)
    typed: Array = values.astype(dtype)
    return typed

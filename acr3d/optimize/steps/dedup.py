"""Dedup: equal images, textures, materials and meshes become one. Nothing visible changes.

Exporters of assemblies write every bolt as a mesh of its own, with a material of its own. Names do not count.
A file with unknown extensions, or with animations that name things by path, is left as it is.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator

from acr3d.gltf.accessors import is_readable, read_accessor
from acr3d.gltf.extensions import DRACO, can_rearrange
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import prune_textures
from acr3d.gltf.traversal import Reference, attribute_sets, material_references, texture_infos
from acr3d.optimize.steps.dedup_images import dedup_images

# Where an accessor's values are, and what nothing refers to.
_STORAGE_FIELDS = ("bufferView", "byteOffset", "name")


def dedup(model: Model) -> None:
    """Let everything refer to the first of equal things; changes `model`.

    What is no longer referred to is removed, and so are textures and images that no material uses.
    """
    prune_textures(model.json)
    dedup_images(model)
    if can_rearrange(model.json):
        _dedup_textures(model.json)
        prune_textures(model.json)
        _dedup_materials(model.json)
        _dedup_meshes(model)


def _dedup_textures(data: Json) -> None:
    samplers = data.get("samplers", [])

    def content(texture: Json) -> str:
        sampler = samplers[texture["sampler"]] if "sampler" in texture else {}
        return _text(texture | {"sampler": _nameless(sampler)})

    first = _first_equal(map(content, data.get("textures", [])))
    for material in data.get("materials", []):
        for _, info in texture_infos(material, ""):
            info["index"] = first[info["index"]]


def _dedup_materials(data: Json) -> None:
    _merge(data, "materials", list(material_references(data)), map(_text, data.get("materials", [])))


def _dedup_meshes(model: Model) -> None:
    meshes = model.json.get("meshes", [])
    forms = [_form(model, mesh) for mesh in meshes]
    # Contents are only read where the rest is equal.
    digest, counts = functools.cache(functools.partial(_digest, model)), Counter(forms)
    keys = [
        (form, *_contents(mesh, digest)) if counts[form] > 1 else form
        for form, mesh in zip(forms, meshes, strict=True)
    ]
    users: list[Reference] = [(node, "mesh") for node in model.json.get("nodes", []) if "mesh" in node]
    _merge(model.json, "meshes", users, keys)


def _merge(data: Json, key: str, references: list[Reference], contents: Iterable[Hashable]) -> None:
    """Point every reference at the first equal entry of `data[key]`, and remove the others."""
    first = _first_equal(contents)
    gone = {holder[name] for holder, name in references if first[holder[name]] != holder[name]}
    kept = [number for number in range(len(first)) if number not in gone]
    numbers = {old: new for new, old in enumerate(kept)}
    for holder, name in references:
        holder[name] = numbers[first[holder[name]]]
    if key in data:
        data[key] = [data[key][old] for old in kept]


def _first_equal(contents: Iterable[Hashable]) -> list[int]:
    """For every entry the number of the first one with the same content."""
    firsts: dict[Hashable, int] = {}
    return [firsts.setdefault(content, number) for number, content in enumerate(contents)]


def _form(model: Model, mesh: Json) -> str:
    """Everything about a mesh but its name and the values in its accessors and streams."""
    accessors = model.json.get("accessors", [])
    parts = []
    for primitive in mesh.get("primitives", []):
        numbers = [accessors[number] for number in _accessor_numbers(primitive)]
        types = [{key: each[key] for key in each.keys() - {*_STORAGE_FIELDS}} for each in numbers]
        names = [list(attributes) for attributes in attribute_sets(primitive)]
        rest = {key: primitive[key] for key in primitive.keys() - {"attributes", "targets", "indices"}}
        packed = rest.get("extensions", {}).get(DRACO)
        if packed is not None:
            rest["extensions"] = rest["extensions"] | {DRACO: packed["attributes"]}
        parts.append([names, "indices" in primitive, types, rest])
    return _text(mesh | {"primitives": parts})


def _contents(mesh: Json, digest: Callable[[str, int], Hashable]) -> Iterator[Hashable]:
    for primitive in mesh.get("primitives", []):
        packed = primitive.get("extensions", {}).get(DRACO)
        if packed is not None:
            yield digest("view", packed["bufferView"])
        yield from (digest("accessor", number) for number in _accessor_numbers(primitive))


def _accessor_numbers(primitive: Json) -> list[int]:
    numbers = [at for attributes in attribute_sets(primitive) for at in attributes.values()]
    return [*numbers, primitive["indices"]] if "indices" in primitive else numbers


def _digest(model: Model, kind: str, number: int) -> Hashable:
    if kind == "view":
        return hashlib.blake2b(model.view_bytes(number)).digest()
    accessor = model.json["accessors"][number]
    if "bufferView" not in accessor and "sparse" not in accessor:
        return b""  # its values are in a stream
    if not is_readable(model, number):
        return number
    return hashlib.blake2b(read_accessor(model, number).tobytes()).digest()


def _text(value: Json) -> str:
    return json.dumps(_nameless(value), sort_keys=True)


def _nameless(value: Json) -> Json:
    return {key: inner for key, inner in value.items() if key != "name"}

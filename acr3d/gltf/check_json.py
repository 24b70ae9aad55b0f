"""Whether the JSON follows the glTF rules that browsers, and the rest of acr3d, rely on.

Only the JSON and the lengths it claims are checked here; `check_buffers` checks the bytes.
"""

from __future__ import annotations

from acr3d.gltf import extensions, limits
from acr3d.gltf.check_accessors import check_accessor, check_reading_effort
from acr3d.gltf.check_scene import check_scene
from acr3d.gltf.errors import damaged, unsupported
from acr3d.gltf.json_fields import (
    Json,
    child,
    extension,
    index,
    integer,
    names,
    numbers,
    objects,
    reference,
    text,
)
from acr3d.gltf.model import Model, data_uri_bytes
from acr3d.gltf.traversal import texture_infos

_LISTS = ("bufferViews", "accessors", "images", "samplers", "textures", "materials", "meshes", "nodes")
# The lists whose entries hold bytes or describe how bytes are laid out.
_STORED = ("buffers", "bufferViews", "accessors", "images", "textures")
_MORE_LISTS = ("scenes", "skins", "animations", "cameras")


def check_json(model: Model) -> None:
    """Check every reference and length in the JSON. Raises BadModel, naming the place, at the first error."""
    data = model.json
    for name in _LISTS + _MORE_LISTS:
        objects(data, name)
    _check_extensions(data)
    _check_views(data)
    for number in range(len(data.get("accessors", []))):
        check_accessor(model, number)
    check_reading_effort(data)
    _check_images(data)
    _check_materials(data)
    check_scene(data)


def _check_extensions(data: Json) -> None:
    _check_extension_objects(data)
    names(data, "extensionsUsed")
    for name in names(data, "extensionsRequired"):
        place = None if name in extensions.UNDERSTOOD else _first_stored_by(data, name)
        if place is not None:
            raise unsupported(
                "extensionsRequired", f"names {name[:60]!r}, which may store {place} in an unknown form"
            )


def _first_stored_by(data: Json, name: str) -> str | None:
    """The first place where this extension may define how bytes are read."""
    holders = [(f"{key}[{at}]", each) for key in _STORED for at, each in enumerate(data.get(key, []))]
    for number, mesh in enumerate(data.get("meshes", [])):
        parts = objects(mesh, "primitives", f"meshes[{number}]")
        holders += [(f"meshes[{number}].primitives[{at}]", part) for at, part in enumerate(parts)]
    return next((place for place, each in holders if name in each.get("extensions", {})), None)


def _check_extension_objects(data: Json) -> None:
    """Check that every `extensions`, outside `extras`, is an object of objects."""
    waiting: list[tuple[str, object]] = [("", data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(f"{place}[{at}]", inner) for at, inner in enumerate(value)]
        if not isinstance(value, dict):
            continue
        for name in child(value, "extensions", place):
            child(value["extensions"], name, f"{place}.extensions")
        waiting += [(f"{place}.{key}".lstrip("."), inner) for key, inner in value.items() if key != "extras"]


def _check_views(data: Json) -> None:
    buffers = data.get("buffers", [])
    for number, view in enumerate(data.get("bufferViews", [])):
        place = f"bufferViews[{number}]"
        _check_range(view, buffers, place)
        integer(view, "byteStride", place, low=1, high=255, default=4)
        for name in extensions.MESHOPT:
            packed = extension(view, name, place)
            if packed is not None:
                _check_meshopt(packed, view, buffers, f"{place}.extensions.{name}")


def _check_range(view: Json, buffers: list[Json], place: str) -> None:
    buffer = buffers[index(view.get("buffer"), len(buffers), f"{place}.buffer")]
    offset = integer(view, "byteOffset", place, default=0)
    length = integer(view, "byteLength", place, low=1)
    if offset + length > buffer["byteLength"]:
        raise damaged(f"{place}.byteLength", f"is {length}, which runs past the end of its buffer")


def _check_meshopt(packed: Json, view: Json, buffers: list[Json], place: str) -> None:
    _check_range(packed, buffers, place)
    count = integer(packed, "count", place, low=1, high=limits.ELEMENTS)
    stride = integer(packed, "byteStride", place, low=1, high=256)
    if count * stride != view["byteLength"]:
        raise damaged(f"{place}.count", f"is {count}, which does not fill its buffer view")
    if "uri" not in buffers[packed["buffer"]] and packed["buffer"] != 0:
        raise damaged(f"{place}.buffer", "has no bytes in the file")


def _check_images(data: Json) -> None:
    images, views = data.get("images", []), data.get("bufferViews", [])
    for number, image in enumerate(images):
        place = f"images[{number}]"
        if reference(image, "bufferView", len(views), place) is None:
            uri = text(image, "uri", place)
            if uri is None:
                raise damaged(place, "has neither a buffer view nor a URI")
            data_uri_bytes(uri, f"{place}.uri")
        text(image, "mimeType", place)
        text(image, "name", place)
    samplers = data.get("samplers", [])
    for number, texture in enumerate(data.get("textures", [])):
        place = f"textures[{number}]"
        reference(texture, "source", len(images), place)
        reference(texture, "sampler", len(samplers), place)
        for name in extensions.IMAGE_FORMAT_EXTENSIONS:
            other = extension(texture, name, place)
            if other is not None:
                reference(other, "source", len(images), f"{place}.extensions.{name}")


def _check_materials(data: Json) -> None:
    textures = len(data.get("textures", []))
    for number, material in enumerate(data.get("materials", [])):
        text(material, "alphaMode", f"materials[{number}]")
        for place, info in texture_infos(material, f"materials[{number}]"):
            index(info.get("index"), textures, f"{place}.index")
            integer(info, "texCoord", place, default=0, high=15)
            _check_transform(extension(info, "KHR_texture_transform", place) or {}, place)


def _check_transform(transform: Json, place: str) -> None:
    place = f"{place}.extensions.KHR_texture_transform"
    integer(transform, "texCoord", place, default=0, high=15)
    for key in ("offset", "scale"):
        numbers(transform, key, 2, place)

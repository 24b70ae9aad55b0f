"""Core glTF: plain arrays in core types, PNG and JPEG images, and no required extension.

Android's Scene Viewer cannot be relied on to support more. `why_not_core` tells which models cannot be
expressed this way.
"""

from __future__ import annotations

import numpy as np

from acr3d.gltf.accessors import FLOAT, as_floats, is_meshopt, is_readable, read_accessor
from acr3d.gltf.extensions import (
    DRACO,
    IMAGE_FORMAT_EXTENSIONS,
    MESHOPT,
    QUANTIZATION,
    WEBP,
    can_renumber,
    drop_extensions,
)
from acr3d.gltf.image_header import read_image_header
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import prune_images
from acr3d.gltf.traversal import attribute_sets, primitives
from acr3d.gltf.write_accessors import set_accessor

_REPLACEABLE = {DRACO, WEBP, QUANTIZATION, *IMAGE_FORMAT_EXTENSIONS}
# Besides floats, the types that core glTF allows (2.0, 3.7.2.1).
_NORMALIZED_TYPES = (5121, 5123)


def why_not_core(model: Model) -> str | None:
    """Why a validated, decoded model needs extensions, as a phrase; None if it does not."""
    others = set(model.json.get("extensionsRequired", [])) - _REPLACEABLE
    if others:
        return f"the file requires {', '.join(sorted(others))}"
    if not can_renumber(model.json):
        return "the file uses an unknown extension"
    if any(is_meshopt(view) for view in model.json.get("bufferViews", [])):
        return "the file has geometry that only a meshopt decoder can read"
    for number, texture in enumerate(model.json.get("textures", [])):
        if _readable_image(model, texture) is None:
            return f"textures[{number}] is not PNG, JPEG or WebP"
    return None


def use_meshopt_fallbacks(model: Model) -> None:
    """Read plain bytes where a file offers them beside a meshopt stream; changes `model`."""
    if set(MESHOPT) & set(model.json.get("extensionsRequired", [])):
        return
    for number, view in enumerate(model.json.get("bufferViews", [])):
        if is_meshopt(view) and model.has_bytes(number):
            for name in MESHOPT:
                view["extensions"].pop(name, None)
            if not view["extensions"]:
                del view["extensions"]
    drop_extensions(model.json, set(MESHOPT))


def dequantize(model: Model) -> None:
    """Turn the integers of KHR_mesh_quantization into floats; changes `model`."""
    for _, primitive in primitives(model.json):
        for attributes in attribute_sets(primitive):
            for name, number in attributes.items():
                accessor = model.json["accessors"][number]
                if not is_core_type(name, accessor) and is_readable(model, number):
                    values = as_floats(read_accessor(model, number), accessor)
                    set_accessor(model, number, values.astype(np.float32))
                    accessor.pop("normalized", None)


def drop_quantization_extension(model: Model) -> None:
    """Stop requiring KHR_mesh_quantization if no attribute needs it any more; changes `model`."""
    accessors = model.json.get("accessors", [])
    used = [
        (name, accessors[number])
        for _, primitive in primitives(model.json)
        for attributes in attribute_sets(primitive)
        for name, number in attributes.items()
    ]
    if all(is_core_type(name, accessor) for name, accessor in used):
        drop_extensions(model.json, {QUANTIZATION})


def use_core_textures(model: Model) -> None:
    """Let every texture show one image that we can read, and remove unused images; changes `model`."""
    for texture in model.json.get("textures", []):
        image = _readable_image(model, texture)
        if image is None:
            continue
        for name in IMAGE_FORMAT_EXTENSIONS:
            texture.get("extensions", {}).pop(name, None)
        if not texture.get("extensions", True):
            del texture["extensions"]
        texture["source"] = image
    prune_images(model.json)


def drop_replaced_extensions(model: Model) -> None:
    """Stop requiring the extensions that core glTF has replaced; changes `model`."""
    drop_extensions(model.json, _REPLACEABLE)


def is_core_type(name: str, accessor: Json) -> bool:
    """Whether core glTF allows the attribute to have this accessor's type."""
    component = int(accessor["componentType"])
    if component == FLOAT or name.startswith(("JOINTS_", "_")):
        return True
    is_normalized = component in _NORMALIZED_TYPES and accessor.get("normalized") is True
    return is_normalized and name.startswith(("TEXCOORD_", "COLOR_", "WEIGHTS_"))


def _readable_image(model: Model, texture: Json) -> int | None:
    """The texture's image that we can read, preferably its plain source; None if there is none."""
    holders = [texture, texture.get("extensions", {}).get(WEBP, {})]
    for number in (holder["source"] for holder in holders if "source" in holder):
        facts = read_image_header(model.image_bytes(number), f"images[{number}]")
        if facts.format in ("png", "jpeg", "webp"):
            return int(number)
    return None

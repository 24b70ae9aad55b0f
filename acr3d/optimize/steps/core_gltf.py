"""A model that any glTF 2.0 reader can show: plain arrays in core types, PNG and JPEG, nothing required.

Android's Scene Viewer cannot be trusted with more. What cannot be said so is refused by `why_not_core`.
"""

from __future__ import annotations

import numpy as np

from acr3d.gltf.accessors import as_floats, is_readable, read
from acr3d.gltf.check_buffers import primitives
from acr3d.gltf.extensions import DRACO, TEXTURE_SOURCES, WEBP
from acr3d.gltf.image_header import inspect
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import keep_used_images, may_renumber
from acr3d.gltf.write_accessors import store

_QUANTIZED = "KHR_mesh_quantization"
_DISSOLVED = {DRACO, WEBP, _QUANTIZED, *TEXTURE_SOURCES}
_FLOAT = 5126
# Beside floats, what core glTF allows (2.0, 3.7.2.1).
_FRACTIONS = (5121, 5123)


def why_not_core(model: Model) -> str | None:
    """Why this (checked, unpacked) model cannot do without extensions, as a phrase; None when it can."""
    others = set(model.json.get("extensionsRequired", [])) - _DISSOLVED
    if others:
        return f"the file requires {', '.join(sorted(others))}"
    if not may_renumber(model.json):
        return "the file uses an extension that we do not know"
    for number, texture in enumerate(model.json.get("textures", [])):
        if _readable_image(model, texture) is None:
            return f"textures[{number}] is neither PNG, JPEG nor WebP"
    return None


def use_core_types(model: Model) -> None:
    """Turn the small integers of KHR_mesh_quantization into the floats that they stand for."""
    for _, primitive in primitives(model.json):
        for holder in (primitive.get("attributes", {}), *primitive.get("targets", [])):
            for name, number in holder.items():
                accessor = model.json["accessors"][number]
                if not is_core(name, accessor) and is_readable(model, number):
                    store(model, number, as_floats(read(model, number), accessor).astype(np.float32))
                    accessor.pop("normalized", None)


def forget_quantization(model: Model) -> None:
    """Take KHR_mesh_quantization off the file's lists where no attribute needs it any more."""
    accessors = model.json.get("accessors", [])
    attributes = [
        (name, accessors[number])
        for _, primitive in primitives(model.json)
        for holder in (primitive.get("attributes", {}), *primitive.get("targets", []))
        for name, number in holder.items()
    ]
    if all(is_core(name, accessor) for name, accessor in attributes):
        _forget(model, {_QUANTIZED})


def use_plain_textures(model: Model) -> None:
    """Let every texture name one image that can be read here, and drop the images that none names."""
    for texture in model.json.get("textures", []):
        image = _readable_image(model, texture)
        if image is None:
            continue
        for name in TEXTURE_SOURCES:
            texture.get("extensions", {}).pop(name, None)
        if not texture.get("extensions", True):
            del texture["extensions"]
        texture["source"] = image
    keep_used_images(model.json)


def require_nothing(model: Model) -> None:
    """Take the extensions that are dissolved off the file's lists."""
    _forget(model, _DISSOLVED)


def _forget(model: Model, extensions: set[str]) -> None:
    for key in ("extensionsUsed", "extensionsRequired"):
        names = [name for name in model.json.pop(key, []) if name not in extensions]
        if names:
            model.json[key] = names


def _readable_image(model: Model, texture: Json) -> int | None:
    """The image of a texture that we can read, its own source first; None when there is none."""
    holders = [texture, texture.get("extensions", {}).get(WEBP, {})]
    for number in (holder["source"] for holder in holders if "source" in holder):
        if inspect(model.image_bytes(number), f"images[{number}]").format in ("png", "jpeg", "webp"):
            return int(number)
    return None


def is_core(name: str, accessor: Json) -> bool:
    """Whether core glTF allows the attribute in this type."""
    component = int(accessor["componentType"])
    if component == _FLOAT or name.startswith(("JOINTS_", "_")):
        return True
    is_fraction = component in _FRACTIONS and accessor.get("normalized") is True
    return is_fraction and name.startswith(("TEXCOORD_", "COLOR_", "WEIGHTS_"))

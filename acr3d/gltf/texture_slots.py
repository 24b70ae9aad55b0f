"""Which texture slots of which materials use an image, and which of its channels they read."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.json_fields import Json
from acr3d.gltf.traversal import texture_images, texture_infos

_KINDS = {
    "baseColorTexture": "base colour",
    "metallicRoughnessTexture": "metal and roughness",
    "normalTexture": "normal",
    "clearcoatNormalTexture": "normal",
    "occlusionTexture": "occlusion",
    "emissiveTexture": "emission",
}
# The channels that shaders read, where glTF says that they read no others.
_CHANNELS = {
    "metal and roughness": "GB",
    "normal": "RGB",
    "occlusion": "R",
    "emission": "RGB",
    "clearcoat": "R",
    "clearcoatRoughness": "G",
    "transmission": "R",
    "thickness": "G",
}


@dataclass
class ImageUse:
    """The kinds of map an image serves as, the channels that are read, and the textures that show it."""

    kinds: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    textures: list[int] = field(default_factory=list)
    is_alternative: bool = False  # a texture offers this image and another format of it


def image_uses(data: Json) -> list[ImageUse]:
    """One ImageUse per image, in the order of the file."""
    uses = [ImageUse() for _ in data.get("images", [])]
    for number, texture in enumerate(data.get("textures", [])):
        sources = texture_images(texture)
        for image in sources:
            uses[image].textures.append(number)
            uses[image].is_alternative |= len(sources) > 1
    for number, material in enumerate(data.get("materials", [])):
        for place, info in texture_infos(material, f"materials[{number}]"):
            slot = place.rpartition(".")[2]
            kind = _KINDS.get(slot, slot.removesuffix("Texture"))
            for image in texture_images(data["textures"][info["index"]]):
                uses[image].kinds.add(kind)
                uses[image].channels |= _channels(kind, material)
    for use in uses:
        use.channels = use.channels or set("RGBA")
    return uses


def images_of_unknown_extensions(data: Json) -> set[int]:
    """The images that textures show only through extensions we do not know."""
    textures = data.get("textures", [])
    known = {image for texture in textures for image in texture_images(texture)}
    extensions = [each for texture in textures for each in texture.get("extensions", {}).values()]
    return {each["source"] for each in extensions if isinstance(each.get("source"), int)} - known


def _channels(kind: str, material: Json) -> set[str]:
    if kind == "base colour":
        return set("RGB" if str(material.get("alphaMode", "OPAQUE")) == "OPAQUE" else "RGBA")
    return set(_CHANNELS.get(kind, "RGBA"))

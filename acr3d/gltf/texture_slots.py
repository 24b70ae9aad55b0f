"""What a model's images are used for: which channel of which material reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.check_json import texture_infos
from acr3d.gltf.extensions import TEXTURE_SOURCES
from acr3d.gltf.json_fields import Json

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
class MapUse:
    """How one image is used: for what, by which textures, and which of its channels are read at all."""

    kinds: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    textures: list[int] = field(default_factory=list)
    is_alternative: bool = False  # some texture has this image and another format of it


def map_uses(data: Json) -> list[MapUse]:
    """One MapUse per image, in order."""
    uses = [MapUse() for _ in data.get("images", [])]
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


def source_holders(texture: Json) -> list[Json]:
    """The objects whose `source` names an image for a texture: itself and its extensions."""
    holders = [texture, *(texture.get("extensions", {}).get(name, {}) for name in TEXTURE_SOURCES)]
    return [holder for holder in holders if "source" in holder]


def texture_images(texture: Json) -> list[int]:
    """The images a texture may show."""
    return [holder["source"] for holder in source_holders(texture)]


def foreign_images(data: Json) -> set[int]:
    """The images that textures show by extensions unknown to us, and by nothing else."""
    textures = data.get("textures", [])
    known = {image for texture in textures for image in texture_images(texture)}
    held = [each for texture in textures for each in texture.get("extensions", {}).values()]
    return {each["source"] for each in held if isinstance(each.get("source"), int)} - known


def _channels(kind: str, material: Json) -> set[str]:
    if kind == "base colour":
        return set("RGB" if str(material.get("alphaMode", "OPAQUE")) == "OPAQUE" else "RGBA")
    return set(_CHANNELS.get(kind, "RGBA"))

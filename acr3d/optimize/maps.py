"""What a model's images are used for: which channel of which material reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .check import texture_infos
from .extensions import TEXTURE_SOURCES
from .fields import Json

_KINDS = {
    "baseColorTexture": "base colour",
    "metallicRoughnessTexture": "metal and roughness",
    "normalTexture": "normal",
    "clearcoatNormalTexture": "normal",
    "occlusionTexture": "occlusion",
    "emissiveTexture": "emission",
}
# These never read alpha, whatever the material says.
_OPAQUE_KINDS = {"metal and roughness", "normal", "occlusion", "emission"}


@dataclass
class MapUse:
    """How one image is used."""

    kinds: set[str] = field(default_factory=set)
    reads_alpha: bool = False
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
                uses[image].reads_alpha |= _reads_alpha(kind, material)
    return uses


def texture_images(texture: Json) -> list[int]:
    """The images a texture may show: its own source and those of its extensions."""
    holders = [texture, *(texture.get("extensions", {}).get(name, {}) for name in TEXTURE_SOURCES)]
    return [holder["source"] for holder in holders if "source" in holder]


def _reads_alpha(kind: str, material: Json) -> bool:
    if kind == "base colour":
        return str(material.get("alphaMode", "OPAQUE")) != "OPAQUE"
    return kind not in _OPAQUE_KINDS

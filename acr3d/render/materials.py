"""Materials, as far as a picture of a part needs them: colour, transparency, double-sidedness."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import image_decode, image_header
from acr3d.gltf.extensions import WEBP
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import image_place
from acr3d.render.mipmaps import MipmappedTexture, build_mipmaps

OPAQUE, MASK, BLEND = "OPAQUE", "MASK", "BLEND"
_WHITE = (1.0, 1.0, 1.0, 1.0)
_GLASS = 0.75  # how much of its opacity a fully transmissive surface loses; refraction is not drawn
_LEAST_SOLID = 0.5  # a blended surface with less alpha does not count for the silhouette


# The mipmaps of each image, with and without its alpha; None for formats that only browsers read.
_Levels = dict[tuple[int, bool], list[NDArray[np.uint8]] | None]


@dataclass(frozen=True)
class Material:
    """`colour`: linear red, green, blue and alpha; `alpha`: OPAQUE, CUTOUT (at `cutoff`) or CLEAR."""

    colour: tuple[float, ...] = _WHITE
    texture: MipmappedTexture | None = None
    alpha: str = OPAQUE
    cutoff: float = 0.5
    is_double_sided: bool = False
    is_unlit: bool = False
    metallic: float = 0.0

    @property
    def is_solid(self) -> bool:
        return self.alpha != BLEND or self.colour[3] >= _LEAST_SOLID


def read_materials(model: Model, numbers: set[int], most_texels: int) -> dict[int, Material]:
    """The materials with these numbers; -1 is glTF's default. Shared images are decoded once."""
    levels: _Levels = {}
    return {number: _material(model, number, most_texels, levels) for number in sorted(numbers)}


def _material(model: Model, number: int, most_texels: int, levels: _Levels) -> Material:
    if number < 0:
        return Material()
    material: Json = model.json["materials"][number]
    extensions: Json = material.get("extensions", {})
    rough = _object(material.get("pbrMetallicRoughness"))
    glossy = _object(extensions.get("KHR_materials_pbrSpecularGlossiness"))
    colour = _numbers(rough.get("baseColorFactor") or glossy.get("diffuseFactor"), _WHITE)
    info = _object(rough.get("baseColorTexture")) or _object(glossy.get("diffuseTexture"))
    alpha = material.get("alphaMode", OPAQUE)
    glass = _number(extensions.get("KHR_materials_transmission", {}).get("transmissionFactor"), 0.0)
    if glass > 0:
        alpha, colour = BLEND, (*colour[:3], colour[3] * (1 - _GLASS * min(glass, 1.0)))
    return Material(
        colour=colour,
        texture=_texture(model, info, most_texels, levels, alpha in (MASK, BLEND))
        if info and most_texels
        else None,
        alpha=alpha if alpha in (MASK, BLEND) else OPAQUE,
        cutoff=_number(material.get("alphaCutoff"), 0.5),
        is_double_sided=bool(material.get("doubleSided")),
        is_unlit="KHR_materials_unlit" in extensions,
        metallic=0.0 if glossy else _number(rough.get("metallicFactor"), 1.0),
    )


def _texture(
    model: Model, info: Json, most_texels: int, levels: _Levels, has_alpha: bool
) -> MipmappedTexture | None:
    texture: Json = model.json["textures"][info["index"]]
    image = texture.get("extensions", {}).get(WEBP, texture).get("source")
    if image is None:
        return None
    key = image, has_alpha
    if key not in levels:
        levels[key] = _mipmaps(model, image, most_texels, has_alpha)
    found = levels[key]
    if found is None:
        return None
    sampler: Json = model.json["samplers"][texture["sampler"]] if "sampler" in texture else {}
    moved: Json = info.get("extensions", {}).get("KHR_texture_transform", {})
    return MipmappedTexture(
        found,
        (sampler.get("wrapS", 10497), sampler.get("wrapT", 10497)),
        _transform(moved) if moved else None,
        int(_number(moved.get("texCoord", info.get("texCoord")), 0)),
    )


def _mipmaps(model: Model, image: int, most_texels: int, has_alpha: bool) -> list[NDArray[np.uint8]] | None:
    """The decoded image as mipmaps; None for formats that only browsers read (AVIF, KTX2)."""
    content, place = model.image_bytes(image), image_place(model.json, image)
    facts = image_header.read_image_header(content, place)
    if facts.format not in image_decode.DECODED_FORMATS:
        return None
    picture = image_decode.decode_image(content, facts, most_texels, place)
    # An opaque material shows the colours under alpha 0, which averaging would lose.
    return build_mipmaps(picture if has_alpha else picture.convert("RGB"), most_texels)


def _transform(moved: Json) -> NDArray[np.float64]:
    """KHR_texture_transform as a (2, 3) matrix: scale, then rotation, then offset."""
    turn = _number(moved.get("rotation"), 0.0)
    wide, high = _numbers(moved.get("scale"), (1.0, 1.0))
    right, down = _numbers(moved.get("offset"), (0.0, 0.0))
    cos, sin = math.cos(turn), math.sin(turn)
    return np.array([[cos * wide, sin * high, right], [-sin * wide, cos * high, down]])


def _object(value: object) -> Json:
    """An object of untrusted JSON; anything else counts as empty."""
    return value if isinstance(value, dict) else {}


def _number(value: object, default: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else default  # type: ignore[arg-type]


def _numbers(value: object, default: tuple[float, ...]) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != len(default):
        return default
    return tuple(_number(each, usual) for each, usual in zip(value, default, strict=True))

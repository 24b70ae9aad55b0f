"""glTF's materials as UsdPreviewSurface, with their maps as JPEG or PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

from acr3d.gltf.errors import unsupported
from acr3d.gltf.image_decode import decode_image, fit_within
from acr3d.gltf.image_header import read_image_header
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import image_place, texture_images

MOST_TEXELS = 2048
_KEPT = {"jpeg": ".jpg", "png": ".png"}
_JPEG_QUALITY = 85
_WRAPS = {10497: "repeat", 33648: "mirror", 33071: "clamp"}
_TYPES = Sdf.ValueTypeNames
_Values = Sequence[float]


class Materials:
    """The materials of a model under `scope`, each made once; maps are written to `folder`."""

    def __init__(self, stage: Usd.Stage, scope: Sdf.Path, model: Model, folder: Path) -> None:
        self._stage, self._scope, self._model, self._folder = stage, scope, model, folder
        self._made: dict[int, UsdShade.Material] = {}
        self._maps: dict[int, str] = {}
        UsdGeom.Scope.Define(stage, scope)

    @property
    def map_count(self) -> int:
        return len(self._maps)

    def is_double_sided(self, number: int) -> bool:
        return bool(self._json(number).get("doubleSided"))

    def material(self, number: int) -> UsdShade.Material:
        """The material with this number in the file; -1 is glTF's default. Raises BadModel."""
        if number not in self._made:
            path = self._scope.AppendChild(f"Material{number}" if number >= 0 else "Default")
            self._made[number] = self._make(path, self._json(number))
        return self._made[number]

    def _json(self, number: int) -> Json:
        found: Json = self._model.json["materials"][number] if number >= 0 else {}
        return found

    def _make(self, path: Sdf.Path, given: Json) -> UsdShade.Material:
        material = UsdShade.Material.Define(self._stage, path)
        surface = UsdShade.Shader.Define(self._stage, path.AppendChild("Surface"))
        surface.CreateIdAttr("UsdPreviewSurface")
        material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
        rough: Json = given.get("pbrMetallicRoughness", {})
        colour = rough.get("baseColorFactor", [1, 1, 1, 1])
        base = self._texture(path, "BaseColour", rough.get("baseColorTexture"), "sRGB", colour)
        _set(surface, "diffuseColor", _TYPES.Color3f, base, "rgb", colour[:3])
        self._set_opacity(surface, given, base, colour[3])
        factors = [1, rough.get("roughnessFactor", 1), rough.get("metallicFactor", 1), 1]
        map_ = self._texture(path, "MetalRough", rough.get("metallicRoughnessTexture"), "raw", factors)
        _set(surface, "roughness", _TYPES.Float, map_, "g", factors[1])
        _set(surface, "metallic", _TYPES.Float, map_, "b", factors[2])
        glow = given.get("emissiveFactor", [0, 0, 0])
        shining = self._texture(path, "Emission", given.get("emissiveTexture"), "sRGB", [*glow, 1])
        _set(surface, "emissiveColor", _TYPES.Color3f, shining if any(glow) else None, "rgb", glow)
        if bumps := self._texture(path, "Normal", given.get("normalTexture"), "raw", (2, 2, 2, 2)):
            bumps.CreateInput("bias", _TYPES.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
            _set(surface, "normal", _TYPES.Normal3f, bumps, "rgb", (0, 0, 1))
        if shade := self._texture(path, "Occlusion", given.get("occlusionTexture"), "raw", (1, 1, 1, 1)):
            _set(surface, "occlusion", _TYPES.Float, shade, "r", 1)
        return material

    def _set_opacity(
        self, surface: UsdShade.Shader, given: Json, base: UsdShade.Shader | None, alpha: float
    ) -> None:
        mode = given.get("alphaMode", "OPAQUE")
        if mode == "OPAQUE":
            return
        _set(surface, "opacity", _TYPES.Float, base, "a", alpha)
        if mode == "MASK":
            surface.CreateInput("opacityThreshold", _TYPES.Float).Set(float(given.get("alphaCutoff", 0.5)))

    def _texture(
        self, path: Sdf.Path, name: str, info: Json | None, space: str, scale: _Values
    ) -> UsdShade.Shader | None:
        """The node that reads a map; None where the material has none."""
        if info is None:
            return None
        if "KHR_texture_transform" in info.get("extensions", {}):
            raise unsupported("the material", "moves its textures, which USDZ viewers do not all show")
        texture: Json = self._model.json["textures"][info["index"]]
        images = texture_images(texture)
        if not images:
            return None
        node = UsdShade.Shader.Define(self._stage, path.AppendChild(name))
        node.CreateIdAttr("UsdUVTexture")
        node.CreateInput("file", _TYPES.Asset).Set(Sdf.AssetPath(self._map(images[-1])))
        node.CreateInput("sourceColorSpace", _TYPES.Token).Set(space)
        node.CreateInput("scale", _TYPES.Float4).Set(Gf.Vec4f(*map(float, scale)))
        sampler: Json = self._model.json["samplers"][texture["sampler"]] if "sampler" in texture else {}
        for axis in ("wrapS", "wrapT"):
            node.CreateInput(axis, _TYPES.Token).Set(_WRAPS[sampler.get(axis, 10497)])
        reader = self._uv_reader(path, info.get("texCoord", 0))
        node.CreateInput("st", _TYPES.Float2).ConnectToSource(reader.ConnectableAPI(), "result")
        return node

    def _uv_reader(self, path: Sdf.Path, uv_set: int) -> UsdShade.Shader:
        primvar = f"st{uv_set or ''}"
        reader = UsdShade.Shader.Define(self._stage, path.AppendChild(f"Reader_{primvar}"))
        reader.CreateIdAttr("UsdPrimvarReader_float2")
        reader.CreateInput("varname", _TYPES.String).Set(primvar)
        reader.CreateOutput("result", _TYPES.Float2)
        return reader

    def _map(self, image: int) -> str:
        """The file of an image, as the layer names it: the same bytes where every viewer takes them."""
        if image not in self._maps:
            content, place = self._model.image_bytes(image), image_place(self._model.json, image)
            facts = read_image_header(content, place)
            if facts.format in _KEPT and max(facts.width, facts.height) <= MOST_TEXELS:
                name = f"map{image}{_KEPT[facts.format]}"
                (self._folder / name).write_bytes(content)
            else:
                picture = decode_image(content, facts, MOST_TEXELS, place)
                name = self._save(picture.resize(fit_within(facts, MOST_TEXELS)), image)
            self._maps[image] = name
        return self._maps[image]

    def _save(self, picture: Image.Image, image: int) -> str:
        ending = ".png" if picture.mode == "RGBA" else ".jpg"
        name = f"map{image}{ending}"
        picture.save(self._folder / name, quality=_JPEG_QUALITY)
        return name


def _set(
    surface: UsdShade.Shader,
    name: str,
    kind: Any,
    texture: UsdShade.Shader | None,
    channel: str,
    value: _Values | float,
) -> None:
    """An input of the surface from a channel of its map, else a value."""
    given = surface.CreateInput(name, kind)
    if texture is not None:
        output = texture.CreateOutput(channel, _TYPES.Float3 if channel == "rgb" else _TYPES.Float)
        given.ConnectToSource(output)
    elif isinstance(value, int | float):
        given.Set(float(value))
    else:
        given.Set(Gf.Vec3f(*map(float, value)))

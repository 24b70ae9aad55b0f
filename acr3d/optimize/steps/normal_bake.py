"""Normal bake: put the surface detail that simplifying removes into the normal map.

Both meshes share one texture layout, so each pixel of the map can hold the full mesh's normal, expressed in
the reduced mesh's tangent space. Blender computes it; this module decides for which models, and for which
pixels its result is used.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from acr3d.gltf import image_decode, image_header
from acr3d.gltf.accessors import Array
from acr3d.gltf.model import Model
from acr3d.gltf.texture_slots import image_uses
from acr3d.gltf.traversal import image_place, primitives, texture_images
from acr3d.optimize.blender import bake
from acr3d.optimize.steps.simplify import Faces
from acr3d.sandbox import ChildError

# Where parts of the model overlap in the texture, the baked normal is right for one of them only. A pixel
# that differs this much from the source is taken for such an overlap.
_OVERLAP_DEGREES = 12.0
_OVERLAP_FILTER = 5
_BAND_ROWS = 256
_OUTSIDE = 1e-3
_REQUIRED = {"POSITION", "NORMAL", "TEXCOORD_0"}


@dataclass(frozen=True)
class BakeResult:
    """Whether normals were baked; if not, why, and whether that was a failure.

    `kept_share` of the map was kept as it was, because parts of the model overlap there.
    """

    left_out: str | None = None
    has_failed: bool = False
    seconds: float = 0.0
    kept_share: float = 0.0
    bytes_before: int = 0
    bytes_after: int = 0


@dataclass(frozen=True)
class SimplifiedMesh:
    """What the bake needs to know of a mesh: all of its triangles, its attributes, and fewer triangles."""

    faces: Faces
    attributes: dict[str, Array]
    fewer: Faces


def bake_normals(model: Model, meshes: list[SimplifiedMesh], max_side: int, threads: int) -> BakeResult:
    """Bake the detail that a simplified model has lost into its normal map; changes `model`.

    `meshes`: those that were simplified.

    Raises BadModel if the map cannot be decoded.
    """
    if not meshes:
        return BakeResult("No triangles were removed.")
    why_not = _why_not_mesh(model, meshes) or _why_not_map(model)
    if why_not:
        return BakeResult(why_not)
    started = time.monotonic()
    number = _normal_image(model)
    content, place = model.image_bytes(number), image_place(model.json, number)
    facts = image_header.read_image_header(content, place)
    picture = image_decode.decode_image(content, facts, max_side, place).convert("RGB")
    picture = picture.resize(image_decode.fit_within(facts, max_side))
    try:
        baked = bake.bake_normal_map(*_bake_meshes(meshes[0]), picture, threads)
    except ChildError as error:
        return BakeResult(str(error), has_failed=True)
    merged, kept = _merged(picture, baked)
    png = io.BytesIO()
    merged.save(png, "PNG", compress_level=1)
    _store(model, number, png.getvalue())
    return BakeResult(None, False, round(time.monotonic() - started, 1), kept, len(content), png.tell())


def _why_not_mesh(model: Model, meshes: list[SimplifiedMesh]) -> str | None:
    """Why the mesh's detail cannot be baked, as a sentence; None if it can."""
    if sum(1 for _ in primitives(model.json)) > 1 or len(meshes) > 1:
        return "The model has more than one mesh."
    attributes = meshes[0].attributes
    if {"JOINTS_0", "WEIGHTS_0"} & attributes.keys() or _only_primitive(model).get("targets"):
        return "The model is animated by bones or morph targets."
    if not attributes.keys() >= _REQUIRED or "TANGENT" in attributes:
        return "The mesh has no normals or texture coordinates, or it has its own tangents."
    if any(attributes[name].dtype.kind != "f" for name in _REQUIRED):
        return "The mesh is quantized."
    uv = attributes["TEXCOORD_0"]
    return "The texture repeats." if uv.min() < -_OUTSIDE or uv.max() > 1 + _OUTSIDE else None


def _why_not_map(model: Model) -> str | None:
    """Why the model's normal map cannot be changed, as a sentence; None if it can."""
    material = _only_primitive(model).get("material")
    info = None if material is None else model.json["materials"][material].get("normalTexture")
    if info is None:
        return "The model has no normal map."
    if info.get("texCoord", 0) != 0 or info.get("scale", 1) != 1 or info.get("extensions"):
        return "The normal map is transformed."
    texture = model.json["textures"][info["index"]]
    if "source" not in texture or len(texture_images(texture)) > 1:
        return "The normal map is not PNG or JPEG."
    if image_uses(model.json)[texture["source"]].kinds != {"normal"}:
        return "The normal map is also used for something else."
    facts = image_header.read_image_header(
        model.image_bytes(texture["source"]), image_place(model.json, texture["source"])
    )
    return None if facts.format in ("png", "jpeg") else "The normal map is not PNG or JPEG."


def _only_primitive(model: Model) -> dict[str, Any]:
    return next(primitive for _, primitive in primitives(model.json))


def _normal_image(model: Model) -> int:
    info = model.json["materials"][_only_primitive(model)["material"]]["normalTexture"]
    return int(model.json["textures"][info["index"]]["source"])


def _bake_meshes(mesh: SimplifiedMesh) -> tuple[bake.BakeMesh, bake.BakeMesh]:
    attributes = mesh.attributes
    full = bake.BakeMesh(attributes["POSITION"], attributes["NORMAL"], attributes["TEXCOORD_0"], mesh.faces)
    used, numbers = np.unique(mesh.fewer, return_inverse=True)
    chosen = numbers.reshape(-1, 3).astype(np.uint32)
    return full, bake.BakeMesh(full.positions[used], full.normals[used], full.uv[used], chosen)


def _merged(old: Image.Image, baked: Image.Image) -> tuple[Image.Image, float]:
    """The baked map, with the old one around overlaps; and the share of pixels taken from the old one."""
    bands = [
        (0, top, old.width, min(top + _BAND_ROWS, old.height)) for top in range(0, old.height, _BAND_ROWS)
    ]
    overlap = Image.new("L", old.size)
    for band in bands:
        overlap.paste(Image.fromarray(_overlaps(old.crop(band), baked.crop(band))), band[:2])
    overlap = overlap.filter(ImageFilter.MaxFilter(_OVERLAP_FILTER))
    share = overlap.histogram()[255] / (old.width * old.height)
    return Image.composite(old, baked, overlap), round(share, 3)


def _overlaps(old: Image.Image, baked: Image.Image) -> NDArray[np.uint8]:
    """255 where the two normals differ so much that parts must overlap, else 0."""
    first, second = (np.asarray(each, np.float32) / 127.5 - 1 for each in (old, baked))
    lengths = np.linalg.norm(first, axis=2) * np.linalg.norm(second, axis=2)
    is_near = np.einsum("ijk,ijk->ij", first, second) >= np.cos(np.radians(_OVERLAP_DEGREES)) * lengths
    return np.where(is_near, 0, 255).astype(np.uint8)


def _store(model: Model, number: int, content: bytes) -> None:
    image = model.json["images"][number]
    image.pop("uri", None)
    image["bufferView"], image["mimeType"] = model.add_view(content), "image/png"

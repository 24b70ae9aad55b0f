"""What the light loses with the triangles, put into the normal map.

The two meshes share one layout of the texture, so every pixel of the map knows what the full mesh's normal
was there, and can say it in the reduced mesh's terms. Blender does that; here is what it can be done for, and
where its answer is taken.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from acr3d.gltf import image_decode, image_header
from acr3d.gltf.accessors import Array
from acr3d.gltf.check_buffers import image_place, primitives
from acr3d.gltf.model import Model
from acr3d.gltf.texture_slots import map_uses, texture_images
from acr3d.optimize.blender import run
from acr3d.optimize.steps import simplify
from acr3d.optimize.steps.simplify import Faces, Reduce
from acr3d.sandbox import ChildError

# A pixel on which several parts of the model lie knows the light of one of them only: it is far off.
_FAR_OFF_DEGREES = 12.0
_AROUND = 5
_ROWS = 256
_OUTSIDE = 1e-3
_PLAIN = {"POSITION", "NORMAL", "TEXCOORD_0"}


@dataclass(frozen=True)
class Detail:
    """Whether detail was baked; if not, why, and whether that was a failure.

    `kept_share` of the map stayed as it was, because several parts of the model share those pixels.
    """

    left_out: str | None = None
    has_failed: bool = False
    seconds: float = 0.0
    kept_share: float = 0.0
    bytes_before: int = 0
    bytes_after: int = 0


@dataclass
class Recorder:
    """A simplifier that remembers what it was given and what it made of it."""

    reduce: Reduce | None = field(default_factory=lambda: simplify.collapse_edges())
    seen: list[tuple[Faces, dict[str, Array], Faces]] = field(default_factory=list)

    def __call__(self, faces: Faces, attributes: dict[str, Array], wanted: int) -> Faces:
        fewer = self.reduce(faces, attributes, wanted) if self.reduce else faces
        self.seen.append((faces, attributes, fewer))
        return fewer


def bake_detail(model: Model, recorder: Recorder, max_side: int, threads: int) -> Detail:
    """Give the model, once simplified, a normal map with the detail that it lost; changes `model`.

    Raises BadModel when the map cannot be decoded.
    """
    if not recorder.seen:
        return Detail("No triangles were taken out.")
    why_not = _why_not_mesh(model, recorder) or _why_not_map(model)
    if why_not:
        return Detail(why_not)
    started = time.monotonic()
    number = _normal_image(model)
    content, place = model.image_bytes(number), image_place(model.json, number)
    facts = image_header.inspect(content, place)
    picture = image_decode.decode(content, facts, max_side, place).convert("RGB")
    picture = picture.resize(image_decode.fitted(facts, max_side))
    try:
        baked = run.bake(*_meshes(recorder), picture, threads)
    except ChildError as error:
        return Detail(str(error), has_failed=True)
    merged, kept = _merged(picture, baked)
    stored = io.BytesIO()
    merged.save(stored, "PNG", compress_level=1)
    _store(model, number, stored.getvalue())
    return Detail(None, False, round(time.monotonic() - started, 1), kept, len(content), stored.tell())


def _why_not_mesh(model: Model, recorder: Recorder) -> str | None:
    """Why the mesh's detail cannot be baked, as a sentence; None when it can."""
    if sum(1 for _ in primitives(model.json)) > 1 or len(recorder.seen) > 1:
        return "The model is made of several pieces."
    _, attributes, _ = recorder.seen[0]
    if {"JOINTS_0", "WEIGHTS_0"} & attributes.keys() or _only_primitive(model).get("targets"):
        return "The model moves: it has bones or morph targets."
    if not attributes.keys() >= _PLAIN or "TANGENT" in attributes:
        return "The mesh lacks normals or texture coordinates, or brings tangents of its own."
    if any(attributes[name].dtype.kind != "f" for name in _PLAIN):
        return "The mesh is stored in whole numbers."
    uv = attributes["TEXCOORD_0"]
    return "Its texture repeats." if uv.min() < -_OUTSIDE or uv.max() > 1 + _OUTSIDE else None


def _why_not_map(model: Model) -> str | None:
    """Why the model's normal map cannot take the detail, as a sentence; None when it can."""
    material = _only_primitive(model).get("material")
    info = None if material is None else model.json["materials"][material].get("normalTexture")
    if info is None:
        return "The model has no normal map."
    if info.get("texCoord", 0) != 0 or info.get("scale", 1) != 1 or info.get("extensions"):
        return "The normal map is transformed."
    texture = model.json["textures"][info["index"]]
    if "source" not in texture or len(texture_images(texture)) > 1:
        return "The normal map is neither PNG nor JPEG."
    if map_uses(model.json)[texture["source"]].kinds != {"normal"}:
        return "The normal map serves other ends too."
    facts = image_header.inspect(
        model.image_bytes(texture["source"]), image_place(model.json, texture["source"])
    )
    return None if facts.format in ("png", "jpeg") else "The normal map is neither PNG nor JPEG."


def _only_primitive(model: Model) -> dict[str, Any]:
    return next(primitive for _, primitive in primitives(model.json))


def _normal_image(model: Model) -> int:
    info = model.json["materials"][_only_primitive(model)["material"]]["normalTexture"]
    return int(model.json["textures"][info["index"]]["source"])


def _meshes(recorder: Recorder) -> tuple[run.Mesh, run.Mesh]:
    faces, attributes, fewer = recorder.seen[0]
    full = run.Mesh(attributes["POSITION"], attributes["NORMAL"], attributes["TEXCOORD_0"], faces)
    used, numbers = np.unique(fewer, return_inverse=True)
    chosen = numbers.reshape(-1, 3).astype(np.uint32)
    return full, run.Mesh(full.positions[used], full.normals[used], full.uv[used], chosen)


def _merged(old: Image.Image, baked: Image.Image) -> tuple[Image.Image, float]:
    """The baked map, but the old one around pixels where the two are far apart; and that share of the map."""
    bands = [(0, top, old.width, min(top + _ROWS, old.height)) for top in range(0, old.height, _ROWS)]
    far_off = Image.new("L", old.size)
    for band in bands:
        far_off.paste(Image.fromarray(_far_off(old.crop(band), baked.crop(band))), band[:2])
    far_off = far_off.filter(ImageFilter.MaxFilter(_AROUND))
    share = far_off.histogram()[255] / (old.width * old.height)
    return Image.composite(old, baked, far_off), round(share, 3)


def _far_off(old: Image.Image, baked: Image.Image) -> NDArray[np.uint8]:
    """255 where the two directions differ by more than a shared pixel's would, else 0."""
    first, second = (np.asarray(each, np.float32) / 127.5 - 1 for each in (old, baked))
    lengths = np.linalg.norm(first, axis=2) * np.linalg.norm(second, axis=2)
    is_near = np.einsum("ijk,ijk->ij", first, second) >= np.cos(np.radians(_FAR_OFF_DEGREES)) * lengths
    return np.where(is_near, 0, 255).astype(np.uint8)


def _store(model: Model, number: int, content: bytes) -> None:
    image = model.json["images"][number]
    image.pop("uri", None)
    image["bufferView"], image["mimeType"] = model.add_view(content), "image/png"

"""Textures: no larger than a phone needs, and stored as WebP. Equal maps are stored once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from . import images, pixels
from .contents import image_place
from .extensions import WEBP
from .fields import Json
from .images import ImageFacts
from .maps import MapUse, map_uses
from .model import Model
from .prune import may_renumber
from .recode import DecodingBudget, MapPlan, recode


@dataclass(frozen=True)
class TextureOptions:
    """Longest side in pixels, WebP's method (0 fast … 6 small) and its quality (0–100) by kind of map.

    How these were chosen: docs/decisions/optimizer-texture-quality.md.
    """

    max_side: int = 2048
    method: int = 4
    colour_quality: int = 80
    normal_quality: int = 80
    data_quality: int = 72

    def quality(self, use: MapUse) -> int:
        """The quality for a map: what is seen directly gets the most."""
        if use.channels == {"G", "B"}:
            return self.data_quality
        return self.normal_quality if use.kinds == {"normal"} else self.colour_quality


@dataclass(frozen=True)
class MapResult:
    """One image before and after."""

    name: str
    kinds: tuple[str, ...]
    before: ImageFacts
    bytes_before: int
    after: ImageFacts
    bytes_after: int


@dataclass(frozen=True)
class MapJob:
    """One image's work, independent of all others. Without a plan the image is only looked through."""

    number: int
    facts: ImageFacts
    length: int
    use: MapUse
    plan: MapPlan | None
    place: str


def map_jobs(model: Model, options: TextureOptions | None) -> list[MapJob]:
    """What is to be done with each image, in the order of the file. Without options: only look through."""
    uses = map_uses(model.json)
    return [_job(model, number, use, options) for number, use in enumerate(uses)]


def _job(model: Model, number: int, use: MapUse, options: TextureOptions | None) -> MapJob:
    content, place = model.image_bytes(number), image_place(model.json, number)
    facts = images.inspect(content, place)
    plan = None
    if options and use.textures and not use.is_alternative and _is_wanted(facts, options):
        plan = MapPlan(options.max_side, options.quality(use), options.method, frozenset(use.channels))
    return MapJob(number, facts, len(content), use, plan, place)


def _is_wanted(facts: ImageFacts, options: TextureOptions) -> bool:
    is_oversized = max(facts.width, facts.height) > options.max_side
    return facts.format in ("png", "jpeg") or (facts.format == "webp" and is_oversized)


def run_job(model: Model, job: MapJob, budget: DecodingBudget) -> tuple[bytes, ImageFacts] | None:
    """Do one image's work, in any thread: its new bytes and facts, or None to keep it as it is.

    Raises BadModel for an image that cannot be decoded.
    """
    if job.facts.format not in pixels.DECODED_FORMATS:
        return None
    side = job.plan.max_side if job.plan else max(job.facts.width, job.facts.height)
    with budget.take(pixels.decoding_bytes(job.facts, side)):
        content = model.image_bytes(job.number)
        if job.plan is None:
            pixels.decode(content, job.facts, side, job.place)
            return None
        return recode(content, job.facts, job.plan, job.place)


def store_maps(
    model: Model, jobs: list[MapJob], results: list[tuple[bytes, ImageFacts] | None]
) -> list[MapResult]:
    """Put the new images into the model; equal ones share their bytes."""
    views: dict[bytes, int] = {}
    stored = []
    for job, result in zip(jobs, results, strict=True):
        name = str(model.json["images"][job.number].get("name") or "")
        after = (job.facts, job.length) if result is None else (result[1], len(result[0]))
        stored.append(MapResult(name, tuple(sorted(job.use.kinds)), job.facts, job.length, *after))
        if result is None:
            continue
        digest = hashlib.sha256(result[0]).digest()
        _store(model, job, result[0], views.get(digest))
        views[digest] = model.json["images"][job.number]["bufferView"]
    return stored


def _store(model: Model, job: MapJob, content: bytes, equal_view: int | None) -> None:
    image = model.json["images"][job.number]
    image.pop("uri", None)
    image["mimeType"] = "image/webp"
    if equal_view is not None:
        image["bufferView"] = equal_view
    elif may_renumber(model.json) or "bufferView" not in image:
        image["bufferView"] = model.add_view(content)
    else:
        model.replace_view(image["bufferView"], content)
    for number in job.use.textures:
        _show_webp(model.json["textures"][number], job.number)
    for key in ("extensionsUsed", "extensionsRequired"):
        model.json[key] = sorted({*model.json.get(key, []), WEBP})


def _show_webp(texture: Json, image: int) -> None:
    """WebP images are named by their extension; a plain source would have to be PNG or JPEG."""
    texture.pop("source", None)
    texture.setdefault("extensions", {})[WEBP] = {"source": image}

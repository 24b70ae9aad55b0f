"""Textures: no larger than a phone needs, and in a format that is small."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

from acr3d.gltf import image_decode, image_header
from acr3d.gltf.check_buffers import image_place
from acr3d.gltf.extensions import WEBP
from acr3d.gltf.image_header import ImageFacts
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import may_renumber
from acr3d.gltf.texture_slots import MapUse, map_uses
from acr3d.optimize.steps.dedup_images import unite_equal_images
from acr3d.optimize.steps.texture_compress import Coding, DecodingBudget, MapPlan, Recoded, recode

_COLOURS = {"base colour", "emission"}
_SMALLEST_SIDE = 256
# What libwebp was measured to hold on to for each pixel while it looks for the smallest lossless form.
_LOSSLESS_BYTES = 28


@dataclass(frozen=True)
class TextureOptions:
    """Longest side in pixels, WebP's method (0 fast … 6 small) and the quality (0–100) by kind of map.

    A normal map of which a sample comes out with less than `least_normal_psnr` dB gets the finer one.
    Maps that have more than `most_pixels` together are halved until they have not.
    How these were chosen: docs/decisions/optimizer-texture-quality.md.
    """

    coding: Coding = Coding.WEBP
    max_side: int = 2048
    most_pixels: int | None = None
    method: int = 2
    colour_quality: int = 78
    data_quality: int = 55
    normal_quality: int = 84
    finer_normal_quality: int = 88
    least_normal_psnr: float = 37.5

    def plan(self, use: MapUse, must_change: bool) -> MapPlan:
        """How a map is to be stored."""
        plan = MapPlan(
            self.max_side,
            self.colour_quality,
            self.method,
            frozenset(use.channels),
            self.coding,
            is_fine=not use.kinds <= _COLOURS,
            must_change=must_change,
        )
        if use.channels == {"G", "B"}:
            return replace(plan, quality=self.data_quality)
        if use.kinds != {"normal"}:
            return plan
        least_psnr = self.least_normal_psnr if self.coding is Coding.WEBP else 0.0
        finer = self.finer_normal_quality
        return replace(plan, quality=self.normal_quality, finer_quality=finer, least_psnr=least_psnr)


@dataclass(frozen=True)
class MapResult:
    """One image before and after, and how near it comes to it: PSNR in dB, None when nothing differs."""

    name: str
    kinds: tuple[str, ...]
    before: ImageFacts
    bytes_before: int
    after: ImageFacts
    bytes_after: int
    psnr: float | None = None


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
    """What is to be done with each image, in the order of the file. Without options: only look through.

    With options, equal images have become one when this returns.
    """
    if options:
        unite_equal_images(model)
    uses = map_uses(model.json)
    if options and options.most_pixels:
        options = replace(options, max_side=_side_for(model, options.most_pixels, options.max_side))
    return [_job(model, number, use, options) for number, use in enumerate(uses)]


def _side_for(model: Model, most_pixels: int, side: int) -> int:
    """The longest side that a map may have so that all of them stay within `most_pixels` together."""
    facts = [_facts(model, number) for number in range(len(model.json.get("images", [])))]
    while (
        side > _SMALLEST_SIDE
        and sum(math.prod(image_decode.fitted(each, side)) for each in facts) > most_pixels
    ):
        side //= 2
    return side


def _facts(model: Model, number: int) -> ImageFacts:
    return image_header.inspect(model.image_bytes(number), image_place(model.json, number))


def _job(model: Model, number: int, use: MapUse, options: TextureOptions | None) -> MapJob:
    content, place = model.image_bytes(number), image_place(model.json, number)
    facts = image_header.inspect(content, place)
    plan = None
    if options and use.textures and not use.is_alternative and _is_wanted(facts, content, options):
        plan = options.plan(use, must_change=options.coding is Coding.CORE and facts.format == "webp")
    return MapJob(number, facts, len(content), use, plan, place)


def _is_wanted(facts: ImageFacts, content: bytes, options: TextureOptions) -> bool:
    is_oversized = max(facts.width, facts.height) > options.max_side
    if options.coding is Coding.LOSSLESS:
        # A JPEG is smaller as it is, a large PNG takes too much memory, and WebP has eight bits a channel.
        return facts.format == "png" and not is_oversized and image_header.png_bits(content) == 8
    if options.coding is Coding.CORE:
        return facts.format in ("png", "jpeg", "webp")
    return facts.format in ("png", "jpeg") or (facts.format == "webp" and is_oversized)


def run_job(model: Model, job: MapJob, budget: DecodingBudget) -> Recoded | None:
    """Do one image's work, in any thread: the new image, or None to keep it as it is.

    Raises BadModel for an image that cannot be decoded.
    """
    if job.facts.format not in image_decode.DECODED_FORMATS:
        return None
    side = job.plan.max_side if job.plan else max(job.facts.width, job.facts.height)
    effort = _LOSSLESS_BYTES if job.plan and job.plan.coding is Coding.LOSSLESS else 0
    with budget.take(
        image_decode.decoding_bytes(job.facts, side) + effort * job.facts.width * job.facts.height
    ):
        content = model.image_bytes(job.number)
        if job.plan is None:
            image_decode.decode(content, job.facts, side, job.place)
            return None
        return recode(content, job.facts, job.plan, job.place)


def store_maps(model: Model, jobs: list[MapJob], results: list[Recoded | None]) -> list[MapResult]:
    """Put the new images into the model; equal ones share their bytes."""
    views: dict[bytes, int] = {}
    stored = []
    for job, result in zip(jobs, results, strict=True):
        name = str(model.json["images"][job.number].get("name") or "")
        kept = result or Recoded(b"", job.facts, None)
        length = len(result.content) if result else job.length
        kinds = tuple(sorted(job.use.kinds))
        stored.append(MapResult(name, kinds, job.facts, job.length, kept.facts, length, kept.psnr))
        if result is not None:
            digest = hashlib.sha256(result.content).digest()
            _store(model, job, result.content, views.get(digest))
            views[digest] = model.json["images"][job.number]["bufferView"]
    return stored


def _store(model: Model, job: MapJob, content: bytes, equal_view: int | None) -> None:
    image = model.json["images"][job.number]
    image.pop("uri", None)
    facts = image_header.inspect(content, job.place)
    image["mimeType"] = facts.media_type
    if equal_view is not None:
        image["bufferView"] = equal_view
    elif may_renumber(model.json) or not _has_view_of_its_own(model, image):
        image["bufferView"] = model.add_view(content)
    else:
        model.replace_view(image["bufferView"], content)
    if facts.format != "webp":
        return
    for number in job.use.textures:
        _show_webp(model.json["textures"][number], job.number)
    for key in ("extensionsUsed", "extensionsRequired"):
        model.json[key] = sorted({*model.json.get(key, []), WEBP})


def _has_view_of_its_own(model: Model, image: Json) -> bool:
    view = image.get("bufferView")
    return view is not None and sum(each.get("bufferView") == view for each in model.json["images"]) == 1


def _show_webp(texture: Json, image: int) -> None:
    """WebP images are named by their extension; a plain source would have to be PNG or JPEG."""
    texture.pop("source", None)
    texture.setdefault("extensions", {})[WEBP] = {"source": image}

"""Texture compress: limit the size of images and encode them in a smaller format."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

from acr3d.gltf import image_decode, image_header
from acr3d.gltf.extensions import WEBP, can_renumber, require_extension
from acr3d.gltf.image_header import ImageFacts
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.texture_slots import ImageUse, image_uses
from acr3d.gltf.traversal import image_place
from acr3d.optimize.decoding_budget import DecodingBudget
from acr3d.optimize.recode_image import ImageCoding, RecodedImage, RecodePlan, recode_image

_COLOURS = {"base colour", "emission"}
_SMALLEST_SIDE = 256
# Bytes a pixel from which a map is detailed. Detail hides errors of directions; of roughness, it shows them.
_DETAILED_NORMALS, _DETAILED_DATA = 0.06, 0.034
# Memory per pixel that libwebp's lossless encoder uses (measured).
_LOSSLESS_BYTES_PER_PIXEL = 28


@dataclass(frozen=True)
class TextureOptions:
    """Longest side in pixels, WebP's method (0 fast … 6 small) and the quality (0–100) by kind of map.

    Images that have more than `most_pixels` together are halved until they fit. How the defaults were chosen:
    docs/decisions/0011-optimizer-texture-quality.md.
    """

    coding: ImageCoding = ImageCoding.WEBP
    max_side: int = 2048
    most_pixels: int | None = None
    method: int = 2
    colour_quality: int = 78
    data_quality: int = 40
    detailed_data_quality: int = 60
    normal_quality: int = 78
    detailed_normal_quality: int = 70

    def plan(self, use: ImageUse, must_change: bool) -> RecodePlan:
        """How to encode an image with this use."""
        plan = RecodePlan(
            self.max_side,
            self.colour_quality,
            self.method,
            frozenset(use.channels),
            self.coding,
            is_data=not use.kinds <= _COLOURS,
            must_change=must_change,
        )
        if use.channels == {"G", "B"}:
            return replace(
                plan,
                quality=self.data_quality,
                detailed_quality=self.detailed_data_quality,
                detailed_from=_DETAILED_DATA,
            )
        if use.kinds == {"normal"}:
            return replace(
                plan,
                quality=self.normal_quality,
                detailed_quality=self.detailed_normal_quality,
                detailed_from=_DETAILED_NORMALS,
                sharpens_chroma=True,
            )
        return plan


@dataclass(frozen=True)
class ImageResult:
    """One image before and after; `psnr` in dB, None if nothing differs."""

    name: str
    kinds: tuple[str, ...]
    before: ImageFacts
    bytes_before: int
    after: ImageFacts
    bytes_after: int
    psnr: float | None = None


@dataclass(frozen=True)
class ImageJob:
    """The work on one image, independent of all others. Without a plan the image is only checked."""

    number: int
    facts: ImageFacts
    length: int
    use: ImageUse
    plan: RecodePlan | None
    place: str


def image_jobs(model: Model, options: TextureOptions | None) -> list[ImageJob]:
    """The work on each image, in the order of the file. Without options, images are only checked."""
    uses = image_uses(model.json)
    if options and options.most_pixels:
        options = replace(options, max_side=_side_for(model, options.most_pixels, options.max_side))
    return [_job(model, number, use, options) for number, use in enumerate(uses)]


def _side_for(model: Model, most_pixels: int, side: int) -> int:
    """The longest side with which all images have at most `most_pixels` together."""
    facts = [_facts(model, number) for number in range(len(model.json.get("images", [])))]
    while (
        side > _SMALLEST_SIDE
        and sum(math.prod(image_decode.fit_within(each, side)) for each in facts) > most_pixels
    ):
        side //= 2
    return side


def _facts(model: Model, number: int) -> ImageFacts:
    return image_header.read_image_header(model.image_bytes(number), image_place(model.json, number))


def _job(model: Model, number: int, use: ImageUse, options: TextureOptions | None) -> ImageJob:
    content, place = model.image_bytes(number), image_place(model.json, number)
    facts = image_header.read_image_header(content, place)
    plan = None
    if options and use.textures and not use.is_alternative and _should_recode(facts, content, options):
        plan = options.plan(use, must_change=options.coding is ImageCoding.CORE and facts.format == "webp")
    return ImageJob(number, facts, len(content), use, plan, place)


def _should_recode(facts: ImageFacts, content: bytes, options: TextureOptions) -> bool:
    is_oversized = max(facts.width, facts.height) > options.max_side
    if options.coding is ImageCoding.LOSSLESS:
        # A JPEG would grow, a large PNG would take too much memory, and WebP has only eight bits per channel.
        return facts.format == "png" and not is_oversized and image_header.png_bits(content) == 8
    if options.coding is ImageCoding.CORE:
        return facts.format in ("png", "jpeg", "webp")
    return facts.format in ("png", "jpeg") or (facts.format == "webp" and is_oversized)


def run_job(model: Model, job: ImageJob, budget: DecodingBudget) -> RecodedImage | None:
    """Do the work on one image, in any thread; returns the new image, or None to keep the old one.

    Raises BadModel if the image cannot be decoded.
    """
    if job.facts.format not in image_decode.DECODED_FORMATS:
        return None
    side = job.plan.max_side if job.plan else max(job.facts.width, job.facts.height)
    effort = _LOSSLESS_BYTES_PER_PIXEL if job.plan and job.plan.coding is ImageCoding.LOSSLESS else 0
    with budget.take(
        image_decode.decoding_bytes(job.facts, side) + effort * job.facts.width * job.facts.height
    ):
        content = model.open_image(job.number)
        if job.plan is None:
            image_decode.decode_image(content, job.facts, side, job.place)
            return None
        return recode_image(content, job.facts, job.plan, job.place)


def store_images(model: Model, jobs: list[ImageJob], results: list[RecodedImage | None]) -> list[ImageResult]:
    """Store the new images in the model; equal ones share their bytes."""
    views: dict[bytes, int] = {}
    stored = []
    for job, result in zip(jobs, results, strict=True):
        name = str(model.json["images"][job.number].get("name") or "")
        kept = result or RecodedImage(b"", job.facts, None)
        length = len(result.content) if result else job.length
        kinds = tuple(sorted(job.use.kinds))
        stored.append(ImageResult(name, kinds, job.facts, job.length, kept.facts, length, kept.psnr))
        if result is not None:
            digest = hashlib.sha256(result.content).digest()
            _store(model, job, result.content, views.get(digest))
            views[digest] = model.json["images"][job.number]["bufferView"]
    return stored


def _store(model: Model, job: ImageJob, content: bytes, equal_view: int | None) -> None:
    image = model.json["images"][job.number]
    image.pop("uri", None)
    facts = image_header.read_image_header(content, job.place)
    image["mimeType"] = facts.media_type
    if equal_view is not None:
        image["bufferView"] = equal_view
    elif can_renumber(model.json) or not _has_view_of_its_own(model, image):
        image["bufferView"] = model.add_view(content)
    else:
        model.replace_view(image["bufferView"], content)
    if facts.format != "webp":
        return
    for number in job.use.textures:
        _show_webp(model.json["textures"][number], job.number)
    require_extension(model.json, WEBP)


def _has_view_of_its_own(model: Model, image: Json) -> bool:
    view = image.get("bufferView")
    return view is not None and sum(each.get("bufferView") == view for each in model.json["images"]) == 1


def _show_webp(texture: Json, image: int) -> None:
    """Let a texture show a WebP image. That takes an extension: a plain `source` must be PNG or JPEG."""
    texture.pop("source", None)
    texture.setdefault("extensions", {})[WEBP] = {"source": image}

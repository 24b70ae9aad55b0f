"""Recoding one image: decode, shrink, encode in another format, and check the result against the source."""

from __future__ import annotations

import hashlib
import io
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageStat

from acr3d.gltf import image_decode, image_header
from acr3d.gltf.image_header import ImageFacts

# How far (of 255) the mean colours of a coarse grid may change before the result is rejected.
_COARSE_DRIFT = 6.0
_COARSE_SIDE = 32
_ROWS_APART = 16
_STRIP_ROWS = 128
# A sample of an image: bands of twice the height of WebP's blocks.
_BANDS, _BAND_ROWS = 8, 32
# The opposite of what decoders do to chroma: they interpolate it, so that an eighth of every block of 2 × 2
# pixels comes from each neighbour.
_SHARPER = ImageFilter.Kernel((3, 3), [-1, -6, -1, -6, 92, -6, -1, -6, -1], 64)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# The red that equals the luma 0.299 R + 0.587 G + 0.114 B, solved for R.
_LUMA_OF_G_AND_B = (0.0, 0.587 / 0.701, 0.114 / 0.701, 0.0)


class ImageCoding(StrEnum):
    """How images are encoded."""

    WEBP = "webp"  # lossy WebP
    LOSSLESS = "lossless"  # WebP with every pixel unchanged
    CORE = "core"  # JPEG, or PNG for transparency: supported by every glTF reader


@dataclass(frozen=True)
class RecodePlan:
    """How to encode one image: longest side in pixels, quality 0–100 and WebP's method 0–6.

    `channels`: those that a shader reads (of R, G, B, A); the others may change, except in lossless coding.
    `is_data`: the image holds data, not colours, so a JPEG keeps the chroma at full resolution.
    `must_change`: use the result even if it is larger. `sharpens_chroma`: more of it remains in lossy WebP.
    `detailed_quality`: used, if not 0, for an image of which a sample takes more than `detailed_from` bytes a
    pixel at `quality`.
    """

    max_side: int
    quality: int
    method: int
    channels: frozenset[str]
    coding: ImageCoding = ImageCoding.WEBP
    is_data: bool = False
    must_change: bool = False
    sharpens_chroma: bool = False
    detailed_quality: int = 0
    detailed_from: float = 0


@dataclass(frozen=True)
class RecodedImage:
    """An encoded image, its format and size, and its PSNR in dB (None if nothing differs)."""

    content: bytes
    facts: ImageFacts
    psnr: float | None


@dataclass(frozen=True)
class _Reference:
    """What is kept of the source picture to check the result."""

    coarse: Image.Image
    rows: Image.Image
    digest: bytes | None


def recode_image(content: BinaryIO, facts: ImageFacts, plan: RecodePlan, place: str) -> RecodedImage | None:
    """The image in its new format; None if the result is not smaller or not close enough to the source.

    `content`: the encoded image, from its start. Raises BadModel if it cannot be decoded.
    """
    encoded, reference = _encode(content, facts, plan, place)
    new_facts = image_header.read_image_header(encoded, place)
    is_smaller_picture = (new_facts.width, new_facts.height) != (facts.width, facts.height)
    if len(encoded) >= content.seek(0, io.SEEK_END) and not (is_smaller_picture or plan.must_change):
        return None
    # Checked only after the source's pixels are freed, because memory peaks here.
    found = image_decode.decode_image(encoded, new_facts, plan.max_side, place)
    if reference.digest is not None and reference.digest != _digest(found):
        return None
    if _drift(_coarse(found, reference.coarse.size), reference.coarse, plan.channels) > _COARSE_DRIFT:
        return None
    return RecodedImage(encoded, new_facts, _psnr(reference.rows, _rows(found), plan.channels))


def _encode(content: BinaryIO, facts: ImageFacts, plan: RecodePlan, place: str) -> tuple[bytes, _Reference]:
    """The encoded image, and what is needed to check it."""
    picture = image_decode.decode_image(content, facts, plan.max_side, place)
    coarse = _coarse(picture, image_decode.fit_within(facts, _COARSE_SIDE))
    digest = _digest(picture) if plan.coding is ImageCoding.LOSSLESS else None
    if plan.coding is not ImageCoding.LOSSLESS:
        picture = _resized(picture, image_decode.fit_within(facts, plan.max_side))
        if picture.mode == "RGBA" and not ("A" in plan.channels and _is_translucent(picture)):
            picture = picture.convert("RGB")
    rows = _rows(picture)
    if plan.coding is not ImageCoding.LOSSLESS:
        picture = _with_free_channels_filled(picture, plan.channels)
    if plan.sharpens_chroma and plan.coding is ImageCoding.WEBP and picture.mode == "RGB":
        picture = _with_sharp_chroma(picture)
    if plan.detailed_quality and plan.coding is ImageCoding.WEBP and _is_detailed(picture, plan):
        plan = replace(plan, quality=plan.detailed_quality)
    return _encoded(picture, plan), _Reference(coarse, rows, digest)


def _is_detailed(picture: Image.Image, plan: RecodePlan) -> bool:
    """Whether some bands of the picture take many bytes."""
    height = min(picture.height, _BANDS * _BAND_ROWS)
    sample = Image.new(picture.mode, (picture.width, height))
    for top in range(0, height, _BAND_ROWS):
        at = top * picture.height // height
        sample.paste(picture.crop((0, at, picture.width, at + _BAND_ROWS)), (0, top))
    return len(_encoded(sample, plan)) > plan.detailed_from * sample.width * sample.height


def _encoded(picture: Image.Image, plan: RecodePlan) -> bytes:
    content = io.BytesIO()
    picture.save(content, **_save_options(picture, plan))
    return content.getvalue()


def _save_options(picture: Image.Image, plan: RecodePlan) -> dict[str, Any]:
    """Pillow's options. Empty metadata keeps it from copying the source's, which glTF does not use."""
    no_metadata = {"icc_profile": b"", "exif": b"", "xmp": b""}
    if plan.coding is ImageCoding.LOSSLESS:
        return {"format": "WEBP", "lossless": True, "exact": True, "quality": 50, "method": 3} | no_metadata
    if plan.coding is ImageCoding.WEBP:
        # `exact`: colours under alpha 0 are data in some textures, and are visible in mipmaps.
        return {
            "format": "WEBP",
            "quality": plan.quality,
            "method": plan.method,
            "exact": True,
        } | no_metadata
    if picture.mode == "RGBA":
        return {"format": "PNG", "icc_profile": None, "exif": b"", "compress_level": 9}
    subsampling = "4:4:4" if plan.is_data else "4:2:0"
    jpeg = {"format": "JPEG", "quality": plan.quality, "subsampling": subsampling, "optimize": True}
    return jpeg | no_metadata


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture scaled down to `size`.

    GPUs build mipmaps by averaging 2 × 2 pixels. If the factor is an integer, doing the same gives exactly
    the mipmap that the GPU would have made of the source.
    """
    if picture.size == size:
        return picture
    factor = picture.width // size[0]
    if (size[0] * factor, size[1] * factor) == picture.size:
        return _reduced(picture, factor)
    return _per_channel(picture, lambda each: each.resize(size, Image.Resampling.LANCZOS))


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """The picture scaled down by an integer, in strips: channels of the whole could be another 64 MB each."""
    if factor == 1:
        return picture
    found = Image.new(picture.mode, (-(-picture.width // factor), -(-picture.height // factor)))
    rows = factor * max(1, _STRIP_ROWS // factor)
    for top in range(0, picture.height, rows):
        strip = picture.crop((0, top, picture.width, min(picture.height, top + rows)))
        found.paste(_per_channel(strip, lambda each: each.reduce(factor)), (0, top // factor))
    return found


def _per_channel(picture: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The changed picture; one with alpha is changed channel by channel.

    Otherwise Pillow would weight its colours by alpha and lose those under alpha 0.
    """
    if picture.mode != "RGBA":
        return change(picture)
    return Image.merge("RGBA", [change(picture.getchannel(name)) for name in "RGBA"])


def _with_free_channels_filled(picture: Image.Image, channels: frozenset[str]) -> Image.Image:
    """Fill the channels that no shader reads so that the others take fewer bytes and lose less.

    WebP stores luma at full and the two chroma channels at quarter resolution. An image with one used channel
    becomes grey; a metal and roughness map gets a red that makes one of the chroma channels zero.
    """
    if picture.mode != "RGB":
        return picture
    if len(channels) == 1:
        return picture.getchannel(next(iter(channels)))
    if channels == {"G", "B"}:
        red = picture.convert("L", _LUMA_OF_G_AND_B)
        return Image.merge("RGB", (red, picture.getchannel("G"), picture.getchannel("B")))
    return picture


def _with_sharp_chroma(picture: Image.Image) -> Image.Image:
    """The picture with more contrast between the chroma of its blocks of 2 × 2 pixels; luma stays.

    WebP stores the mean chroma of each block, and decoders interpolate between blocks. What they show then is
    much nearer to the source. libwebp's "sharp YUV" has the same aim, but Pillow cannot ask for it.
    """
    found = Image.new("RGB", picture.size)
    for top in range(0, picture.height, _STRIP_ROWS):
        # The filter needs one more row of blocks on each side.
        margin = min(top, 2)
        strip = picture.crop((0, top - margin, picture.width, min(picture.height, top + _STRIP_ROWS + 2)))
        found.paste(_with_sharp_chroma_in(strip).crop((0, margin, *strip.size)), (0, top))
    return found


def _with_sharp_chroma_in(strip: Image.Image) -> Image.Image:
    blocks = strip.reduce(2)
    more = np.asarray(blocks.filter(_SHARPER), np.int16) - np.asarray(blocks, np.int16)
    more -= np.round(more @ _LUMA).astype(np.int16)[..., np.newaxis]
    for change, apply in ((more, ImageChops.add), (-more, ImageChops.subtract)):
        whole = Image.fromarray(change.clip(0, 255).astype(np.uint8))
        whole = whole.resize((2 * whole.width, 2 * whole.height), Image.Resampling.NEAREST)
        strip = apply(strip, whole.crop((0, 0, *strip.size)))
    return strip


def _is_translucent(picture: Image.Image) -> bool:
    low, _ = picture.getchannel("A").getextrema()
    return bool(low != 255)


def _drift(picture: Image.Image, other: Image.Image, channels: frozenset[str]) -> float:
    """The largest mean difference (of 255) among the channels that are read."""
    means = ImageStat.Stat(ImageChops.difference(picture, other)).mean
    return max(means["RGBA".index(channel)] for channel in channels)


def _rows(picture: Image.Image) -> Image.Image:
    """A sample of the picture's rows, unchanged."""
    size = picture.width, max(1, picture.height // _ROWS_APART)
    return picture.resize(size, Image.Resampling.NEAREST).convert("RGBA")


def _psnr(rows: Image.Image, others: Image.Image, channels: frozenset[str]) -> float | None:
    """PSNR in dB over the channels that are read; None if the rows are equal."""
    seen = ["RGBA".index(channel) for channel in sorted(channels)]
    before, after = (np.asarray(each, np.float32)[..., seen] for each in (rows, others))
    error = float(np.mean((before - after) ** 2))
    return round(10 * math.log10(255**2 / error), 1) if error else None


def _digest(picture: Image.Image) -> bytes:
    return hashlib.sha256(picture.convert("RGBA").tobytes()).digest()


def _coarse(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture averaged to `size` pixels, without weighting colours by alpha."""
    # Halved as often as that is exact, which takes less memory than averaging channels of the whole.
    factor, most = math.gcd(*picture.size, _STRIP_ROWS), min(map(operator.floordiv, picture.size, size))
    while factor > most > 0:
        factor //= 2
    few = _per_channel(_reduced(picture, factor), lambda each: each.resize(size, Image.Resampling.BOX))
    return few.convert("RGBA")

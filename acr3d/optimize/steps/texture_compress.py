"""One map: decode, shrink, store in another format, and look at the result before believing it."""

from __future__ import annotations

import hashlib
import io
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageStat

from acr3d.gltf import image_decode, image_header
from acr3d.gltf.image_header import ImageFacts

# Pictures are decoded side by side only when they fit in here together.
_DECODING_BYTES = 180 << 20
# How far, of 255, a map's coarse colours may move before we distrust the encoder.
_COARSE_DRIFT = 6.0
_COARSE_SIDE = 32
_ROWS_APART = 16
# A sample of a map: bands as high as WebP's blocks, twice.
_BANDS, _BAND_ROWS = 8, 32
# The red that equals the brightness 0.299 R + 0.587 G + 0.114 B, solved for R.
_BRIGHTNESS_OF_G_AND_B = (0.0, 0.587 / 0.701, 0.114 / 0.701, 0.0)


class Coding(StrEnum):
    """How maps are stored."""

    WEBP = "webp"  # lossy WebP
    LOSSLESS = "lossless"  # WebP with every pixel as it was
    CORE = "core"  # JPEG, or PNG where there is something to see through: what every glTF reader knows


@dataclass(frozen=True)
class MapPlan:
    """How one map is to be stored: longest side in pixels, quality 0–100 and WebP's method 0–6.

    `channels` are those that a shader reads (of R, G, B, A); the others are free, unless it is lossless.
    `is_fine` maps hold data, not colours: a JPEG of them keeps both colour differences in full.
    A result that `must_change` is taken even when it is larger. A map of which a sample comes out with less
    than `least_psnr` dB gets the `finer_quality`.
    """

    max_side: int
    quality: int
    method: int
    channels: frozenset[str]
    coding: Coding = Coding.WEBP
    is_fine: bool = False
    must_change: bool = False
    least_psnr: float = 0.0
    finer_quality: int = 0


class DecodingBudget:
    """Lets threads decode pictures only while those together stay within a number of bytes."""

    def __init__(self, total: int = _DECODING_BYTES) -> None:
        self._total, self._used = total, 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        """Hold `amount` bytes of the budget; what is larger than all of it waits to be alone."""
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._used + amount <= self._total)
            self._used += amount
        try:
            yield
        finally:
            with self._changed:
                self._used -= amount
                self._changed.notify_all()


@dataclass(frozen=True)
class Recoded:
    """A map in its new format, what it is, and how near it comes: PSNR in dB, None when nothing differs."""

    content: bytes
    facts: ImageFacts
    psnr: float | None


@dataclass(frozen=True)
class _Witness:
    """What is kept of the picture that went in, to look at the one that comes out."""

    coarse: Image.Image
    rows: Image.Image
    digest: bytes | None


def recode(content: bytes, facts: ImageFacts, plan: MapPlan, place: str) -> Recoded | None:
    """The map in its new format; None when the result is not worth taking.

    Raises BadModel when `content` cannot be decoded.
    """
    encoded, witness = _encode(content, facts, plan, place)
    new_facts = image_header.inspect(encoded, place)
    is_smaller_picture = (new_facts.width, new_facts.height) != (facts.width, facts.height)
    if len(encoded) >= len(content) and not (is_smaller_picture or plan.must_change):
        return None
    # Looked at once the source's pixels are freed: this is where memory peaks.
    found = image_decode.decode(encoded, new_facts, plan.max_side, place)
    if witness.digest is not None and witness.digest != _digest(found):
        return None
    if _drift(_coarse(found, witness.coarse.size), witness.coarse, plan.channels) > _COARSE_DRIFT:
        return None
    return Recoded(encoded, new_facts, _psnr(witness.rows, _rows(found), plan.channels))


def _encode(content: bytes, facts: ImageFacts, plan: MapPlan, place: str) -> tuple[bytes, _Witness]:
    """The map in its new format, and what went in."""
    picture = image_decode.decode(content, facts, plan.max_side, place)
    coarse = _coarse(picture, image_decode.fitted(facts, _COARSE_SIDE))
    digest = _digest(picture) if plan.coding is Coding.LOSSLESS else None
    if plan.coding is not Coding.LOSSLESS:
        picture = _shrunk(picture, image_decode.fitted(facts, plan.max_side))
        if picture.mode == "RGBA" and not ("A" in plan.channels and _is_translucent(picture)):
            picture = picture.convert("RGB")
    rows = _rows(picture)
    if plan.coding is not Coding.LOSSLESS:
        picture = _with_idle_channels_used(picture, plan.channels)
    if plan.least_psnr and _psnr_of_sample(picture, plan) < plan.least_psnr:
        plan = replace(plan, quality=plan.finer_quality)
    return _stored(picture, plan), _Witness(coarse, rows, digest)


def _psnr_of_sample(picture: Image.Image, plan: MapPlan) -> float:
    """How near some bands of the picture come out, in dB."""
    height = min(picture.height, _BANDS * _BAND_ROWS)
    sample = Image.new(picture.mode, (picture.width, height))
    for top in range(0, height, _BAND_ROWS):
        at = top * picture.height // height
        sample.paste(picture.crop((0, at, picture.width, at + _BAND_ROWS)), (0, top))
    with Image.open(io.BytesIO(_stored(sample, plan))) as found:
        psnr = _psnr(sample.convert("RGBA"), found.convert("RGBA"), plan.channels)
    return math.inf if psnr is None else psnr


def _stored(picture: Image.Image, plan: MapPlan) -> bytes:
    stored = io.BytesIO()
    picture.save(stored, **_saving(picture, plan))
    return stored.getvalue()


def _saving(picture: Image.Image, plan: MapPlan) -> dict[str, Any]:
    """Pillow's settings. The empty blocks keep it from copying the source's own: glTF has no use for them."""
    nothing_more = {"icc_profile": b"", "exif": b"", "xmp": b""}
    if plan.coding is Coding.LOSSLESS:
        return {"format": "WEBP", "lossless": True, "exact": True, "quality": 50, "method": 3} | nothing_more
    if plan.coding is Coding.WEBP:
        # Colours under alpha 0 are data in some maps, and seen in the smaller copies of all.
        return {
            "format": "WEBP",
            "quality": plan.quality,
            "method": plan.method,
            "exact": True,
        } | nothing_more
    if picture.mode == "RGBA":
        return {"format": "PNG", "icc_profile": None, "exif": b"", "compress_level": 9}
    subsampling = "4:4:4" if plan.is_fine else "4:2:0"
    jpeg = {"format": "JPEG", "quality": plan.quality, "subsampling": subsampling, "optimize": True}
    return jpeg | nothing_more


def _shrunk(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in a smaller size.

    Graphics cards make their own smaller copies of a map by averaging 2 × 2 pixels; where a whole factor
    leads to the size, doing just that gives the very copy that the card would have made of the source.
    """
    if picture.size == size:
        return picture
    factor = picture.width // size[0]
    if (size[0] * factor, size[1] * factor) == picture.size:
        return _unweighted(picture, lambda each: each.reduce(factor))
    return _unweighted(picture, lambda each: each.resize(size, Image.Resampling.LANCZOS))


def _unweighted(picture: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The changed picture; one with alpha is changed channel by channel.

    Pillow would weigh its colours by alpha, and lose those under alpha 0.
    """
    if picture.mode != "RGBA":
        return change(picture)
    return Image.merge("RGBA", [change(picture.getchannel(name)) for name in "RGBA"])


def _with_idle_channels_used(picture: Image.Image, channels: frozenset[str]) -> Image.Image:
    """Fill the channels that nobody reads so that the others cost less and suffer less.

    WebP keeps brightness in full and the two colour differences in quarter size. A map of one channel
    becomes grey; a metal and roughness map gets a red that makes one of the two differences zero.
    """
    if picture.mode != "RGB":
        return picture
    if len(channels) == 1:
        return picture.getchannel(next(iter(channels)))
    if channels == {"G", "B"}:
        red = picture.convert("L", _BRIGHTNESS_OF_G_AND_B)
        return Image.merge("RGB", (red, picture.getchannel("G"), picture.getchannel("B")))
    return picture


def _is_translucent(picture: Image.Image) -> bool:
    low, _ = picture.getchannel("A").getextrema()
    return bool(low != 255)


def _drift(picture: Image.Image, other: Image.Image, channels: frozenset[str]) -> float:
    """The largest mean difference of a channel that is read, of 255."""
    means = ImageStat.Stat(ImageChops.difference(picture, other)).mean
    return max(means["RGBA".index(channel)] for channel in channels)


def _rows(picture: Image.Image) -> Image.Image:
    """Some of the picture's rows, as they are."""
    size = picture.width, max(1, picture.height // _ROWS_APART)
    return picture.resize(size, Image.Resampling.NEAREST).convert("RGBA")


def _psnr(rows: Image.Image, others: Image.Image, channels: frozenset[str]) -> float | None:
    """Over the channels that are read; None when those rows are equal."""
    seen = ["RGBA".index(channel) for channel in sorted(channels)]
    before, after = (np.asarray(each, np.float32)[..., seen] for each in (rows, others))
    error = float(np.mean((before - after) ** 2))
    return round(10 * math.log10(255**2 / error), 1) if error else None


def _digest(picture: Image.Image) -> bytes:
    return hashlib.sha256(picture.convert("RGBA").tobytes()).digest()


def _coarse(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture's values in `size` fields, alpha beside the colours."""
    few = _unweighted(picture, lambda each: each.resize(size, Image.Resampling.BOX))
    return few.convert("RGBA")

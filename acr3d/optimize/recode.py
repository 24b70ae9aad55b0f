"""One map: decode, shrink, store as WebP, and look at the result before believing it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageStat

from . import images, pixels
from .images import ImageFacts

# Pictures are decoded side by side only when they fit in here together.
_DECODING_BYTES = 180 << 20
# How far, of 255, a map's coarse colours may move before we distrust the encoder.
_COARSE_DRIFT = 6.0
_COARSE_SIDE = 32
# The red that equals the brightness 0.299 R + 0.587 G + 0.114 B, solved for R.
_BRIGHTNESS_OF_G_AND_B = (0.0, 0.587 / 0.701, 0.114 / 0.701, 0.0)


@dataclass(frozen=True)
class MapPlan:
    """How one map is to be stored: longest side in pixels, WebP quality 0–100 and method 0–6.

    `channels` are those that a shader reads (of R, G, B, A); the others are free.
    """

    max_side: int
    quality: int
    method: int
    channels: frozenset[str]


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


def recode(content: bytes, facts: ImageFacts, plan: MapPlan, place: str) -> tuple[bytes, ImageFacts] | None:
    """The map as WebP and its new facts; None when the result is not worth taking.

    Raises BadModel when `content` cannot be decoded.
    """
    encoded, coarse = _encode(content, facts, plan, place)
    new_facts = images.inspect(encoded, place)
    is_smaller_picture = (new_facts.width, new_facts.height) != (facts.width, facts.height)
    if len(encoded) >= len(content) and not is_smaller_picture:
        return None
    # Looked at once the source's pixels are freed: this is where memory peaks.
    found = _coarse(pixels.decode(encoded, new_facts, plan.max_side, place))
    if found.size != coarse.size or _drift(found, coarse) > _COARSE_DRIFT:
        return None
    return encoded, new_facts


def _encode(content: bytes, facts: ImageFacts, plan: MapPlan, place: str) -> tuple[bytes, Image.Image]:
    """The map as WebP, and a coarse picture of what went in."""
    picture = pixels.decode(content, facts, plan.max_side, place)
    picture = _shrunk(picture, pixels.fitted(facts, plan.max_side))
    if picture.mode == "RGBA" and not ("A" in plan.channels and _is_translucent(picture)):
        picture = picture.convert("RGB")
    picture = _with_idle_channels_used(picture, plan.channels)
    stored = io.BytesIO()
    # The empty blocks keep Pillow from copying the source's own: glTF has no use for them.
    picture.save(stored, "WEBP", quality=plan.quality, method=plan.method, icc_profile=b"", exif=b"", xmp=b"")
    return stored.getvalue(), _coarse(picture)


def _shrunk(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture in a smaller size.

    Graphics cards make their own smaller copies of a map by averaging 2 × 2 pixels; where a whole factor
    leads to the size, doing just that gives the very copy that the card would have made of the source.
    """
    if picture.size == size:
        return picture
    factor = picture.width // size[0]
    if (size[0] * factor, size[1] * factor) == picture.size:
        return picture.reduce(factor)
    return picture.resize(size, Image.Resampling.LANCZOS)


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


def _drift(picture: Image.Image, other: Image.Image) -> float:
    """The largest mean difference of a channel, of 255."""
    return max(ImageStat.Stat(ImageChops.difference(picture, other)).mean)


def _coarse(picture: Image.Image) -> Image.Image:
    """The picture's colours in about 32 × 32 fields."""
    return picture.reduce(max(1, max(picture.size) // _COARSE_SIDE)).convert("RGB")

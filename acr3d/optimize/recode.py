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


@dataclass(frozen=True)
class MapPlan:
    """How one map is to be stored: longest side in pixels, WebP quality 0–100 and method 0–6."""

    max_side: int
    quality: int
    method: int
    keeps_alpha: bool


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
    size = pixels.fitted(facts, plan.max_side)
    picture = pixels.decode(content, facts, plan.max_side, place)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    if picture.mode == "RGBA" and not (plan.keeps_alpha and _is_translucent(picture)):
        picture = picture.convert("RGB")
    stored = io.BytesIO()
    # The empty blocks keep Pillow from copying the source's own: glTF has no use for them.
    picture.save(stored, "WEBP", quality=plan.quality, method=plan.method, icc_profile=b"", exif=b"", xmp=b"")
    encoded = stored.getvalue()
    is_smaller_picture = size != (facts.width, facts.height)
    if len(encoded) >= len(content) and not is_smaller_picture:
        return None
    new_facts = images.inspect(encoded, place)
    if _drifted(picture, encoded, new_facts, place):
        return None
    return encoded, new_facts


def _is_translucent(picture: Image.Image) -> bool:
    low, _ = picture.getchannel("A").getextrema()
    return bool(low != 255)


def _drifted(picture: Image.Image, encoded: bytes, facts: ImageFacts, place: str) -> bool:
    """Whether the decoded result shows other coarse colours than the picture that went in."""
    decoded = pixels.decode(encoded, facts, max(picture.size), place)
    if decoded.size != picture.size:
        return True
    small = [_coarse(each.convert("RGB")) for each in (picture, decoded)]
    drift = ImageStat.Stat(ImageChops.difference(*small)).mean
    return max(drift) > _COARSE_DRIFT


def _coarse(picture: Image.Image) -> Image.Image:
    factor = max(1, max(picture.size) // _COARSE_SIDE)
    return picture.reduce(factor)

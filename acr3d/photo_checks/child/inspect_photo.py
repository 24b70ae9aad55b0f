"""One photo by itself: is it sharp, large enough, whole, before a plain backdrop, and where is the part?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.carving.errors import CarvingError
from acr3d.carving.photo_input import Photo, open_photo
from acr3d.carving.silhouette import find_outline
from acr3d.photo_checks.child import frame_edges, sharpness
from acr3d.photo_checks.child.colours import Counts, counts_of
from acr3d.photo_checks.child.findings import Finding
from acr3d.photo_checks.child.silhouette_shape import Shape, shape_of
from acr3d.photo_checks.child.svg_outline import drawn

_SIDE = 512  # of the copy in which the outline is sought
_SMALLEST_PHOTO = 600  # pixels on the shorter side
_SMALLEST_PART = 320  # pixels on its longest side
_SPOILING = ("cropped", "backdrop_busy")  # then what was found is not the part's whole outline


@dataclass(frozen=True)
class Look:
    """What one photo shows. `shape` and `colours` only when the whole part was found."""

    findings: tuple[Finding, ...]
    size: tuple[int, int]
    path: str | None = None
    shape: Shape | None = None
    colours: Counts | None = None
    edge_width: float | None = None


def look_at(path: Path, place: int) -> Look:
    """Look at the photo that stands at `place` in the request."""
    try:
        pixels = open_photo(path, "").pixels
    except CarvingError:
        return Look((Finding("unreadable", (place,)),), (1, 1))
    small = _small(pixels)
    size = (small.shape[1], small.shape[0])
    width = sharpness.edge_width(pixels)
    found = [*_about_size(pixels, place), *_about_sharpness(width, place)]
    sides = frame_edges.frame(small)
    try:
        outline = find_outline(Photo("", small))
    except CarvingError as refusal:
        found.append(_without_outline(refusal.code, sides, place))
        return Look(tuple(found), size, edge_width=width)
    found += _about_backdrop(sides, place)
    if any(finding.code in _SPOILING for finding in found):
        return Look(tuple(found), size, edge_width=width)
    longest = max(np.ptp(outline.box[::2]), np.ptp(outline.box[1::2])) * max(pixels.shape) / max(size)
    if longest < _SMALLEST_PART and not found:
        found.append(Finding("part_small", (place,), {"pixels": round(float(longest))}))
    shape, colours = shape_of(outline.mask), counts_of(outline.picture, outline.mask)
    return Look(tuple(found), size, drawn(outline.mask), shape, colours, width)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _about_size(pixels: NDArray[np.uint8], place: int) -> list[Finding]:
    height, width = pixels.shape[:2]
    if min(width, height) >= _SMALLEST_PHOTO:
        return []
    return [Finding("small", (place,), {"width": width, "height": height})]


def _about_sharpness(width: float | None, place: int) -> list[Finding]:
    return [Finding("blurred", (place,))] if width is not None and width > sharpness.BLURRED else []


def _about_backdrop(
    sides: dict[str, tuple[frame_edges.Field, frame_edges.Field]], place: int
) -> list[Finding]:
    if frame_edges.is_busy(sides):
        return [Finding("backdrop_busy", (place,))]
    crossed = frame_edges.crossed(sides)
    if crossed:
        return [Finding("cropped", (place,), {"sides": crossed})]
    return [Finding("backdrop_uneven", (place,))] if frame_edges.is_uneven(sides) else []


def _without_outline(
    code: str, sides: dict[str, tuple[frame_edges.Field, frame_edges.Field]], place: int
) -> Finding:
    """Why no whole outline was found: what stands along the frame tells better than the engine's refusal."""
    seen = [finding for finding in _about_backdrop(sides, place) if finding.code != "backdrop_uneven"]
    if seen:
        return seen[0]
    return Finding("cropped", (place,), {"sides": []}) if code == "cropped" else Finding("no_part", (place,))

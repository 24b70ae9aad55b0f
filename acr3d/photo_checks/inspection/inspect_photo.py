"""Inspect one photo: is it sharp and large enough, is the part whole, and is the backdrop plain?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.carving.errors import CarvingError
from acr3d.carving.photo_input import LabelledPhoto, read_photo
from acr3d.carving.silhouette import extract_silhouette
from acr3d.photo_checks.inspection import frame_edges, sharpness
from acr3d.photo_checks.inspection.colours import ColourHistogram, colour_histogram
from acr3d.photo_checks.inspection.findings import PhotoFinding
from acr3d.photo_checks.inspection.normalized_silhouette import NormalizedSilhouette, normalize_silhouette
from acr3d.photo_checks.inspection.svg_outline import svg_path

_WORKING_SIDE = 512  # pixels, of the copy in which the silhouette is searched
_MIN_PHOTO_SIDE = 600  # pixels, shorter side
_MIN_PART_SIDE = 320  # pixels, longest side
_INCOMPLETE = ("cropped", "backdrop_busy")  # with these findings the silhouette is not the whole part's


@dataclass(frozen=True)
class PhotoInspection:
    """What one photo shows.

    `size`: (width, height) of the picture in which `outline_path` is drawn. The outline, `silhouette` and
    `colours` are None unless the whole part was found.
    """

    findings: tuple[PhotoFinding, ...]
    size: tuple[int, int]
    outline_path: str | None = None
    silhouette: NormalizedSilhouette | None = None
    colours: ColourHistogram | None = None
    edge_width: float | None = None


def inspect_photo(path: Path, index: int) -> PhotoInspection:
    """Inspect the photo at `index` in the request."""
    try:
        pixels = read_photo(path, "").pixels
    except CarvingError:
        return PhotoInspection((PhotoFinding("unreadable", (index,)),), (1, 1))
    small = _downscaled(pixels)
    size = (small.shape[1], small.shape[0])
    width = sharpness.edge_width(pixels)
    found = [*_size_findings(pixels, index), *_sharpness_findings(width, index)]
    sides = frame_edges.measure_frame(small)
    try:
        silhouette = extract_silhouette(LabelledPhoto("", small))
    except CarvingError as refusal:
        found.append(_missing_silhouette_finding(refusal.code, sides, index))
        return PhotoInspection(tuple(found), size, edge_width=width)
    found += _backdrop_findings(sides, index)
    if any(finding.code in _INCOMPLETE for finding in found):
        return PhotoInspection(tuple(found), size, edge_width=width)
    longest = max(np.ptp(silhouette.box[::2]), np.ptp(silhouette.box[1::2])) * max(pixels.shape) / max(size)
    if longest < _MIN_PART_SIDE and not found:
        found.append(PhotoFinding("part_small", (index,), {"pixels": round(float(longest))}))
    return PhotoInspection(
        tuple(found),
        size,
        outline_path=svg_path(silhouette.mask),
        silhouette=normalize_silhouette(silhouette.mask),
        colours=colour_histogram(silhouette.pixels, silhouette.mask),
        edge_width=width,
    )


def _downscaled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    image.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _size_findings(pixels: NDArray[np.uint8], index: int) -> list[PhotoFinding]:
    height, width = pixels.shape[:2]
    if min(width, height) >= _MIN_PHOTO_SIDE:
        return []
    return [PhotoFinding("small", (index,), {"width": width, "height": height})]


def _sharpness_findings(width: float | None, index: int) -> list[PhotoFinding]:
    if width is None or width <= sharpness.MAX_SHARP_EDGE_WIDTH:
        return []
    return [PhotoFinding("blurred", (index,))]


def _backdrop_findings(
    sides: dict[str, tuple[frame_edges.Field, frame_edges.Field]], index: int
) -> list[PhotoFinding]:
    if frame_edges.is_busy(sides):
        return [PhotoFinding("backdrop_busy", (index,))]
    crossed = frame_edges.crossed_sides(sides)
    if crossed:
        return [PhotoFinding("cropped", (index,), {"sides": crossed})]
    return [PhotoFinding("backdrop_uneven", (index,))] if frame_edges.is_uneven(sides) else []


def _missing_silhouette_finding(
    code: str, sides: dict[str, tuple[frame_edges.Field, frame_edges.Field]], index: int
) -> PhotoFinding:
    """Why no whole silhouette was found; the frame explains it better than the engine's refusal does."""
    seen = [finding for finding in _backdrop_findings(sides, index) if finding.code != "backdrop_uneven"]
    if seen:
        return seen[0]
    if code == "cropped":
        return PhotoFinding("cropped", (index,), {"sides": []})
    return PhotoFinding("no_part", (index,))

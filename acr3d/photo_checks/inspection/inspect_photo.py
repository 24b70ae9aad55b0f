"""Inspect one photo: is it sharp and large enough, is the part whole, and is the backdrop plain?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.carving.errors import CarvingError
from acr3d.carving.photo_input import read_photo
from acr3d.carving.silhouette import Silhouette, fitted
from acr3d.outlines.extraction.find_outline import Outline, find_outline
from acr3d.outlines.extraction.marks import Box
from acr3d.photo_checks.inspection import frame_edges, sharpness
from acr3d.photo_checks.inspection.coloured_square import ColouredSquare, coloured_square
from acr3d.photo_checks.inspection.colours import ColourHistogram, colour_histogram
from acr3d.photo_checks.inspection.findings import PhotoFinding
from acr3d.photo_checks.inspection.known_outline import KnownOutline
from acr3d.photo_checks.inspection.normalized_silhouette import NormalizedSilhouette, normalize_silhouette
from acr3d.photo_checks.inspection.svg_outline import svg_path

_WORKING_SIDE = 512  # pixels, of the copy in which the silhouette is searched
_MIN_PHOTO_SIDE = 600  # pixels, shorter side
_MIN_PART_SIDE = 320  # pixels, longest side
_FINDINGS = {"no_backdrop": "backdrop_busy"}  # the finding for an outline's refusal, if it has another name


@dataclass(frozen=True)
class PhotoInspection:
    """What one photo shows.

    `size`: (width, height) of the picture in which `outline_path` is drawn. The outline, `silhouette`,
    `colours` and `square` are None unless the whole part was found.
    """

    findings: tuple[PhotoFinding, ...]
    size: tuple[int, int]
    outline_path: str | None = None
    silhouette: NormalizedSilhouette | None = None
    colours: ColourHistogram | None = None
    square: ColouredSquare | None = None
    edge_width: float | None = None
    left_out: tuple[str, ...] = ()
    marks: tuple[Box, ...] = ()


def inspect_photo(path: Path, index: int, known: KnownOutline | None = None) -> PhotoInspection:
    """Inspect the photo at `index` in the request; without a `known` outline it is looked for by colour."""
    try:
        pixels = read_photo(path, "").pixels
    except CarvingError:
        return PhotoInspection((PhotoFinding("unreadable", (index,)),), (1, 1))
    small = _downscaled(pixels)
    size = (small.shape[1], small.shape[0])
    width = sharpness.edge_width(pixels)
    found = [*_size_findings(pixels, index), *_sharpness_findings(width, index)]
    known = known or KnownOutline(find_outline(small))
    outline = known.outline
    if known.by_colour:
        found += _backdrop_findings(small, outline, index)
    if outline.mask is None and not any(finding.code == "backdrop_busy" for finding in found):
        code = outline.refusal or "no_part"
        facts = {"sides": outline.sides} if code == "cropped" else {}
        found.append(PhotoFinding(_FINDINGS.get(code, code), (index,), facts))
    if outline.mask is None or any(finding.code == "backdrop_busy" for finding in found):
        return PhotoInspection(tuple(found), size, edge_width=width, marks=tuple(outline.marks))
    silhouette = Silhouette("", fitted(outline.mask, small), small)
    longest = max(np.ptp(silhouette.box[::2]), np.ptp(silhouette.box[1::2])) * max(pixels.shape) / max(size)
    if longest < _MIN_PART_SIDE and not found:
        found.append(PhotoFinding("part_small", (index,), {"pixels": round(float(longest))}))
    return PhotoInspection(
        tuple(found),
        size,
        outline_path=svg_path(silhouette.mask),
        silhouette=normalize_silhouette(silhouette.mask),
        colours=colour_histogram(silhouette.pixels, silhouette.mask),
        square=coloured_square(silhouette.pixels, silhouette.mask),
        edge_width=width,
        left_out=tuple(outline.left_out),
        marks=tuple(outline.marks),
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


def _backdrop_findings(small: NDArray[np.uint8], outline: Outline, index: int) -> list[PhotoFinding]:
    """What is wrong with the backdrop, where its colour alone tells the part from it."""
    sides = frame_edges.measure_frame(small)
    if frame_edges.is_busy(sides):
        return [PhotoFinding("backdrop_busy", (index,))]
    is_uneven = outline.mask is not None and frame_edges.is_uneven(sides)
    return [PhotoFinding("backdrop_uneven", (index,))] if is_uneven else []

"""Finding the part's outline in a photo on a plain backdrop.

The backdrop is what can be reached from the picture's border without crossing a sharp edge. Sharpness is the
difference between a lightly and a strongly smoothed picture, which a slow ramp (shading, a soft shadow)
leaves at zero while an edge, however weak, raises it. Between surely backdrop and surely part, a
watershed on the gradient puts the line where the edge is steepest. See docs/decisions/engine-outline.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.segmentation import watershed

from acr3d.carving.backdrop import Field, against_light, beside, border, coloured, shaded, smooth
from acr3d.carving.background_flood import (
    over_contact_shadow,
    reached_from_border,
    under_the_part,
    up_to_the_edge,
)
from acr3d.carving.errors import CarvingError
from acr3d.carving.holes import backdrop_alike, see_through
from acr3d.carving.morphology import Mask, grown
from acr3d.carving.photo_input import Photo

_WORKING_SIDE = 1024
_FINE, _COARSE = 0.8, 4.0  # smoothing radii in pixels, for the sharpness
_ROUGH = 0.1  # of its level: a backdrop with more noise is not plain
_BAND = 3  # how far from the backdrop, in pixels, its border may still lie


@dataclass(frozen=True)
class Outline:
    """`mask` is True on the part; `picture` is the photo in the mask's size, (height, width, 3)."""

    angle: str
    mask: Mask
    picture: NDArray[np.uint8]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the part in mask pixels, the last two exclusive."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def find_outline(photo: Photo) -> Outline:
    """The part's outline, holes included. Raises Refused where no part stands clear of a plain backdrop."""
    small = _working_copy(photo.pixels)
    picture = np.ascontiguousarray(np.moveaxis(small, -1, 0), np.float32)
    sharpness, gradient = _edges(picture)
    noise = float(np.median(border(sharpness)))
    colours = smooth(picture, 1.0)
    calm = (sharpness < max(1.2, 5 * noise)) & coloured(smooth(colours, 1.7), noise)
    outside = reached_from_border(calm)
    if outside.mean() < 0.02 or noise > _ROUGH * (border(colours).mean() + 10):
        raise CarvingError(_nothing_plain(photo.angle), "no_backdrop")
    outside = up_to_the_edge(colours, outside, noise)
    near = beside(colours, outside)
    dim = shaded(near, outside)
    outside = over_contact_shadow(dim, gradient, outside)
    outside = under_the_part(near.level, dim, gradient, outside)
    cores = backdrop_alike(*against_light(colours, outside), outside, noise)
    openings = see_through(colours, over_contact_shadow(dim, gradient, cores), outside, noise)
    mask = _cut(gradient, outside | openings)
    return Outline(photo.angle, _checked(mask, photo.angle), small)


def _working_copy(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = max(1.0, max(height, width) / _WORKING_SIDE)
    size = (round(width / scale), round(height / scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _edges(picture: Field) -> tuple[Field, Field]:
    """(sharpness, gradient), both in grey levels, the strongest colour channel counting."""
    fine = smooth(picture, _FINE)
    sharpness = np.abs(fine - smooth(picture, _COARSE)).max(0)
    gradient = np.zeros(fine.shape[1:], np.float32)
    gradient[1:-1] = np.abs(fine[:, 2:] - fine[:, :-2]).max(0)
    gradient[:, 1:-1] += np.abs(fine[..., 2:] - fine[..., :-2]).max(0)
    return sharpness, gradient


def _cut(gradient: Field, backdrop: Mask) -> Mask:
    """The line between backdrop and part: a watershed of the gradient in the band along the backdrop."""
    deep = ~grown(backdrop, _BAND)
    markers = np.where(backdrop, 1, np.where(deep, 2, 0)).astype(np.int32)
    band = grown(markers == 0, 2)
    labels = watershed(gradient, markers, mask=band)  # type: ignore[no-untyped-call]
    part: Mask = np.where(band, labels, markers) == 2
    return part


def _checked(mask: Mask, angle: str) -> Mask:
    """The mask without crumbs; refuses an empty one, and one that is cut off by the picture's border."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        raise CarvingError(_nothing_found(angle), "no_object")
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, count + 1))
    if sizes.max() < 0.002 * mask.size:
        raise CarvingError(_nothing_found(angle), "no_object")
    kept: Mask = np.isin(labels, 1 + np.flatnonzero(sizes > max(30, 0.002 * sizes.max())))
    touching = [side for side, edge in _sides(kept).items() if edge.mean() > 0.01]
    if touching:
        raise CarvingError(
            f"In the {angle} photo the part runs out of the picture ({', '.join(touching)}), so its "
            "outline is not whole. Take it again from farther away, with backdrop on all sides.",
            "cropped",
        )
    return kept


def _sides(mask: Mask) -> dict[str, Mask]:
    return {
        "at the top": mask[0],
        "at the bottom": mask[-1],
        "on the left": mask[:, 0],
        "on the right": mask[:, -1],
    }


def _nothing_found(angle: str) -> str:
    return (
        f"No part was found in the {angle} photo: nothing stands out from its backdrop. "
        "Take it again before a plain backdrop of another tone."
    )


def _nothing_plain(angle: str) -> str:
    return (
        f"No plain backdrop was found around the part in the {angle} photo. "
        "Take it again before a plain wall or sheet with some room on all sides."
    )

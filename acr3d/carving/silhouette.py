"""Extract the part's silhouette from a photo with a plain backdrop.

The background is everything that a flood from the photo's border reaches without crossing a sharp edge.
Sharpness is the difference between a lightly and a strongly blurred picture: a slow ramp (shading, a soft
shadow) leaves it at zero, any edge raises it. Between certain background and certain part, a watershed on the
gradient puts the contour where the edge is steepest. See docs/decisions/0003-engine-silhouette.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.segmentation import watershed

from acr3d.carving.backdrop import (
    ChannelImage,
    border_pixels,
    compare_with_full_light,
    compare_with_nearby,
    find_shadow,
    gaussian_blur,
    matches_backdrop_hue,
)
from acr3d.carving.background_flood import (
    flood_from_border,
    grow_over_cast_shadows,
    grow_over_contact_shadow,
    grow_to_edges,
)
from acr3d.carving.errors import CarvingError, side
from acr3d.carving.holes import find_hole_candidates, find_holes
from acr3d.carving.morphology import Mask, dilated
from acr3d.carving.photo_input import LabelledPhoto
from acr3d.messages.message import Message

_WORKING_SIDE = 1024
_FINE_BLUR, _COARSE_BLUR = 0.8, 4.0  # radii in pixels; their difference is the sharpness
_MAX_NOISE = 0.1  # relative to the backdrop's brightness; above it the backdrop is not plain
_EDGE_BAND = 3  # pixels beyond the flooded background in which the contour is searched


@dataclass(frozen=True)
class Silhouette:
    """`mask` is True on the part; `pixels` is the photo at the mask's size, (height, width, 3)."""

    angle: str
    mask: Mask
    pixels: NDArray[np.uint8]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the part in mask pixels; right and bottom are exclusive."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@dataclass(frozen=True)
class Separation:
    """What the backdrop's colour and the edges say about a photo, (height, width), before it is judged.

    `mask`: everything that is not backdrop. `openings`: holes in it. `gradient`: in grey levels.
    `backdrop_like`: pixels with the backdrop's hue, as bright as the backdrop or its shadows.
    """

    mask: Mask
    openings: Mask
    gradient: ChannelImage
    backdrop_like: Mask


def extract_silhouette(photo: LabelledPhoto) -> Silhouette:
    """Return the part's silhouette, holes included: the photo's own outline, or what stands out from a plain
    backdrop.

    Raises CarvingError if there is no plain backdrop, or no part that is completely in the picture.
    """
    small = downscaled(photo.pixels)
    mask = separate(small, photo.angle).mask if photo.outline is None else fitted(photo.outline, small)
    return Silhouette(photo.angle, _validated(mask, photo.angle), small)


def separate(small: NDArray[np.uint8], angle: str = "") -> Separation:
    """Separate what stands out in the photo, (height, width, 3), from a plain backdrop.

    Raises CarvingError if there is no plain backdrop; its sentence names the `angle`.
    """
    picture = np.ascontiguousarray(np.moveaxis(small, -1, 0), np.float32)
    sharpness, gradient = _sharpness_and_gradient(picture)
    noise = float(np.median(border_pixels(sharpness)))
    colours = gaussian_blur(picture, 1.0)
    alike = matches_backdrop_hue(gaussian_blur(colours, 1.7), noise)
    background = flood_from_border(alike & (sharpness < max(1.2, 5 * noise)))
    if background.mean() < 0.02 or noise > _MAX_NOISE * (border_pixels(colours).mean() + 10):
        raise CarvingError(Message("carving.no_backdrop", angle=side(angle)), "no_backdrop")
    background = grow_to_edges(colours, background, noise)
    near = compare_with_nearby(colours, background)
    dim = find_shadow(near, background)
    background = grow_over_contact_shadow(dim, gradient, background)
    background = grow_over_cast_shadows(near.level, dim, gradient, background)
    cores = find_hole_candidates(*compare_with_full_light(colours, background), background, noise)
    openings = find_holes(colours, grow_over_contact_shadow(dim, gradient, cores), background, noise)
    mask = watershed_mask(gradient, background | openings, ~dilated(background | openings, _EDGE_BAND))
    return Separation(mask, openings, gradient, alike)


def downscaled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The photo at the size in which silhouettes are found: at most 1024 × 1024."""
    height, width = pixels.shape[:2]
    scale = max(1.0, max(height, width) / _WORKING_SIDE)
    size = (round(width / scale), round(height / scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def fitted(mask: Mask, picture: NDArray[np.uint8]) -> Mask:
    """The mask at the picture's size."""
    size = picture.shape[1], picture.shape[0]
    grey = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    scaled: Mask = np.asarray(grey.resize(size, Image.Resampling.BILINEAR)) > 127
    return scaled


def _sharpness_and_gradient(picture: ChannelImage) -> tuple[ChannelImage, ChannelImage]:
    """(sharpness, gradient) in grey levels, of the colour channel where each is strongest."""
    fine = gaussian_blur(picture, _FINE_BLUR)
    sharpness = np.abs(fine - gaussian_blur(picture, _COARSE_BLUR)).max(0)
    gradient = np.zeros(fine.shape[1:], np.float32)
    gradient[1:-1] = np.abs(fine[:, 2:] - fine[:, :-2]).max(0)
    gradient[:, 1:-1] += np.abs(fine[..., 2:] - fine[..., :-2]).max(0)
    return sharpness, gradient


def watershed_mask(gradient: ChannelImage, backdrop: Mask, part: Mask) -> Mask:
    """The part, grown from `part` and `backdrop` up to where the gradient between them is steepest."""
    markers = np.where(backdrop, 1, np.where(part, 2, 0)).astype(np.int32)
    band = dilated(markers == 0, 2)
    labels = watershed(gradient, markers, mask=band)  # type: ignore[no-untyped-call]
    grown: Mask = np.where(band, labels, markers) == 2
    return grown


def _validated(mask: Mask, angle: str) -> Mask:
    """The mask without specks. Raises CarvingError if it is empty or the photo's border cuts it off."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        raise _no_object(angle)
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, count + 1))
    if sizes.max() < 0.002 * mask.size:
        raise _no_object(angle)
    kept: Mask = np.isin(labels, 1 + np.flatnonzero(sizes > max(30, 0.002 * sizes.max())))
    touching = [edge for edge, line in _border_lines(kept) if line.mean() > 0.01]
    if touching:
        raise CarvingError(
            Message("carving.cropped", angle=side(angle), edges=_enumerated(touching)), "cropped"
        )
    return kept


def _border_lines(mask: Mask) -> list[tuple[Message, Mask]]:
    """The picture's outermost lines, each with its name."""
    return [
        (Message("edge.top"), mask[0]),
        (Message("edge.bottom"), mask[-1]),
        (Message("edge.left"), mask[:, 0]),
        (Message("edge.right"), mask[:, -1]),
    ]


def _no_object(angle: str) -> CarvingError:
    return CarvingError(Message("carving.no_object", angle=side(angle)), "no_object")


def _enumerated(names: Sequence[Message]) -> Message:
    return reduce(lambda told, name: Message("enumeration", first=told, next=name), names)

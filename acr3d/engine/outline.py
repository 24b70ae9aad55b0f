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

from acr3d.engine.photos import Photo
from acr3d.engine.refusal import Refused

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]

_WORKING_SIDE = 1024
_FINE, _COARSE = 0.8, 4.0  # smoothing radii in pixels, for the sharpness
_GAP = 2  # an opening in an edge narrower than twice this lets no backdrop through
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
    picture = small.astype(np.float32)
    sharpness, gradient = _edges(picture)
    noise = _border_noise(sharpness)
    calm = _calm(picture, sharpness, noise)
    outside = _reached_from_border(calm)
    if outside.mean() < 0.02:
        raise Refused(
            f"No plain backdrop was found around the part in the {photo.angle} photo. "
            "Take it again before a plain wall or sheet with some room on all sides.",
            "no_backdrop",
        )
    outside = _up_to_the_edge(picture, outside, noise)
    openings = _see_through(picture, outside, noise)
    mask = _cut(gradient, outside, openings)
    return Outline(photo.angle, _checked(mask, photo.angle), small)


def _working_copy(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    scale = max(1.0, max(height, width) / _WORKING_SIDE)
    size = (round(width / scale), round(height / scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _smooth(picture: Field, radius: float) -> Field:
    smoothed: Field = ndimage.gaussian_filter(picture, (radius, radius, 0), mode="nearest")
    return smoothed


def _edges(picture: Field) -> tuple[Field, Field]:
    """(sharpness, gradient), both in grey levels, the strongest colour channel counting."""
    fine = _smooth(picture, _FINE)
    sharpness = np.abs(fine - _smooth(picture, _COARSE)).max(2)
    gradient = np.zeros(fine.shape[:2], np.float32)
    gradient[1:-1] = np.abs(fine[2:] - fine[:-2]).max(2)
    gradient[:, 1:-1] += np.abs(fine[:, 2:] - fine[:, :-2]).max(2)
    return sharpness, gradient


def _border(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values in a frame of 3 % along the picture's border, one row per pixel."""
    width = max(4, round(0.03 * min(field.shape[:2])))
    sides = (field[:width], field[-width:], field[:, :width], field[:, -width:])
    return np.concatenate([side.reshape(-1, *field.shape[2:]) for side in sides])


def _border_noise(sharpness: Field) -> float:
    return float(np.median(_border(sharpness)))


def _calm(picture: Field, sharpness: Field, noise: float) -> Mask:
    """Where the picture has no sharp edge and could be backdrop by its colour (also in a shadow)."""
    return (sharpness < max(1.2, 5 * noise)) & _backdrop_coloured(picture)


def _backdrop_coloured(picture: Field) -> Mask:
    """Where the hue is about the backdrop's, and the brightness between a deep shadow's and its own."""
    border = _border(picture)
    usual = np.median(border, axis=0) + 1
    ratio = (picture + 1) / usual
    spread = ratio.max(2) - ratio.min(2)
    level = ratio.mean(2)
    brightest = np.percentile(border.mean(1), 99) / usual.mean()
    coloured: Mask = (spread < 0.12) & (level > 0.25) & (level < 1.25 * brightest)
    return coloured


def _reached_from_border(calm: Mask) -> Mask:
    """The calm places joined to the border by a way wider than twice the gap."""
    padded = np.pad(calm, _GAP + 1, constant_values=True)
    wide = ndimage.binary_erosion(padded, iterations=_GAP, border_value=1)
    labels, _ = ndimage.label(wide)
    reached = labels == labels[0, 0]
    grown = ndimage.binary_dilation(reached, iterations=_GAP, mask=padded)
    inner = slice(_GAP + 1, -_GAP - 1)
    outside: Mask = grown[inner, inner]
    return outside


def _up_to_the_edge(picture: Field, outside: Mask, noise: float) -> Mask:
    """`outside` grown over the coarse smoothing's halo, as long as the colour stays the one beside it."""
    reach = round(3 * _COARSE)
    distance, nearest = ndimage.distance_transform_edt(~outside, return_indices=True)
    halo = np.flatnonzero((distance > 0) & (distance <= reach))
    beside = nearest.reshape(2, -1)[:, halo]
    colours = _smooth(picture, 1.0)
    change = np.abs(colours.reshape(-1, 3)[halo] - colours[beside[0], beside[1]]).max(1)
    alike = outside.copy()
    alike.reshape(-1)[halo[change < max(2.0, 8 * noise)]] = True
    grown: Mask = ndimage.binary_propagation(outside, mask=alike)
    return grown


def _backdrop_model(picture: Field, outside: Mask) -> Field:
    """The backdrop's colour everywhere, carried on smoothly behind the part."""
    step = 8
    small, known = picture[::step, ::step], outside[::step, ::step].astype(np.float32)
    total, weight = np.zeros_like(small), np.zeros_like(known)
    for radius, trust in ((4, 1.0), (12, 1e-2), (40, 1e-4)):
        total += trust * _smooth(small * known[..., None], radius)
        weight += trust * ndimage.gaussian_filter(known, radius, mode="nearest")
    model = total / np.maximum(weight, 1e-12)[..., None]
    zoom = (picture.shape[0] / model.shape[0], picture.shape[1] / model.shape[1], 1)
    enlarged: Field = ndimage.zoom(model, zoom, order=1, mode="nearest", grid_mode=True)
    return enlarged


def _see_through(picture: Field, outside: Mask, noise: float) -> Mask:
    """Enclosed places where the backdrop itself shows: its very colour, with a sharp rim all around.

    The rim tells a hole from white paint, whose shading passes through the backdrop's tone without a jump.
    """
    difference = np.abs(picture - _backdrop_model(picture, outside)).max(2)
    usual = float(np.median(difference[outside]))
    tolerance = max(1.5, 4 * noise, 3 * usual)
    same = (difference < tolerance) & ~ndimage.binary_dilation(outside, iterations=_BAND)
    cores, count = ndimage.label(ndimage.binary_opening(same))
    openings = np.zeros_like(outside)
    for number, place in enumerate(ndimage.find_objects(cores, count), 1):
        around = tuple(slice(max(0, side.start - 4), side.stop + 4) for side in place)
        core = cores[around] == number
        rim = ndimage.binary_dilation(core, iterations=4) & ~ndimage.binary_dilation(core, iterations=2)
        if np.mean(difference[around][rim] > 3 * tolerance) > 0.8:
            openings[around] |= core
    return openings


def _cut(gradient: Field, outside: Mask, openings: Mask) -> Mask:
    """The line between backdrop and part: a watershed of the gradient in the band along the backdrop."""
    backdrop = outside | openings
    deep = ~ndimage.binary_dilation(backdrop, iterations=_BAND)
    markers = np.where(backdrop, 1, np.where(deep, 2, 0)).astype(np.int32)
    band = ndimage.binary_dilation(markers == 0, iterations=2)
    labels = watershed(gradient, markers, mask=band)  # type: ignore[no-untyped-call]
    part: Mask = np.where(band, labels, markers) == 2
    return part


def _checked(mask: Mask, angle: str) -> Mask:
    """The mask without crumbs; refuses an empty one, and one that is cut off by the picture's border."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    if not count:
        raise Refused(_nothing_found(angle), "no_object")
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, count + 1))
    if sizes.max() < 0.002 * mask.size:
        raise Refused(_nothing_found(angle), "no_object")
    kept: Mask = np.isin(labels, 1 + np.flatnonzero(sizes > max(30, 0.002 * sizes.max())))
    touching = [side for side, edge in _sides(kept).items() if edge.mean() > 0.01]
    if touching:
        raise Refused(
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

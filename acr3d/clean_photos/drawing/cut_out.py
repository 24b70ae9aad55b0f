"""A photo's part on white: cut out with a soft rim that has none of the backdrop's colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from acr3d.carving.morphology import Mask, eroded
from acr3d.clean_photos.drawing.shadow import Alpha, shadow

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]

_RIM_BLUR = 1.6  # pixels of the mask, whose steps would show
_OUTSIDE, _INSIDE = 0.4, 0.8  # of the blurred mask: a little inside, where the backdrop shines through less
_RIM = 2  # pixels whose colour may be mixed with the backdrop's
_MOST_REACH = 6  # pixels from which a rim takes the part's colour


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the True pixels, the last two exclusive."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def drawn_on_white(photo: Pixels, mask: Mask, angle: str, factor: float, side: int) -> Image.Image:
    """The part in the middle of a square of `side` pixels, `factor` times as large as in the photo.

    `photo`: (height, width, 3); `mask`: of the same proportions.
    """
    finer = photo.shape[1] / mask.shape[1]  # photo pixels a mask pixel
    left, top, right, bottom = (edge * finer for edge in box_of(mask))
    width, height = max(1, round((right - left) * factor)), max(1, round((bottom - top) * factor))
    room = 3 + round(_RIM_BLUR * finer * factor)
    box = (left - room / factor, top - room / factor, right + room / factor, bottom + room / factor)
    size = (width + 2 * room, height + 2 * room)
    alpha = _alpha(mask, tuple(edge / finer for edge in box), size)
    colours = _without_backdrop(_cropped(photo, box, size), alpha)
    corner = ((side - size[0]) // 2, (side - size[1]) // 2)
    return _on_white(colours, alpha, angle, corner, side)


def _alpha(mask: Mask, box: tuple[float, ...], size: tuple[int, int]) -> Alpha:
    grey = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    soft = grey.filter(ImageFilter.GaussianBlur(_RIM_BLUR))
    values = np.asarray(_extent(soft, box, size), np.float32) / np.float32(255)
    alpha: Alpha = np.clip((values - _OUTSIDE) / np.float32(_INSIDE - _OUTSIDE), 0, 1)
    return alpha


def _cropped(photo: Pixels, box: Box, size: tuple[int, int]) -> Pixels:
    return np.asarray(_extent(Image.fromarray(photo), box, size))


def _extent(picture: Image.Image, box: tuple[float, ...], size: tuple[int, int]) -> Image.Image:
    """The box of the picture at this size; its edge is repeated beyond it."""
    left, top, right, bottom = box
    clipped = (max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height))
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    start = round((clipped[0] - left) * across), round((clipped[1] - top) * down)
    end = round((clipped[2] - left) * across), round((clipped[3] - top) * down)
    inner = picture.resize(
        (end[0] - start[0], end[1] - start[1]), Image.Resampling.LANCZOS, box=clipped, reducing_gap=3.0
    )
    if inner.size == size:
        return inner
    pad = [(start[1], size[1] - end[1]), (start[0], size[0] - end[0]), (0, 0)]
    pixels = np.asarray(inner)
    return Image.fromarray(np.pad(pixels, pad[: pixels.ndim], mode="edge"))


def _without_backdrop(colours: Pixels, alpha: Alpha) -> Pixels:
    """The rim in the colour of the part beside it."""
    inside = eroded(alpha > 0.99, _RIM)
    if not inside.any():
        return colours
    distance, (rows, columns) = ndimage.distance_transform_edt(~inside, return_indices=True)
    is_rim = ~inside & (alpha > 0) & (distance <= _MOST_REACH)
    cleaned = colours.copy()
    cleaned[is_rim] = colours[rows[is_rim], columns[is_rim]]
    return cleaned


def _on_white(colours: Pixels, alpha: Alpha, angle: str, corner: tuple[int, int], side: int) -> Image.Image:
    across, down = slice(corner[0], corner[0] + alpha.shape[1]), slice(corner[1], corner[1] + alpha.shape[0])
    cover = np.zeros((side, side), np.float32)
    cover[down, across] = alpha
    ground = 255 * (1 - shadow(cover, angle))
    picture = np.repeat(np.round(ground).astype(np.uint8)[..., None], 3, axis=2)
    kept = alpha[..., None]
    mixed = colours * kept + picture[down, across] * (1 - kept)
    picture[down, across] = np.round(mixed).astype(np.uint8)
    return Image.fromarray(picture)

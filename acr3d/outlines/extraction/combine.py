"""Put what the backdrop's colour says and what the network says together.

On a plain backdrop the colour finds the rim to the pixel, and holes; but it takes hard shadows, hands and
other objects for the part, and paint in the backdrop's tone for a hole. The network knows what is an object,
but closes small holes. So each decides where it is sure. docs/decisions/0036-cutout.md has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.morphology import Mask, dilated
from acr3d.carving.silhouette import Separation
from acr3d.outlines.extraction.pieces import without_leaving_strips

Alpha = NDArray[np.float32]

PART = 0.5  # the alpha from which a pixel counts as the part
_SURELY_NOT, _SURELY = 0.1, 0.95
_MIN_AGREEMENT = 0.85  # IoU of the two; below, colour has mistaken something large
_MIN_FOUND = 0.002  # of the picture
_SPOTLESS = 0.75  # standard deviation in grey levels: a backdrop made white for a catalogue
_SAME_TONE = 1.5  # grey levels: what is seen through a hole, compared with such a backdrop


@dataclass(frozen=True)
class Combined:
    """`mask`: what stands out as the part. `doubt`: how unsure the network is where it alone has decided."""

    mask: Mask
    doubt: float = 0.0


def combine(pixels: NDArray[np.uint8], separation: Separation | None, alpha: Alpha | None) -> Combined:
    """The part in the photo (height, width, 3).

    `separation` is None without a plain backdrop, `alpha` without a network; at least one is there.
    """
    if alpha is None or (separation is not None and (alpha > PART).mean() < _MIN_FOUND):
        assert separation is not None  # noqa: S101 - for the type checker
        return Combined(separation.mask)
    learned: Mask = alpha > PART
    if separation is None or _agreement(separation.mask, learned) < _MIN_AGREEMENT:
        return Combined(without_leaving_strips(learned), _doubt(alpha))
    mask = (separation.mask | (alpha >= _SURELY)) & (alpha > _SURELY_NOT)
    mask &= ~_sure_holes(pixels, separation, alpha) & ~_leaving(mask & ~learned)
    return Combined(without_leaving_strips(mask))


def _leaving(doubtful: Mask) -> Mask:
    """The pieces that touch the picture's border: edges of tables and walls, which the network doubts."""
    labels, _ = ndimage.label(doubtful)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.isin(labels, border[border > 0])


def _doubt(alpha: Alpha) -> float:
    """The pixels that may or may not be the part, over those that are."""
    unsure = (alpha > _SURELY_NOT) & (alpha < 1 - _SURELY_NOT)
    return float(unsure.sum() / max((alpha > PART).sum(), 1))


def _agreement(one: Mask, other: Mask) -> float:
    """The IoU of the two, holes filled: who is right about holes is decided one by one."""
    first, second = ndimage.binary_fill_holes(one), ndimage.binary_fill_holes(other)
    return float((first & second).sum() / max((first | second).sum(), 1))


def _sure_holes(pixels: NDArray[np.uint8], separation: Separation, alpha: Alpha) -> Mask:
    """The holes that the colour found and the network does not deny, or that show a spotless backdrop."""
    enclosed = ndimage.binary_fill_holes(separation.mask) & ~separation.mask
    labels, count = ndimage.label(enclosed)
    if not count:
        return np.zeros_like(separation.mask)
    numbers = np.arange(1, count + 1)
    is_sure = ndimage.mean(alpha, labels, numbers) < _SURELY
    outside = ~dilated(ndimage.binary_fill_holes(separation.mask), 8)
    if outside.any() and pixels[outside].std(0).max() < _SPOTLESS:
        usual = np.median(pixels[outside], 0)
        means = [ndimage.mean(pixels[..., channel], labels, numbers) for channel in range(3)]
        is_sure |= np.abs(np.array(means) - usual[:, None]).max(0) < _SAME_TONE
    return np.isin(labels, numbers[is_sure])

"""Find holes: enclosed areas where the backdrop shows through the part.

A hole has the backdrop's hue and brightness and a sharp rim all around. The rim distinguishes it from pale
paint, whose shading passes through the backdrop's tone without a step. A label can have both, but it has
print on it, and nothing can float in a hole.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from acr3d.carving.backdrop import BackdropMatch, ChannelImage
from acr3d.carving.morphology import Mask, dilated, opened

_COMPRESSION_RINGING = 1.0  # grey levels that JPEG compression leaves beside an edge
_MAX_DEVIATION = 0.4  # standard deviation over the tolerance; uniformly spread tones would have 0.58
_MIN_CORE_PIXELS = 12
_RIM_WIDTH = 6  # pixels beyond its core within which a hole's edge must end
_MIN_SHARP_RIM = 0.85  # share of the rim
_MIN_LETTER_PIXELS = 6
_MIN_LETTERS = 3  # fewer may be grains of noise in a hole


def find_hole_candidates(like: BackdropMatch, misfit: float, background: Mask, noise: float) -> Mask:
    """Enclosed areas with the fully lit backdrop's hue and brightness, not adjacent to the background.

    Each must have a uniform tone: shading that passes through the backdrop's tone spreads evenly over the
    tolerance.
    """
    grain = 2 * (noise + _COMPRESSION_RINGING) / like.darkest_channel
    alike = (np.abs(like.level - 1) < misfit + grain) & (like.hue_spread < 0.03 + 2 * grain)
    labels, count = ndimage.label(opened(alike & ~dilated(background, 3)))
    numbers = np.arange(1, count + 1)
    even = ndimage.standard_deviation(like.level, labels, numbers) < _MAX_DEVIATION * (misfit + grain)
    cores: Mask = np.isin(labels, numbers[even])
    return cores


def find_holes(colours: ChannelImage, cores: Mask, background: Mask, noise: float) -> Mask:
    """The candidates' cores that are holes; their exact edges are found later."""
    labels, count = ndimage.label(cores)
    openings = np.zeros_like(background)
    for number, place in enumerate(ndimage.find_objects(labels, count), 1):
        around = tuple(slice(max(0, side.start - _RIM_WIDTH), side.stop + _RIM_WIDTH) for side in place)
        core = labels[around] == number
        if core.sum() < _MIN_CORE_PIXELS or _contains_print(core):
            continue
        if _has_sharp_rim(colours[:, *around], core, background[around], noise):
            openings[around] |= core
    return openings


def _contains_print(core: Mask) -> bool:
    labels, count = ndimage.label(ndimage.binary_fill_holes(core) & ~core)
    return (
        int((np.bincount(labels.ravel(), minlength=count + 1)[1:] >= _MIN_LETTER_PIXELS).sum())
        >= _MIN_LETTERS
    )


def _has_sharp_rim(colours: ChannelImage, core: Mask, background: Mask, noise: float) -> bool:
    """Whether, a few pixels out on all sides, the colour has left the core's and the pixel is on the part."""
    whole = ndimage.binary_fill_holes(core)
    distance, nearest = ndimage.distance_transform_edt(~whole, return_indices=True)
    change = np.abs(colours - colours[:, nearest[0], nearest[1]]).max(0)
    rim = (distance > _RIM_WIDTH - 3) & (distance <= _RIM_WIDTH)
    return bool(np.mean((change > max(6.0, 12 * noise))[rim] & ~background[rim]) > _MIN_SHARP_RIM)

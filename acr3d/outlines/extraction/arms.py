"""Find an arm that holds the part: skin that comes in over the picture's border."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from acr3d.carving.morphology import Mask, dilated, opened

_BRACELET = 0.03  # of the picture's longer side: half the gap that a bracelet leaves in skin
_THICKNESS = 0.008  # likewise half an arm's; thinner things are wires
_MAX_SHARE = 0.65  # of what stands out; more is a part that has this colour


def holding_arm(mask: Mask, skin: Mask) -> Mask:
    """The arm in `mask`, what stands out; empty if there is none. `skin` has the colour of skin."""
    side = max(mask.shape)
    thin = round(_THICKNESS * side)
    beyond = np.pad(mask & skin, thin, mode="edge")  # an arm goes on where the picture ends
    flesh = opened(beyond, thin)[thin:-thin, thin:-thin]
    labels, _ = ndimage.label(dilated(flesh, round(_BRACELET * side)))
    border = np.ones_like(mask)
    border[1:-1, 1:-1] = False
    arm: Mask = flesh & np.isin(labels, np.unique(labels[border & flesh]))
    return arm if arm.sum() <= _MAX_SHARE * mask.sum() else np.zeros_like(mask)

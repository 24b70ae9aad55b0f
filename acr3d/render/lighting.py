"""One plain light for every part: a bright sky, a paler floor, a soft lamp above the beholder's left.

Meant to come near to <model-viewer>'s neutral surroundings. Metal mirrors them in its own colour: it has no
light of its own scattered back, but here it never goes black, for there is always sky or floor to mirror.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

_SKY, _FLOOR = 1.0, 0.45  # the light from straight above and below
_LAMP = np.array([-0.35, 0.8, 0.49], np.float32)
_LAMP_LIGHT = 0.5
_GLOSS, _GLOSS_LIGHT = 24.0, 0.12


def lit(base: Colours, normals: Colours, towards: Colours, metallic: float) -> Colours:
    """The light that surfaces of a `base` colour send `towards` the camera; all unit vectors (k, 3)."""
    mirrored = 2 * (normals * towards).sum(1, keepdims=True) * normals - towards
    scattered = _surroundings(normals[:, 1:2]) + _LAMP_LIGHT * (normals @ _LAMP).clip(0)[:, None]
    gloss = _GLOSS_LIGHT * (mirrored @ _LAMP).clip(0)[:, None] ** _GLOSS
    reflected = _surroundings(mirrored[:, 1:2]) + 4 * gloss
    light: Colours = (
        base * ((1 - metallic) * scattered + metallic * reflected) + (1 - metallic) * gloss
    ).astype(np.float32, copy=False)
    return light


def _surroundings(upward: Colours) -> Colours:
    """The mean light from the half of the world that a direction with this upward part faces."""
    light: Colours = (_FLOOR + (_SKY - _FLOOR) * (upward + 1) / 2).astype(np.float32, copy=False)
    return light

"""One simple light for every part: a bright sky, a darker floor, and a soft lamp at the viewer's upper left.

It approximates <model-viewer>'s neutral environment. Metal has no diffuse reflection; it reflects the
environment in its own colour, and is never black because there is always sky or floor to reflect.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

_SKY, _FLOOR = 1.0, 0.45  # light from straight above and below
_LAMP = np.array([-0.35, 0.8, 0.49], np.float32)
_LAMP_LIGHT = 0.5
_GLOSS, _GLOSS_LIGHT = 24.0, 0.12


def shade(base: Colours, normals: Colours, towards: Colours, metallic: float) -> Colours:
    """The light (k, 3) that surfaces of colour `base` reflect `towards` the camera; all vectors are unit."""
    reflection = 2 * (normals * towards).sum(1, keepdims=True) * normals - towards
    diffuse = _environment(normals[:, 1:2]) + _LAMP_LIGHT * (normals @ _LAMP).clip(0)[:, None]
    gloss = _GLOSS_LIGHT * (reflection @ _LAMP).clip(0)[:, None] ** _GLOSS
    specular = _environment(reflection[:, 1:2]) + 4 * gloss
    light: Colours = (
        base * ((1 - metallic) * diffuse + metallic * specular) + (1 - metallic) * gloss
    ).astype(np.float32, copy=False)
    return light


def _environment(upward: Colours) -> Colours:
    """The mean light of the hemisphere around a direction with this upward component."""
    light: Colours = (_FLOOR + (_SKY - _FLOOR) * (upward + 1) / 2).astype(np.float32, copy=False)
    return light

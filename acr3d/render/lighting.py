"""The light of <model-viewer>'s neutral environment, and its way to the screen.

The environment is a fit of spherical harmonics (Ramamoorthi and Hanrahan, 2001), of the third order only the
vertical one, to spheres that <model-viewer> 4.4 drew: grey and black ones for matt surfaces, a metal one of
medium roughness. For matt surfaces the fit is within 0.03 (RMS) of a light of 0.9; sharp highlights on metal
are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

# Factors of 1, x, y, z, xy, yz, zx, x² − z², 3y² − 1 and 5y³ − 3y.
_DIFFUSE = np.array([0.907, -0.026, 0.494, -0.033, -0.080, -0.076, -0.200, 0.003, -0.065, -0.077], np.float32)
_METAL = np.array([0.906, -0.045, 0.708, -0.056, -0.237, -0.223, -0.543, 0.020, -0.181, 0.0], np.float32)
_GLOSS = np.array([0.024, -0.001, 0.016, -0.001, -0.003, -0.003, -0.008, 0.000, -0.003, -0.004], np.float32)
_RIM = 0.118  # how much more surfaces reflect that are seen from the side
_DARKEST = 0.2  # metal reflects a room, so it is never black

_EXPOSURE = 1.3  # <model-viewer>'s for its neutral environment
# The "Khronos PBR Neutral" tone mapping: what a glossy surface reflects at least, where bright light is
# compressed from, and how fast it whitens.
_BASE_REFLECTION, _SHOULDER, _WHITENING = 0.04, 0.76, 0.15


def shade(base: Colours, normals: Colours, towards: Colours, metallic: float) -> Colours:
    """What the screen shows (k, 3; linear, from 0 to 1) of surfaces of colour `base`; all vectors are unit.

    `towards` are the directions to the camera. Unlit surfaces keep their colours, as in <model-viewer>.
    """
    facing = (normals * towards).sum(1, keepdims=True)
    reflection = 2 * facing * normals - towards
    gloss = _harmonics(reflection, _GLOSS) + _RIM * (1 - facing.clip(0, 1)) ** 5
    matt = base * _harmonics(normals, _DIFFUSE) + gloss
    metal = base * _harmonics(reflection, _METAL).clip(_DARKEST)
    shown: Colours = _tone_map((1 - metallic) * matt + metallic * metal).astype(np.float32, copy=False)
    return shown


def _tone_map(light: Colours) -> Colours:
    """Linear light as <model-viewer> shows it, by Khronos's “PBR Neutral” (repository ToneMapping)."""
    seen = light.clip(0) * _EXPOSURE
    least = seen.min(-1, keepdims=True)
    seen = seen - np.where(least < 2 * _BASE_REFLECTION, least - 6.25 * least**2, _BASE_REFLECTION)
    peak = seen.max(-1, keepdims=True)
    room = 1 - _SHOULDER
    compressed = 1 - room**2 / (peak.clip(_SHOULDER) + room - _SHOULDER)
    whitened = 1 - 1 / (_WHITENING * (peak - compressed).clip(0) + 1)
    bright = seen * compressed / peak.clip(_SHOULDER) * (1 - whitened) + compressed * whitened
    mapped: Colours = np.where(peak < _SHOULDER, seen, bright)
    return mapped


def _harmonics(direction: Colours, factors: Colours) -> Colours:
    x, y, z = direction.T
    terms = np.stack(
        [np.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - z * z, 3 * y * y - 1, 5 * y**3 - 3 * y], 1
    )
    light: Colours = (terms @ factors)[:, None]
    return light

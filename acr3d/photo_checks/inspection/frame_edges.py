"""Check the four edges of a photo, where only plain backdrop should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]

_FRAME_WIDTH = 0.03  # of the shorter side
_FINE_BLUR, _COARSE_BLUR = 0.8, 4.0  # radii in pixels; their difference, the sharpness, ignores slow shading
_MAX_MEDIAN_SHARPNESS = 3.0  # along the frame; above, there is a pattern everywhere
_MAX_TONE_DEVIATION = 45.0  # mean distance from the median tone, in grey levels


def is_busy(sides: dict[str, tuple[Field, Field]]) -> bool:
    """Whether a pattern or other objects fill the frame."""
    return bool(
        np.median(np.concatenate([sharp.ravel() for sharp, _tone in sides.values()])) > _MAX_MEDIAN_SHARPNESS
    )


def is_uneven(sides: dict[str, tuple[Field, Field]]) -> bool:
    """Whether the backdrop is much brighter in some places than in others."""
    tones = np.concatenate([tone.ravel() for _sharp, tone in sides.values()])
    return bool(np.abs(tones - np.median(tones)).mean() > _MAX_TONE_DEVIATION)


def measure_frame(picture: NDArray[np.uint8]) -> dict[str, tuple[Field, Field]]:
    """Per side of the picture, the sharpness and the grey tone along it."""
    colours = picture.astype(np.float32)
    fine, coarse = (
        ndimage.gaussian_filter(colours, (radius, radius, 0), mode="nearest")
        for radius in (_FINE_BLUR, _COARSE_BLUR)
    )
    sharp, tone = np.abs(fine - coarse).max(2), fine.mean(2)
    width = max(4, round(_FRAME_WIDTH * min(tone.shape)))
    strips = {
        "top": np.s_[:width],
        "bottom": np.s_[-width:],
        "left": np.s_[:, :width],
        "right": np.s_[:, -width:],
    }
    return {name: (sharp[strip], tone[strip]) for name, strip in strips.items()}

"""What stands along the four edges of a photo: plain backdrop, as it should, or something else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float32]

_FRAME = 0.03  # of the shorter side
_FINE, _COARSE = 0.8, 4.0  # smoothing radii; their difference is zero on slow shading, whatever its tone
_EDGE = 6.0  # grey levels of that difference that only a sharp edge has
_BUSY = 3.0  # likewise, as the median along the frame: a pattern everywhere
_CROSSED = 0.01  # of one side's frame
_UNEVEN = 45.0  # grey levels, mean distance from the usual tone


def is_busy(sides: dict[str, tuple[Field, Field]]) -> bool:
    """Whether there is a pattern, or other things, all along the frame."""
    return bool(np.median(np.concatenate([sharp.ravel() for sharp, _tone in sides.values()])) > _BUSY)


def is_uneven(sides: dict[str, tuple[Field, Field]]) -> bool:
    """Whether the backdrop is far brighter in one place than in another."""
    tones = np.concatenate([tone.ravel() for _sharp, tone in sides.values()])
    return bool(np.abs(tones - np.median(tones)).mean() > _UNEVEN)


def crossed(sides: dict[str, tuple[Field, Field]]) -> list[str]:
    """The sides at which something with a sharp edge runs out of the picture."""
    return [name for name, (sharp, _tone) in sides.items() if np.mean(sharp > _EDGE) > _CROSSED]


def frame(picture: NDArray[np.uint8]) -> dict[str, tuple[Field, Field]]:
    """For each side of the picture: the sharpness and the grey tone along it."""
    colours = picture.astype(np.float32)
    fine, coarse = (
        ndimage.gaussian_filter(colours, (radius, radius, 0), mode="nearest") for radius in (_FINE, _COARSE)
    )
    sharp, tone = np.abs(fine - coarse).max(2), fine.mean(2)
    width = max(4, round(_FRAME * min(tone.shape)))
    strips = {
        "top": np.s_[:width],
        "bottom": np.s_[-width:],
        "left": np.s_[:, :width],
        "right": np.s_[:, -width:],
    }
    return {name: (sharp[strip], tone[strip]) for name, strip in strips.items()}

"""Measure how blurred a photo is, from the steepness of its clearest edges.

The width of an edge is the step across it divided by its slope (Marziliano et al. 2002, "A no-reference
perceptual blur metric"). A sharp photo has sharp edges somewhere, on the part's contour or its features,
however smooth the part is. A blurred photo has none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

MAX_SHARP_EDGE_WIDTH = 3.4
"""In pixels of a copy 1024 wide. Sharp photos stay below 3; a blur of 0.15 % of the width gives 3.7 to 5."""

_WORKING_SIDE = 1024
_STEP_WINDOW = 9  # pixels in which the step across an edge is measured; more would include other edges
_MIN_STEP = 20  # grey levels
_MIN_EDGES = 30  # with fewer edges of a direction it is not measured
_CLEAREST_SHARE = 0.2  # of the edges of one direction


def edge_width(pixels: NDArray[np.uint8]) -> float | None:
    """The width of the clearest edges in pixels, or None if there are too few.

    The wider of vertical and horizontal edges counts, because camera shake blurs only one direction.
    """
    grey = _grey(pixels)
    down, across = (ndimage.sobel(grey, axis) / 8 for axis in (0, 1))
    slope = np.hypot(down, across)
    step = ndimage.maximum_filter(grey, _STEP_WINDOW) - ndimage.minimum_filter(grey, _STEP_WINDOW)
    clear = step > max(_MIN_STEP, 0.3 * float(np.quantile(step, 0.995)))
    crest = (slope == ndimage.maximum_filter(slope, 9)) & clear
    widths = [
        np.quantile((step / np.maximum(slope, 1e-3))[chosen], _CLEAREST_SHARE)
        for chosen in (crest & (np.abs(across) > np.abs(down)), crest & (np.abs(across) <= np.abs(down)))
        if np.count_nonzero(chosen) >= _MIN_EDGES
    ]
    return float(max(widths)) if widths else None


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    image = Image.fromarray(pixels).convert("L")
    image.thumbnail((_WORKING_SIDE, _WORKING_SIDE), Image.Resampling.BOX)
    smoothed: NDArray[np.float32] = ndimage.gaussian_filter(np.asarray(image, np.float32), 0.7)
    return smoothed

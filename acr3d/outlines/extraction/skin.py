"""Which pixels have the colour of human skin, of any tone: it differs in brightness, hardly in hue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.carving.morphology import Mask

_CB, _CR = (77, 127), (133, 173)  # Chai and Ngan, "Face segmentation using skin-color map", 1999


def skin_coloured(pixels: NDArray[np.uint8]) -> Mask:
    """A mask of the picture, (height, width, 3)."""
    colours = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
    return _within(colours[..., 1], _CB) & _within(colours[..., 2], _CR)


def _within(values: NDArray[np.uint8], limits: tuple[int, int]) -> Mask:
    return (values >= limits[0]) & (values <= limits[1])

"""The part's colour histogram in a photo, and how much of it is missing from the other photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from acr3d.carving.morphology import eroded

ColourHistogram = NDArray[np.float64]

_BINS = (8, 48, 48)  # Y, Cb, Cr
_MIN_FAMILIAR = 0.003  # share of the part's pixels in the other photos, in a colour's neighbouring bins


def colour_histogram(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> ColourHistogram:
    """The share of the part's pixels in each YCbCr bin."""
    inner = eroded(mask, 3)
    colours = np.asarray(Image.fromarray(picture).convert("YCbCr"))[inner if inner.any() else mask]
    places = colours.astype(np.int32) * np.array(_BINS) // 256
    counts = np.zeros(_BINS)
    np.add.at(counts, tuple(places.T), 1 / len(colours))
    return counts


def unfamiliar_share(counts: ColourHistogram, others: Sequence[ColourHistogram]) -> float:
    """The share of the part's pixels whose colour hardly occurs in the other photos."""
    pooled = ndimage.gaussian_filter(np.mean(others, axis=0), (1.5, 0.8, 0.8))
    return float(counts[ndimage.maximum_filter(pooled, 3) < _MIN_FAMILIAR].sum())

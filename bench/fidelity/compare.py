"""Two renderings of one view, compared inside the source's outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Picture = NDArray[np.uint8]
_SIGMA = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Likeness:
    """SSIM of the luma (1 is equal) and mean difference of a colour channel, of 255."""

    ssim: float
    colour: float


def compare(source: Picture, result: Picture) -> Likeness:
    """Compare two RGBA pictures over the pixels that the source covers.

    SSIM after Wang, Bovik, Sheikh and Simoncelli, 2004, with a Gaussian window of sigma 1.5.
    """
    inside = source[..., 3] > 127
    first, second = (each[..., :3].astype(np.float32) for each in (source, result))
    ssim = _ssim(first @ _LUMA, second @ _LUMA)
    return Likeness(float(ssim[inside].mean()), float(np.abs(first - second)[inside].mean()))


def _ssim(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    def blur(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return gaussian_filter(values, _SIGMA, truncate=3.5)

    mean_1, mean_2 = blur(first), blur(second)
    variance_1 = blur(first * first) - mean_1**2
    variance_2 = blur(second * second) - mean_2**2
    covariance = blur(first * second) - mean_1 * mean_2
    above = (2 * mean_1 * mean_2 + _C1) * (2 * covariance + _C2)
    below = (mean_1**2 + mean_2**2 + _C1) * (variance_1 + variance_2 + _C2)
    quotient: NDArray[np.float32] = above / below
    return quotient

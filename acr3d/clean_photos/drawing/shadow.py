"""The soft shadow under a part on white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Alpha = NDArray[np.float32]

LYING = ("top", "bottom")
"""Angles from which the ground is seen behind the part, not below it."""
# Opacity, blur along the ground and across it, and how fast it fades as the part rises from the ground; all
# lengths as shares of the picture's side.
_CONTACT = (0.42, 0.008, 0.006, 0.012)
_AROUND = (0.24, 0.03, 0.016, 0.12)
_UNDER = (0.30, 0.014, 0.008)  # opacity, blur, offset downwards


def shadow(alpha: Alpha, angle: str) -> Alpha:
    """How dark the ground is, 0 to 1, under a part that covers `alpha` of a square picture."""
    return _under(alpha) if angle in LYING else _below(alpha)


def _below(alpha: Alpha) -> Alpha:
    """Where the part touches the ground it is dark, and less so around it."""
    side = len(alpha)
    covered = alpha > 0.5
    ground = int(np.flatnonzero(covered.any(1))[-1])
    lowest = side - 1 - covered[::-1].argmax(0)
    rise = np.where(covered.any(0), ground - lowest, np.inf) / side
    rows = (np.arange(side) - ground) / side
    dark = np.zeros(alpha.shape)
    for opacity, along, across, fading in (_CONTACT, _AROUND):
        profile = _blurred_row(np.exp(-rise / fading), along * side)
        depth = np.exp(-((rows / across) ** 2) / 2)
        dark = dark + (1 - dark) * (opacity * depth[:, None] * profile[None, :])
    return dark.astype(np.float32)


def _under(alpha: Alpha) -> Alpha:
    opacity, blur, offset = (share * len(alpha) if place else share for place, share in enumerate(_UNDER))
    picture = Image.fromarray((alpha * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(blur))
    dark = np.asarray(picture, np.float32) / np.float32(255 / opacity)
    return np.roll(dark, round(offset), 0)


def _blurred_row(profile: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    reach = int(3 * sigma) + 1
    kernel = np.exp(-((np.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    return np.convolve(profile, kernel / kernel.sum(), "same")

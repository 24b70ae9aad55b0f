"""Frames in one light: what exposure, white balance and gloss change on the way round is taken out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.spin.views import Mask, Pixels

Floats = NDArray[np.float32]

DARKEST, BRIGHTEST = 40, 250
"""Of 255: outside, a pixel says nothing about exposure."""

_STEP = 8  # pixels between samples
_ROUNDS = 4


def even_out(pixels: Pixels, ground: Pixels, known: Mask, sheet: Mask) -> Floats:
    """The pixels in the ground's exposure and white balance, float32; the ground is used where it is `known`.

    Sheet and table are fitted apart: each is brighter or darker by itself, as the view goes round.
    """
    evened: Floats = pixels.astype(np.float32)
    for surface in (sheet, ~sheet):
        gain = _gain(pixels, ground, known & surface)
        evened[surface] *= gain[surface]
    return evened


def _gain(pixels: Pixels, ground: Pixels, known: Mask) -> Floats:
    """The ratio of ground to pixels, per channel a quadratic over the picture, (height, width, 3).

    It is fitted (exposure, white balance and the lens's fall-off) in rounds that leave out what does not fit:
    the part.
    """
    rows, columns = (np.arange(0, size, _STEP) for size in known.shape)
    some = np.ix_(rows, columns)
    seen, expected = pixels[some].astype(np.float32), ground[some].astype(np.float32)
    usable = known[some] & (np.minimum(seen, expected).min(2) > DARKEST)
    usable &= np.maximum(seen, expected).max(2) < BRIGHTEST
    y, x = np.meshgrid(rows / known.shape[0] - 0.5, columns / known.shape[1] - 0.5, indexing="ij")
    terms = _quadratic(x[usable], y[usable])
    ratio = np.log(expected[usable] / seen[usable])
    kept = np.ones(len(ratio), bool)
    factors = np.zeros((terms.shape[1], 3))
    middle = np.median(ratio, axis=0) if len(ratio) else np.zeros(3)
    off = np.abs(ratio - middle).max(1) if len(ratio) else np.zeros(0)
    for _ in range(_ROUNDS):
        kept = off <= max(0.03, 2.5 * float(np.median(off))) if len(off) else kept
        if kept.sum() < 10 * terms.shape[1]:
            break
        factors = np.linalg.lstsq(terms[kept], ratio[kept], rcond=None)[0]
        off = np.abs(ratio - terms @ factors).max(1)
    gain = np.exp(_quadratic(x, y) @ factors).astype(np.float32)
    whole: Floats = cv2.resize(gain, known.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return whole


def _quadratic(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)

"""Equalize the exposure between photos: one gain per photo and colour channel.

Where two photos show the same surface, their colours should be equal. The gains are found by least squares
over the logarithms of the typical ratio of each pair (Brown and Lowe 2007, "Automatic panoramic image
stitching", chapter 6).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MIN_SHARED_PLACES = 100  # seen by both photos of a pair
_MIN_CORRELATION = 0.5  # below, the photos show different things, because the hull is larger than the part
_MAX_DEVIATION = 0.12  # median deviation of the log ratios; above, the same holds
_DARK, _BRIGHT = 16, 245  # of 255; beyond these a photo is black or overexposed
_MAX_COLOUR_CAST = 0.2  # between channels, in logarithms; more is a different object, not white balance
_REGULARIZATION = 0.02  # weight of each photo's gain staying 1, relative to a pair of photos
_MAX_LOG_GAIN = 0.3  # photos of one part in the same light do not differ more


def exposure_gains(colours: Floats, well_seen: NDArray[np.bool_]) -> Floats:
    """(photos, 3) factors that equalize `colours` (photos, places, 3) where photos see a place well."""
    photos = len(colours)
    rows, targets = [], []
    for one, other in combinations(range(photos), 2):
        step = _median_log_ratio(
            *(colours[number][well_seen[one] & well_seen[other]] for number in (one, other))
        )
        if step is not None:
            row = np.zeros(photos)
            row[one], row[other] = 1, -1
            rows.append(row)
            targets.append(step)
    if not rows:
        return np.ones((photos, 3), np.float32)
    system = np.vstack([rows, _REGULARIZATION * np.eye(photos)])
    target = np.vstack([targets, np.zeros((photos, 3))])
    logs = np.linalg.lstsq(system, target, rcond=None)[0]
    evened: Floats = np.exp(np.clip(logs, -_MAX_LOG_GAIN, _MAX_LOG_GAIN)).astype(np.float32)
    return evened


def _median_log_ratio(one: Floats, other: Floats) -> NDArray[np.float64] | None:
    """The median logarithm of the second photo's colours over the first's; None if they are not comparable.

    A part's inner edges are not where the hull's are, and there two photos show different things. So only
    colours that correlate, and differ by nearly the same ratio everywhere, are taken for one surface.
    """
    fit = (np.minimum(one, other).min(1) > _DARK) & (np.maximum(one, other).max(1) < _BRIGHT)
    if fit.sum() < _MIN_SHARED_PLACES:
        return None
    first, second = np.log(one[fit]).astype(np.float64), np.log(other[fit]).astype(np.float64)
    steps = second - first
    typical: NDArray[np.float64] = np.median(steps, axis=0)
    is_even = np.median(np.abs(steps - typical)) < _MAX_DEVIATION and np.ptp(typical) < _MAX_COLOUR_CAST
    return typical if is_even and _correlation(first, second) > _MIN_CORRELATION else None


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The correlation of brightness; 1 if both are uniform, because then nothing contradicts."""
    first, second = (values.mean(1) - values.mean() for values in (one, other))
    scale = first.std() * second.std()
    return float((first * second).mean() / scale) if scale > 1e-4 else 1.0

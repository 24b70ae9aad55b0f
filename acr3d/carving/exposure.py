"""Evening the exposure between photos: one gain per photo and channel.

Where two photos show the same piece of surface, their colours should be the same. The gains that make them
so, by least squares over the logarithms of what each pair typically differs by, are shared out among all
photos (Brown and Lowe 2007, "Automatic panoramic image stitching", chapter 6).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MIN_SHARED_PLACES = 100  # places seen by both photos, for a pair to tell anything
_MIN_CORRELATION = 0.5  # correlation: below, the two show different things where the hull is not the part
_MAX_DEVIATION = 0.12  # median deviation of the logarithms: above, they do too
_DARK, _BRIGHT = 16, 245  # of 255: beyond, a photo is black or burnt out and tells no gain
_MAX_COLOUR_CAST = (
    0.2  # logarithms between channels: what differs more in hue is another thing, not another white balance
)
_REGULARIZATION = 0.02  # how much, against a pair of photos, each wishes to stay as it is
_MAX_LOG_GAIN = 0.3  # a logarithm: photos of one part in one light do not differ more


def exposure_gains(colours: Floats, well_seen: NDArray[np.bool_]) -> Floats:
    """(photos, 3) factors that even out `colours` (photos, places, 3), where a photo shows a place well."""
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
    """What to add to the first photo's logarithms to reach the second's; None when nothing tells it.

    A part's inner edges lie elsewhere than the hull's, and there two photos show different things: only what
    looks alike, and by the same step nearly everywhere, is taken for one surface.
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
    """Of the brightness; 1 where both are even, as they then do not speak against each other."""
    first, second = (values.mean(1) - values.mean() for values in (one, other))
    scale = first.std() * second.std()
    return float((first * second).mean() / scale) if scale > 1e-4 else 1.0

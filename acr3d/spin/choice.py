"""Which pictures are kept: few enough to be worked on, from everywhere, the sharpest of like ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KEPT = 48
_NEIGHBOURS = 3.0  # degrees


def spread(places: Floats, sharpness: Sequence[float], count: int = KEPT) -> list[int]:
    """Indices of at most `count` of the cameras at `places` (n, 3), in their order.

    Each next one is the farthest from those chosen, as directions from the sheet's centre (Gonzalez, 1985),
    or the sharpest near it.
    """
    directions = places / np.linalg.norm(places, axis=1, keepdims=True)
    sharp = np.asarray(sharpness)
    away = np.full(len(places), np.inf)
    chosen: list[int] = []
    near_enough = np.cos(np.radians(_NEIGHBOURS))
    while len(chosen) < min(count, len(places)):
        farthest = int(np.argmax(away)) if chosen else int(np.argmax(sharp))
        near = (directions @ directions[farthest] >= near_enough) & (away > 0)
        best = int(np.argmax(np.where(near, sharp, -1)))
        chosen.append(best)
        angle = np.arccos(np.clip(directions @ directions[best], -1, 1))
        away = np.minimum(away, angle)
        away[chosen] = -1
    return sorted(chosen)

"""How large each photo's part is drawn, so that a millimetre is as long in all photos of a part.

Photos are taken from any distance. The labels say which of the part's three lengths each photo shows: front
and top both show its width. That gives one equation a photo and length, linear in logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FILL = 0.84
"""The part's longest length on the picture's side; shopping sites ask for about as much."""
MOST_SIDE, LEAST_SIDE = 1600, 800
_LENGTHS = {
    **dict.fromkeys(("front", "back"), (0, 1)),  # width, height
    **dict.fromkeys(("left", "right"), (2, 1)),  # depth, height
    **dict.fromkeys(("top", "bottom"), (0, 2)),
}
_MOST_CONTRADICTION = 0.25  # of a logarithm; perspective makes 0.1, a wrong label much more


@dataclass(frozen=True)
class Extent:
    """The part's box in a photo, in the photo's pixels, and the photo's angle; empty if it has none."""

    width: float
    height: float
    angle: str = ""

    @property
    def longest(self) -> float:
        return max(self.width, self.height)


def scales(extents: Sequence[Extent]) -> list[float]:
    """A factor for each photo; the longest part drawn with its own has the length 1.

    A photo without an angle is drawn as large as the longest one, and so is each if the labels contradict
    each other.
    """
    known = [extent for extent in extents if extent.angle in _LENGTHS]
    solved = _solved(known)
    if solved is None:
        return [1 / extent.longest for extent in extents]
    longest = max(extent.longest * factor for extent, factor in zip(known, solved, strict=True))
    of_known = iter(solved)
    return [
        next(of_known) / longest if extent.angle in _LENGTHS else 1 / extent.longest for extent in extents
    ]


def side_px(extents: Sequence[Extent], factors: Sequence[float]) -> int:
    """The side of the square pictures: so large that no photo is enlarged, within the limits."""
    finest = min(1 / (factor * FILL) for factor in factors) if extents else MOST_SIDE
    return round(min(MOST_SIDE, max(LEAST_SIDE, finest)))


def _solved(known: Sequence[Extent]) -> list[float] | None:
    """The factors of labelled photos, but for a common one; None if there is no single answer."""
    if len(known) < 2:
        return None
    rows, sizes = [], []
    for number, extent in enumerate(known):
        for length, pixels in zip(_LENGTHS[extent.angle], (extent.width, extent.height), strict=True):
            row = np.zeros(len(known) + 3)
            row[number], row[len(known) + length] = -1, 1  # length = pixels × factor
            rows.append(row)
            sizes.append(np.log(pixels))
    matrix, wanted = np.array(rows), np.array(sizes)
    # From length = pixels × factor: log length − log factor = log pixels.
    found = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    if np.abs(matrix @ found - wanted).max() > _MOST_CONTRADICTION:
        return None
    return [float(np.exp(value)) for value in found[: len(known)]]

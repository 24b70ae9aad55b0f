"""Ask whether left and right are exchanged: outlines cannot tell, for they are mirror images of each other.

Colours can. Where a photo from the front or top turns into one from the left or right, both show the same
strip of the part. Its colours are compared on the visual hull of all silhouettes, once under the labels as
they are and once with left and right exchanged. See docs/decisions/0039-left-and-right.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import SIDES, viewing_axis
from acr3d.photo_checks.inspection.coloured_square import SIDE, ColouredSquare
from acr3d.photo_checks.inspection.inconsistency import along_axes

# How much better the colours must match after an exchange, by the number of photos: fewer shape the part
# less. Correct photos, lit and turned anyhow, reach
# 0.085, 0.051 and 0.015.
MIN_GAIN = {4: 0.1, 5: 0.06, 6: 0.025}
NOISE = 3.0
"""Of a mean colour difference, in CIELAB units: what light and reflections alone make of plain metal."""

_EXCHANGED = {"left": "right", "right": "left"}
_DEPTH = 2  # cells below the hull's surface that still belong to what a photo shows
_MAX_DIFFERENCE = 40.0  # CIELAB units; highlights count no more
_MIN_SHARED = 20  # cells that both photos show

Hull = NDArray[np.bool_]


def seem_exchanged(views: Mapping[str, ColouredSquare]) -> bool:
    """Whether the photos {angle: square} fit clearly better with left and right exchanged.

    Never without both of them, one of front and back, and one of top and bottom.
    """
    pairs = (("left",), ("right",), ("front", "back"), ("top", "bottom"))
    if not all(any(angle in views for angle in pair) for pair in pairs):
        return False
    return exchange_gain(views) > MIN_GAIN[len(views)]


def exchange_gain(views: Mapping[str, ColouredSquare]) -> float:
    """How much of the colours' difference goes away with left and right exchanged, at most 1; below 0 if it
    grows."""
    exchanged = {_EXCHANGED.get(angle, angle): square for angle, square in views.items()}
    now, then = _mean_difference(views), _mean_difference(exchanged)
    return (now - then) / (now + then + 2 * NOISE)


def _mean_difference(views: Mapping[str, ColouredSquare]) -> float:
    """Of the colours that neighbouring photos show of the same places, in CIELAB units."""
    hull = np.ones((SIDE, SIDE, SIDE), np.bool_)
    for angle, square in views.items():
        hull &= along_axes(square.mask, angle)
    seen = {angle: _seen_from(hull, angle) for angle in views}
    others = [angle for angle in views if angle not in _EXCHANGED]
    differences = [
        _difference(seen[side] & seen[other], views, side, other)
        for side, other in product(_EXCHANGED, others)
    ]
    known = [one for one in differences if one is not None]
    return float(np.mean(known)) if known else 0.0


def _seen_from(hull: Hull, angle: str) -> Hull:
    """The hull's cells that a photo from there shows, or that are just below them."""
    axis = viewing_axis(angle)
    is_far_end_first = SIDES[angle][2][axis] > 0
    towards = np.flip(hull, axis) if is_far_end_first else hull
    shown = towards & (np.cumsum(towards, axis, np.int16) <= _DEPTH)
    return np.flip(shown, axis) if is_far_end_first else shown


def _difference(shared: Hull, views: Mapping[str, ColouredSquare], side: str, other: str) -> float | None:
    """The mean colour difference in the `shared` cells; None if there are too few."""
    cells = np.argwhere(shared)
    if len(cells) < _MIN_SHARED:
        return None
    shown = _without_light(_colours_at(views[other], other, cells))
    steps = product((-1, 0, 1), repeat=2)  # perspective and tilt move a place by a cell
    there = [_colours_at(views[side], side, cells, step) for step in steps]
    light = np.median(there[len(there) // 2][:, 0])
    least = np.min([np.linalg.norm(shown - (one - [light, 0, 0]), axis=1) for one in there], axis=0)
    return float(np.minimum(least, _MAX_DIFFERENCE).mean())


def _colours_at(
    square: ColouredSquare, angle: str, cells: NDArray[np.int64], step: Sequence[int] = (0, 0)
) -> NDArray[np.float32]:
    """What the photo shows of these cells, so many steps beside them."""
    places = cells.copy()
    axis = viewing_axis(angle)
    places[:, axis] = 0
    across = [one for one in range(3) if one != axis]
    places[:, across] = np.clip(places[:, across] + step, 0, SIDE - 1)
    colours: NDArray[np.float32] = along_axes(square.colours, angle)[tuple(places.T)]
    return colours


def _without_light(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours whose median lightness is 0."""
    return np.asarray(colours - [np.median(colours[:, 0]), 0, 0], np.float32)

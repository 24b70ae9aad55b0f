"""How well cameras go round the part: laps, and the stretches that nobody walked. Angles in degrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FROM_ABOVE = 65.0
"""From this elevation on a camera looks down on the part, and its azimuth says little."""
_FEWEST = 4  # cameras of a lap
_APART, _APART_DEVIATIONS = 10.0, 3.0  # two laps differ by at least that
_GAP = 45.0  # between neighbours of a lap; photos are taken every 20 or 30 degrees
_REACH = 20.0  # to each side, a camera covers the way round


@dataclass(frozen=True)
class Ring:
    """A lap: its cameras' mean elevation, and the gaps (from, to) in it, where `to` may exceed 360."""

    elevation: float
    gaps: tuple[tuple[float, float], ...]


def elevations(places: Floats) -> Floats:
    """Of cameras at `places` (n, 3), seen from the sheet's centre."""
    return np.asarray(np.degrees(np.arctan2(places[:, 2], np.linalg.norm(places[:, :2], axis=1))))


def azimuths(places: Floats) -> Floats:
    """The same of their directions on the sheet, from 0 to 360, from x towards y."""
    return np.asarray(np.degrees(np.arctan2(places[:, 1], places[:, 0])) % 360)


def rings(places: Floats) -> list[Ring]:
    """The laps, the lowest first. Looks from above are none."""
    heights, turns = elevations(places), azimuths(places)
    is_lap = heights < FROM_ABOVE
    laps = _laps(np.flatnonzero(is_lap), heights)
    return [Ring(float(heights[lap].mean()), _gaps(turns[lap])) for lap in laps]


def coverage(places: Floats) -> float:
    """The share of the way round that some camera covers, from 0 to 1."""
    turns = azimuths(places)[elevations(places) < FROM_ABOVE]
    if not len(turns):
        return 0.0
    away = np.abs((np.arange(360)[:, None] - turns + 180) % 360 - 180).min(1)
    return float((away <= _REACH).mean())


def best_four(places: Floats, sharpness: Sequence[float]) -> list[int]:
    """The sharpest camera near each quarter of the lowest lap, for engines that take a few pictures."""
    heights, turns = elevations(places), azimuths(places)
    laps = _laps(np.flatnonzero(heights < FROM_ABOVE), heights)
    lap = laps[0] if laps else np.arange(len(places))
    first = turns[lap[np.argmax(np.asarray(sharpness)[lap])]]
    chosen: list[int] = []
    for quarter in range(4):
        away = np.abs((turns[lap] - first - 90 * quarter + 180) % 360 - 180)
        near = lap[away <= max(_REACH / 2, away.min())]
        chosen.append(int(near[np.argmax(np.asarray(sharpness)[near])]))
    return list(dict.fromkeys(chosen))


def _laps(cameras: NDArray[np.intp], heights: Floats) -> list[NDArray[np.intp]]:
    """The cameras in groups of like elevation, by the split that leaves least variance, again and again."""
    ordered = cameras[np.argsort(heights[cameras])]
    levels = heights[ordered]
    best, split = np.inf, 0
    for at in range(_FEWEST, len(ordered) - _FEWEST + 1):
        within = levels[:at].var() * at + levels[at:].var() * (len(levels) - at)
        if within < best:
            best, split = within, at
    if split:
        apart = levels[split:].mean() - levels[:split].mean()
        if apart > max(_APART, _APART_DEVIATIONS * float(np.sqrt(best / len(levels)))):
            return [*_laps(ordered[:split], heights), *_laps(ordered[split:], heights)]
    return [ordered] if len(ordered) >= _FEWEST else []


def _gaps(turns: Floats) -> tuple[tuple[float, float], ...]:
    ordered = np.sort(turns)
    following = np.append(ordered[1:], ordered[0] + 360)
    return tuple(
        (round(float(begin), 1), round(float(end), 1))
        for begin, end in zip(ordered, following, strict=True)
        if end - begin > _GAP
    )

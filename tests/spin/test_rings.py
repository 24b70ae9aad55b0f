"""How well cameras go round: laps and gaps."""

from __future__ import annotations

import numpy as np
import pytest

from acr3d.spin import rings
from acr3d.spin.choice import spread


def places(*laps: tuple[float, np.ndarray]) -> np.ndarray:
    """Cameras 400 mm away: for each lap its elevation, and azimuths."""
    found = []
    for elevation, azimuths in laps:
        turns, rise = np.radians(azimuths), np.radians(elevation)
        flat = np.stack([np.cos(turns), np.sin(turns)], 1) * np.cos(rise)
        found.append(np.column_stack([flat, np.full(len(turns), np.sin(rise))]))
    return 400 * np.concatenate(found)


WHOLE = np.arange(0, 360, 20.0)


def test_two_laps_and_a_look_from_above_are_told_apart() -> None:
    found = rings.rings(places((27, WHOLE), (52, WHOLE + 7), (80, np.array([0.0, 90.0]))))

    assert [ring.elevation for ring in found] == pytest.approx([27, 52])
    assert [ring.gaps for ring in found] == [(), ()]


def test_a_lap_that_goes_up_and_down_is_one() -> None:
    wavy = np.concatenate([places((30 + 6 * np.sin(turn / 9), np.array([turn]))) for turn in WHOLE])

    assert len(rings.rings(wavy)) == 1


def test_a_gap_may_reach_over_north() -> None:
    walked = places((30, np.arange(40, 320, 10.0)))

    assert rings.rings(walked)[0].gaps == ((310.0, 400.0),)
    assert rings.coverage(walked) == pytest.approx((360 - 90 + 2 * 20 + 1) / 360)
    assert rings.coverage(places((80, WHOLE))) == 0


def test_four_pictures_a_quarter_apart_are_the_best_for_engines_of_few_photos() -> None:
    around = places((30, WHOLE), (55, WHOLE))
    sharpness = np.full(len(around), 0.5)
    sharpness[2] = 0.6

    four = rings.best_four(around, sharpness)

    assert rings.azimuths(around)[four] == pytest.approx([40, 130, 220, 310], abs=11)
    assert rings.elevations(around)[four] == pytest.approx([30] * 4)


def test_the_kept_are_spread_evenly_and_sharp() -> None:
    slow = np.arange(0, 120, 1.0)  # lingers on one side
    around = places((30, np.concatenate([slow, np.arange(120, 360, 10.0)])))
    sharpness = np.full(len(around), 0.4)
    sharpness[1 : len(slow) : 3] = 0.5

    kept = spread(around, sharpness, 24)

    assert len(kept) == 24
    turns = np.sort(rings.azimuths(around)[kept])
    assert np.diff(turns).max() <= 30
    assert np.mean(sharpness[[one for one in kept if one < len(slow)]]) > 0.47

"""Where the cameras truly stood: tilt, offset, zoom and the lens, from outlines that disagree.

The cameras are moved until the outlines cohere (coherence.py), from a long lens and from a wide one, as the
way from one to the other leads over a hill.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import Camera, axis_towards
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.levenberg_marquardt import descend
from acr3d.carving.silhouette import Outline
from acr3d.carving.silhouette_coherence import USUAL_ERROR, Coherence

Vector = NDArray[np.float64]

LARGEST_MISFIT = 0.002
"""Of the part's largest side, once the cameras are refined; honest photos stay under 0.0003."""
_HONEST_MISFIT = LARGEST_MISFIT / 4
ABSURD_NEARNESS = 1.0
"""Within the part's own size: nobody stands there."""
_LENSES = (0.1, 0.4, 0.8)  # picture side over focal length: where the search begins
# A block's outlines are its near faces', whatever the lens; without a firm wish a pixel's rounding picks one.
_FIRM_LENS_WISH = 20.0


@dataclass(frozen=True)
class Calibration:
    """What the outlines say together.

    `cameras`: in the photos' order; `misfit`: per photo, the mean miss of its outline's rays, in sizes of the
    part; `box`: (2, 3) lowest and highest corner of the smallest upright box that still fills every outline;
    `coherence`: the outlines' rays, for those who ask further.
    """

    cameras: list[Camera]
    misfit: tuple[float, ...]
    box: Vector
    coherence: Coherence


def calibrate(
    cameras: list[Camera], outlines: list[Outline], fields: list[DistanceField], size: Vector
) -> Calibration:
    """Refine the first `cameras` until the outlines agree about one solid of about `size` (largest 1)."""
    coherence = Coherence(cameras, outlines, fields, size)
    axes = {axis_towards(camera.side) for camera in cameras}
    found = cameras
    if len(axes) > 1:
        tries = [descend(coherence.at, coherence.start(lens)) for lens in _LENSES]
        found = coherence.cameras(min(tries, key=lambda lowest: lowest.cost).unknowns)
        if _nearest(found) > ABSURD_NEARNESS:
            firm = Coherence(cameras, outlines, fields, size, lens_wish=_FIRM_LENS_WISH)
            from_afar = firm.cameras(descend(firm.at, firm.start(_LENSES[0])).unknowns)
            if max(_misfit(firm, from_afar)) < _HONEST_MISFIT:
                coherence, found = firm, from_afar
    box = _needed_box(coherence, found)
    if len(axes) == 1:  # nothing bounds the solid along the one axis all look along but its guessed size
        axis = axes.pop()
        box[:, axis] = -size[axis] / 2, size[axis] / 2
    return Calibration(found, _misfit(coherence, found), box, coherence)


def _misfit(coherence: Coherence, cameras: list[Camera]) -> tuple[float, ...]:
    return tuple(float(-miss.mean()) for miss in coherence.misses(cameras))


def _nearest(cameras: list[Camera]) -> float:
    return max(camera.nearness for camera in cameras)


def _needed_box(coherence: Coherence, cameras: list[Camera]) -> Vector:
    """How far the solid must reach in each direction so that every ray of every outline still meets it.

    A near rim hides what a lens lets the hull bulge to behind it; no outline asks for that bulge.
    """
    lows, highs = [], []
    for number in range(len(cameras)):
        points, inside, _ = coherence.along_rays(cameras, number)
        deepest = inside.max(1, keepdims=True)
        met = inside >= np.minimum(deepest, 0.0) - USUAL_ERROR
        lows.append(np.where(met[..., None], points, -np.inf).max(1).min(0))
        highs.append(np.where(met[..., None], points, np.inf).min(1).max(0))
    return np.array([np.min(lows, axis=0), np.max(highs, axis=0)])

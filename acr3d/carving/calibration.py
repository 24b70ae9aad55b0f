"""Camera calibration: tilt, offset, zoom and lens, from the disagreement between silhouettes.

The cameras are refined until the silhouettes are coherent (silhouette_coherence.py). The search starts from
several lenses, because a local minimum separates long lenses from wide ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import PinholeCamera, viewing_axis
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.levenberg_marquardt import minimize
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.silhouette_coherence import (
    CAREFUL,
    SILHOUETTE_ERROR,
    SilhouetteCoherence,
)

Vector = NDArray[np.float64]

MAX_MISFIT = 0.002
"""Relative to the part's largest side, after refinement; photos of one part stay below 0.0003."""
_GOOD_MISFIT = MAX_MISFIT / 4
MAX_INVERSE_DISTANCE = 1.0
"""Distances below the part's own size: nobody takes photos from there."""
_INITIAL_LENSES = (0.1, 0.4, 0.8)  # picture side over focal length, where the search starts
_STRONG_LENS_WEIGHT = 20.0
"""A block's silhouettes are those of its near faces, whatever the lens. With a weaker pull towards a long
lens the rounding of a single pixel would choose the lens."""


@dataclass(frozen=True)
class Calibration:
    """The refined cameras and what follows from them.

    `cameras`: in the photos' order. `misfit`: per photo, the mean miss of its contour's rays, relative to the
    part's size. `box`: (2, 3) lowest and highest corner of the smallest axis-aligned box that still fills
    every silhouette. `coherence`: the silhouettes' rays.
    """

    cameras: list[PinholeCamera]
    misfit: tuple[float, ...]
    box: Vector
    coherence: SilhouetteCoherence


def calibrate(
    cameras: list[PinholeCamera], silhouettes: list[Silhouette], fields: list[DistanceField], size: Vector
) -> Calibration:
    """Refine `cameras` until the silhouettes agree on one solid of about `size` (largest side 1)."""
    coherence = SilhouetteCoherence(cameras, silhouettes, fields, size)
    axes = {viewing_axis(camera.side) for camera in cameras}
    found = cameras
    if len(axes) > 1:
        tries = [minimize(coherence.evaluate, coherence.initial_unknowns(lens)) for lens in _INITIAL_LENSES]
        found = coherence.cameras(min(tries, key=lambda lowest: lowest.cost).unknowns)
        if _max_inverse_distance(found) > MAX_INVERSE_DISTANCE:
            constrained = SilhouetteCoherence(
                cameras, silhouettes, fields, size, replace(CAREFUL, lens_weight=_STRONG_LENS_WEIGHT)
            )
            distant = constrained.cameras(
                minimize(constrained.evaluate, constrained.initial_unknowns(_INITIAL_LENSES[0])).unknowns
            )
            if max(_misfit(constrained, distant)) < _GOOD_MISFIT:
                coherence, found = constrained, distant
    calibration = calibration_of(coherence, found)
    if len(axes) == 1:  # along the only viewing axis nothing but the assumed size bounds the solid
        axis = axes.pop()
        calibration.box[:, axis] = -size[axis] / 2, size[axis] / 2
    return calibration


def calibration_of(coherence: SilhouetteCoherence, cameras: list[PinholeCamera]) -> Calibration:
    """These cameras, and what follows from them."""
    box = _bounding_box(coherence, cameras)
    size = float(
        (box[1] - box[0]).max()
    )  # contradicting silhouettes miss less where the part is made smaller
    misfit = tuple(miss / size for miss in _misfit(coherence, cameras))
    return Calibration(cameras, misfit, box, coherence)


def _misfit(coherence: SilhouetteCoherence, cameras: list[PinholeCamera]) -> tuple[float, ...]:
    return tuple(float(-miss.mean()) for miss in coherence.misses(cameras))


def _max_inverse_distance(cameras: list[PinholeCamera]) -> float:
    return max(camera.inverse_distance for camera in cameras)


def _bounding_box(coherence: SilhouetteCoherence, cameras: list[PinholeCamera]) -> Vector:
    """The smallest box that every ray of every silhouette still meets.

    Perspective lets the hull bulge behind a near rim, where no photo can see it. The box cuts that off,
    because no silhouette needs it.
    """
    lows, highs = [], []
    for number in range(len(cameras)):
        points, inside, _ = coherence.sample_rays(cameras, number)
        deepest = inside.max(1, keepdims=True)
        met = inside >= np.minimum(deepest, 0.0) - SILHOUETTE_ERROR
        lows.append(np.where(met[..., None], points, -np.inf).max(1).min(0))
        highs.append(np.where(met[..., None], points, np.inf).min(1).max(0))
    return np.array([np.min(lows, axis=0), np.max(highs, axis=0)])

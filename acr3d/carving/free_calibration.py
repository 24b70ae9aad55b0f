"""Calibration for photos taken by a free hand, whose silhouettes need not agree on one solid.

People look down on what stands on a table, from one side or another, and step closer for the next photo. The
search starts from several pitches, because a local minimum separates them, on small pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from acr3d.carving.calibration import MAX_INVERSE_DISTANCE, Calibration, calibration_of
from acr3d.carving.distance_field import DistanceField, distance_field
from acr3d.carving.initial_size import Proportions, estimate_proportions, initial_cameras
from acr3d.carving.levenberg_marquardt import Solution, minimize
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.silhouette_coherence import Expectation, Sampling, SilhouetteCoherence

FREE = Expectation(tilt=0.1, distance_change=0.2, placement_weight=0.05, holds_scale=True)
_PITCHES = (0.0, 0.15, 0.3)  # radians, where the search starts
_LENSES = (0.1, 0.4)  # likewise, picture side over focal length
_FEW_PITCHES, _FEW_LENSES = (0.0, 0.25), (0.2,)
_QUICK = Sampling(rays=48, steps=28, reach=0.7, cells=128)
_FINE = Sampling(steps=52, reach=0.7)
_QUICK_SIDE = 256  # pixels of a picture's longer side
_STRONGER_LENS_WEIGHT = 20.0


def contradiction_cost(silhouettes: Sequence[Silhouette]) -> float:
    """How much the silhouettes contradict each other, per photo, with about the best cameras for them."""
    return _best_start(silhouettes, _FEW_PITCHES, _FEW_LENSES).cost / len(silhouettes)


def calibrate_freely(
    silhouettes: list[Silhouette], fields: list[DistanceField], proportions: Proportions
) -> Calibration:
    """The cameras with which the silhouettes contradict each other least, from where people take photos."""
    start = _best_start(silhouettes, _PITCHES, _LENSES).unknowns
    cameras = initial_cameras(silhouettes, proportions)
    expectation = FREE
    while True:
        coherence = SilhouetteCoherence(cameras, silhouettes, fields, proportions.size, expectation, _FINE)
        start = minimize(coherence.evaluate, start).unknowns
        found = coherence.cameras(start)
        is_close = max(camera.inverse_distance for camera in found) > MAX_INVERSE_DISTANCE
        if not is_close or expectation is not FREE:
            return calibration_of(coherence, found)
        expectation = replace(FREE, lens_weight=_STRONGER_LENS_WEIGHT)


def _best_start(
    silhouettes: Sequence[Silhouette], pitches: Sequence[float], lenses: Sequence[float]
) -> Solution:
    """The best solution found in small pictures from any of these pitches and lenses."""
    small = [_reduced(silhouette) for silhouette in silhouettes]
    fields = [distance_field(silhouette.mask) for silhouette in small]
    proportions = estimate_proportions(small)
    cameras = initial_cameras(small, proportions)
    coherence = SilhouetteCoherence(cameras, small, fields, proportions.size, FREE, _QUICK)
    starts = [coherence.initial_unknowns(lens, pitch) for pitch in pitches for lens in lenses]
    return min((minimize(coherence.evaluate, start) for start in starts), key=lambda found: found.cost)


def _reduced(silhouette: Silhouette) -> Silhouette:
    step = max(1, max(silhouette.mask.shape) // _QUICK_SIDE)
    reduced = replace(
        silhouette, mask=silhouette.mask[::step, ::step], pixels=silhouette.pixels[::step, ::step]
    )
    return reduced if reduced.mask.any() else silhouette

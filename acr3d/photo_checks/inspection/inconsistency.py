"""Measure how much silhouettes contradict each other under their labels.

Two measures that a careless photographer hardly affects. Proportions: each silhouette's aspect ratio must
follow from one width, height and depth. Shape: every silhouette, stretched to a square, must be covered by
the visual hull of all others; the distance from that is silhouette coherence (Hernández, Schmitt, Cipolla
2007) without cameras. Stretching removes what lens, distance and a small tilt do to sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import SIDES, viewing_axis
from acr3d.carving.opposite_views import NORMALIZED_SIZE
from acr3d.photo_checks.inspection.normalized_silhouette import NormalizedSilhouette

Vector = NDArray[np.float64]

_TYPICAL_MISS = 0.004  # relative to the part's side, mean over a silhouette; from perspective and some tilt
_TYPICAL_ASPECT_RESIDUAL = 0.15  # of the logarithm of width over height; likewise
_ROUNDS = 12  # of reweighting, until one odd photo no longer affects the others


def inconsistency_scores(silhouettes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """One score per photo: about 1 for ordinary photos; from 3 or 4 on, something is wrong."""
    return (
        _coverage_misses(silhouettes, angles) / _TYPICAL_MISS
        + np.abs(aspect_residuals(silhouettes, angles)) / _TYPICAL_ASPECT_RESIDUAL
    )


def _coverage_misses(silhouettes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """Per photo, the mean distance between its silhouette and the visual hull of all others."""
    pairs = list(zip(silhouettes, angles, strict=True))
    fields = [along_axes(silhouette.depth, angle) for silhouette, angle in pairs]
    misses = []
    for number, (silhouette, angle) in enumerate(pairs):
        others = [field for index, field in enumerate(fields) if index != number]
        deepest = _hull_depth(others).max(viewing_axis(angle), keepdims=True)
        inside = along_axes(silhouette.mask, angle)
        misses.append(float(np.maximum(-deepest, 0)[inside].mean()))
    return np.array(misses)


def _hull_depth(fields: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    least = np.full((NORMALIZED_SIZE, NORMALIZED_SIZE, NORMALIZED_SIZE), np.inf, np.float32)
    for field in fields:
        np.minimum(least, field, out=least)
    return least


def along_axes(picture: NDArray[Any], angle: str) -> NDArray[Any]:
    """A square array as (width, height, depth, …), with one cell along its viewing axis."""
    right, up, _towards = SIDES[angle]
    across, upwards = int(np.abs(right).argmax()), int(np.abs(up).argmax())
    turned = picture[:, ::-1] if right[across] < 0 else picture
    turned = turned[::-1] if up[upwards] > 0 else turned
    ordered = np.swapaxes(turned, 0, 1) if across < upwards else turned
    return np.expand_dims(ordered, viewing_axis(angle))


def aspect_residuals(silhouettes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """Per photo, its log aspect ratio minus that of the one width, height and depth that suit most photos."""
    target = np.array([silhouette.log_aspect for silhouette in silhouettes])
    return target - _aspect_equations(angles) @ estimate_log_sizes(silhouettes, angles)


def estimate_log_sizes(silhouettes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """The logarithms of the width, height and depth that suit most photos, up to a constant."""
    system = _aspect_equations(angles)
    target = np.array([silhouette.log_aspect for silhouette in silhouettes])
    weight = np.ones(len(silhouettes))
    sizes = np.zeros(3)
    for _round in range(_ROUNDS):  # iteratively reweighted towards the smallest sum of absolute residuals
        sizes[:] = np.linalg.lstsq(system * weight[:, None], target * weight, rcond=None)[0]
        weight = 1 / np.sqrt(np.maximum(np.abs(target - system @ sizes), 0.01))
    return sizes


def _aspect_equations(angles: Sequence[str]) -> Vector:
    """One row per side: the logarithm of the size across minus that of the size upwards."""
    return np.array([np.abs(SIDES[angle][0]) - np.abs(SIDES[angle][1]) for angle in angles])

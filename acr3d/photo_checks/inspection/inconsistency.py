"""How badly outlines contradict each other under the labels they carry.

Two measures, chosen so that a careless photographer disturbs them little. Proportions: every outline is
stretched to a square, and what that stretching was must come from one width, height and depth. Shape: of the
solid that all stretched outlines leave (their visual hull), every outline must be covered; how far it is from
that is silhouette coherence (Hernández, Schmitt, Cipolla 2007) without cameras. Stretching takes away what
lens, distance and a small tilt do to sizes, and leaves what they hardly touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import SIDES, viewing_axis
from acr3d.carving.opposite_views import NORMALIZED_SIZE
from acr3d.photo_checks.inspection.silhouette_shape import NormalizedSilhouette

Vector = NDArray[np.float64]

_TYPICAL_MISS = 0.004  # of the part's side, mean over an outline: what a lens close by and some tilt do
_TYPICAL_ASPECT_RESIDUAL = 0.15  # in the logarithm of width over height: likewise
_ROUNDS = 12  # of reweighting, until one odd photo no longer pulls the others


def inconsistency_scores(shapes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """One figure per photo: about 1 is what ordinary photos show, from 3 or 4 on something is wrong."""
    return (
        _coverage_misses(shapes, angles) / _TYPICAL_MISS
        + np.abs(aspect_residuals(shapes, angles)) / _TYPICAL_ASPECT_RESIDUAL
    )


def _coverage_misses(shapes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """Per photo: how far, on average over its outline, all other outlines are from leaving matter there."""
    fields = [along_axes(shape.depth, angle) for shape, angle in zip(shapes, angles, strict=True)]
    misses = []
    for number, (shape, angle) in enumerate(zip(shapes, angles, strict=True)):
        others = [field for place, field in enumerate(fields) if place != number]
        deepest = _hull_depth(others).max(viewing_axis(angle), keepdims=True)
        inside = along_axes(shape.mask, angle)
        misses.append(float(np.maximum(-deepest, 0)[inside].mean()))
    return np.array(misses)


def _hull_depth(fields: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    least = np.full((NORMALIZED_SIZE, NORMALIZED_SIZE, NORMALIZED_SIZE), np.inf, np.float32)
    for field in fields:
        np.minimum(least, field, out=least)
    return least


def along_axes(picture: NDArray[Any], angle: str) -> NDArray[Any]:
    """A shape's square picture as (width, height, depth) with one cell along the axis it looks along."""
    right, up, _towards = SIDES[angle]
    across, upwards = int(np.abs(right).argmax()), int(np.abs(up).argmax())
    turned = picture[:, ::-1] if right[across] < 0 else picture
    turned = turned[::-1] if up[upwards] > 0 else turned
    ordered = turned.T if across < upwards else turned
    return np.expand_dims(ordered, viewing_axis(angle))


def aspect_residuals(shapes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """Per photo: its stretch less that of the one width, height and depth that suit most of them."""
    target = np.array([shape.log_aspect for shape in shapes])
    return target - _aspect_equations(angles) @ estimate_log_sizes(shapes, angles)


def estimate_log_sizes(shapes: Sequence[NormalizedSilhouette], angles: Sequence[str]) -> Vector:
    """The logarithms of width, height and depth that suit most of the photos, up to a constant."""
    system = _aspect_equations(angles)
    target = np.array([shape.log_aspect for shape in shapes])
    weight = np.ones(len(shapes))
    sizes = np.zeros(3)
    for _round in range(_ROUNDS):  # towards the least sum of absolute differences
        sizes[:] = np.linalg.lstsq(system * weight[:, None], target * weight, rcond=None)[0]
        weight = 1 / np.sqrt(np.maximum(np.abs(target - system @ sizes), 0.01))
    return sizes


def _aspect_equations(angles: Sequence[str]) -> Vector:
    """For each side a row that takes, of the three logarithms, the one across less the one upwards."""
    return np.array([np.abs(SIDES[angle][0]) - np.abs(SIDES[angle][1]) for angle in angles])

"""How far a model can be trusted: one score between 0 and 1 for the user.

Silhouettes that fit one solid are not enough: two viewing axes leave more open than three, an estimated lens
may be wrong, and proportions that had to be reconciled may have been reconciled wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence

from acr3d.carving.calibration import MAX_INVERSE_DISTANCE, MAX_MISFIT
from acr3d.carving.cameras import PinholeCamera, viewing_axis

_SCORE_BY_AXES = (0.5, 0.8, 1.0)  # photos along one, two or three of the part's axes
MAX_DISAGREEMENT = 0.2
"""Highest relative error of a silhouette's size against the other photos; more than a wide lens explains."""
_CONTRADICTING = 0.6
"""Outlines cannot tell which of the photos that contradict each other is wrong; a person can."""
MIN_LIKENESS = 0.5
"""Of the solid with the worst photo; below, no solid looks like the photos."""
CLOSE_CAMERA = 0.5
"""Inverse distance in part sizes; from closer up, perspective distorts more than silhouettes can show."""


def confidence_score(
    cameras: Sequence[PinholeCamera],
    misfit: Sequence[float],
    disagreement: Sequence[float],
    likeness: Sequence[float] = (),
) -> float:
    """1: three axes and silhouettes that fit one solid as they are; 0: about to be refused.

    `likeness` of the solid with each photo, if they contradict each other: then it is all that counts.
    """
    axes = len({viewing_axis(camera.side) for camera in cameras})
    if likeness:
        fit = max(0.0, min(likeness) - MIN_LIKENESS) / (1 - MIN_LIKENESS)
        return round(float(_SCORE_BY_AXES[axes - 1] * fit * _CONTRADICTING), 2)
    inverse_distance = max(camera.inverse_distance for camera in cameras)
    fit = 1 - max(misfit) / MAX_MISFIT if axes > 1 else 1.0  # with one axis nothing is compared
    proportions = 1 - max(disagreement) / MAX_DISAGREEMENT / 2
    lens = 1 - max(0.0, inverse_distance - CLOSE_CAMERA) / (MAX_INVERSE_DISTANCE - CLOSE_CAMERA) / 2
    return round(float(_SCORE_BY_AXES[axes - 1] * max(0.0, fit) * max(0.0, proportions) * max(0.5, lens)), 2)

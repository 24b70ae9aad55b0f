"""How far a model can be trusted: one figure between 0 and 1, for people.

That the outlines fit one solid is not all: two axes leave more open than three, a lens that had to be found
may have been found wrong, and proportions that had to be reconciled may have been reconciled wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence

from acr3d.carving.calibration import MAX_INVERSE_DISTANCE, MAX_MISFIT
from acr3d.carving.cameras import PinholeCamera, viewing_axis

_SCORE_BY_AXES = (0.5, 0.8, 1.0)  # seen along one, two, three of the part's axes
MAX_DISAGREEMENT = 0.2
"""By what share one outline may be larger or smaller than the others let it be; a wide lens explains less."""
CLOSE_CAMERA = 0.5
"""One over the distance in sizes of the part: a closer camera bends outlines more than they can tell."""


def confidence_score(
    cameras: Sequence[PinholeCamera], misfit: Sequence[float], disagreement: Sequence[float]
) -> float:
    """1: three axes, and all outlines fit one solid as they are; 0: on the brink of a refusal."""
    axes = len({viewing_axis(camera.side) for camera in cameras})
    inverse_distance = max(camera.inverse_distance for camera in cameras)
    fit = 1 - max(misfit) / MAX_MISFIT if axes > 1 else 1.0  # with one axis nothing is compared
    proportions = 1 - max(disagreement) / MAX_DISAGREEMENT / 2
    lens = 1 - max(0.0, inverse_distance - CLOSE_CAMERA) / (MAX_INVERSE_DISTANCE - CLOSE_CAMERA) / 2
    return round(float(_SCORE_BY_AXES[axes - 1] * max(0.0, fit) * max(0.0, proportions) * max(0.5, lens)), 2)

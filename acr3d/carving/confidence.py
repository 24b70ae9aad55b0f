"""How far a model can be trusted: one figure between 0 and 1, for people.

That the outlines fit one solid is not all: two axes leave more open than three, a lens that had to be found
may have been found wrong, and proportions that had to be reconciled may have been reconciled wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence

from acr3d.carving.calibration import ABSURD_NEARNESS, LARGEST_MISFIT
from acr3d.carving.cameras import Camera, axis_towards

_BY_AXES = (0.5, 0.8, 1.0)  # seen along one, two, three of the part's axes
LARGEST_DISAGREEMENT = 0.2
"""By what share one outline may be larger or smaller than the others let it be; a wide lens explains less."""
NEAR = 0.5
"""One over the distance in sizes of the part: a closer camera bends outlines more than they can tell."""


def sureness(cameras: Sequence[Camera], misfit: Sequence[float], disagreement: Sequence[float]) -> float:
    """1: three axes, and all outlines fit one solid as they are; 0: on the brink of a refusal."""
    axes = len({axis_towards(camera.side) for camera in cameras})
    nearness = max(camera.nearness for camera in cameras)
    fit = 1 - max(misfit) / LARGEST_MISFIT if axes > 1 else 1.0  # with one axis nothing is compared
    proportions = 1 - max(disagreement) / LARGEST_DISAGREEMENT / 2
    lens = 1 - max(0.0, nearness - NEAR) / (ABSURD_NEARNESS - NEAR) / 2
    return round(float(_BY_AXES[axes - 1] * max(0.0, fit) * max(0.0, proportions) * max(0.5, lens)), 2)

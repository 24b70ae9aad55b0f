"""When photos cannot be of one solid: what is refused, and which photo is named.

Enough perspective reconciles nearly any two outlines, and enough tilt likewise. So it does not suffice that
cameras were found for which the outlines fit: they must be cameras that somebody would have used. The limits
stand between what honest photos and photos of other parts show (docs/decisions/engine-contradictions.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from acr3d.carving.calibration import ABSURD_NEARNESS, LARGEST_MISFIT
from acr3d.carving.cameras import Camera, axis_towards
from acr3d.carving.confidence import LARGEST_DISAGREEMENT
from acr3d.carving.errors import CarvingError
from acr3d.carving.opposite_views import OPPOSITE, stretched, unlikeness
from acr3d.carving.silhouette import Outline

_LARGEST_TILT = np.radians(10)
_STRONG_LENS = 0.53  # one over the distance in sizes of the part: a close camera, but people do that
_UNLIKE = 0.1  # what two opposite outlines may differ by when a strong lens or a tilt had to explain it
_BORNE_OUT = 0.6  # of a strong lens: how much of it the photos must ask for without either of such a pair
_UNLIKE_ALONE = 0.3  # and when nothing but these two tells of the part


def check_proportions(disagreement: Sequence[float], outlines: Sequence[Outline]) -> None:
    """Raises Refused when one photo's width and height do not fit the others'."""
    if max(disagreement) > LARGEST_DISAGREEMENT:
        raise _refusal(outlines[int(np.argmax(disagreement))].angle)


def check_cameras(
    cameras: Sequence[Camera],
    misfit: Sequence[float],
    outlines: Sequence[Outline],
    nearness_without: Callable[[str], float],
) -> None:
    """Raises Refused when the outlines fit no solid, or only from where nobody takes photos.

    `nearness_without` tells the nearness that all photos but one ask for.
    """
    unlike, pair = _most_unlike(outlines)
    if len({axis_towards(outline.angle) for outline in outlines}) == 1:  # nothing to find the cameras by
        if unlike > _UNLIKE_ALONE:
            raise _pair_refusal(*pair)
        return
    worst = int(np.argmax(misfit))
    if misfit[worst] > LARGEST_MISFIT:
        raise _refusal(outlines[worst].angle)
    tilts = [float(np.abs(camera.tilt).max()) for camera in cameras]
    if max(tilts) > _LARGEST_TILT:
        tilted = outlines[int(np.argmax(tilts))].angle
        raise _pair_refusal(*pair) if tilted in pair and unlike > _UNLIKE else _refusal(tilted)
    nearness = max(camera.nearness for camera in cameras)
    if nearness > _STRONG_LENS and unlike > _UNLIKE:
        borne_out = min(nearness_without(angle) for angle in pair)
        if borne_out < _BORNE_OUT * nearness:
            raise _pair_refusal(*pair)
    if nearness > ABSURD_NEARNESS:
        raise _refusal(outlines[worst].angle)


def _most_unlike(outlines: Sequence[Outline]) -> tuple[float, tuple[str, str]]:
    by_angle = {outline.angle: stretched(outline.mask) for outline in outlines}
    pairs = [pair for pair in OPPOSITE if by_angle.keys() >= set(pair)]
    found = [(unlikeness(by_angle[one], by_angle[other], one), (one, other)) for one, other in pairs]
    return max(found, default=(0.0, ("", "")))


def _refusal(angle: str) -> CarvingError:
    return CarvingError(
        f"The {angle} photo contradicts the others: its outline does not fit what they show. Check that it "
        f"is labelled rightly, shows the same part, and stands upright as seen from the {angle}.",
        "contradiction",
    )


def _pair_refusal(one: str, other: str) -> CarvingError:
    return CarvingError(
        f"The {one} and the {other} photo contradict each other: seen from opposite sides, a part's outlines "
        "are mirror images. Check that both are labelled rightly and show the same part; if they do, take "
        "them from farther away.",
        "contradiction",
    )

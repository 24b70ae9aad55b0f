"""When photos cannot be of one solid: what is refused, and which photo is named.

Enough perspective reconciles nearly any two outlines, and enough tilt likewise. So it does not suffice that
cameras were found for which the outlines fit: they must be cameras that somebody would have used. The limits
stand between what honest photos and photos of other parts show (docs/decisions/engine-contradictions.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from acr3d.carving.calibration import MAX_INVERSE_DISTANCE, MAX_MISFIT
from acr3d.carving.cameras import PinholeCamera, viewing_axis
from acr3d.carving.confidence import MAX_DISAGREEMENT
from acr3d.carving.errors import CarvingError
from acr3d.carving.opposite_views import OPPOSITE_SIDES, mirror_difference, normalized_mask
from acr3d.carving.silhouette import Silhouette

_MAX_TILT = np.radians(10)
_CLOSE_INVERSE_DISTANCE = (
    0.53  # one over the distance in sizes of the part: a close camera, but people do that
)
_MAX_PAIR_DIFFERENCE = (
    0.1  # what two opposite outlines may differ by when a strong lens or a tilt had to explain it
)
_MIN_CONFIRMED_SHARE = (
    0.6  # of a strong lens: how much of it the photos must ask for without either of such a pair
)
_MAX_SINGLE_PAIR_DIFFERENCE = 0.3  # and when nothing but these two tells of the part


def check_proportions(disagreement: Sequence[float], silhouettes: Sequence[Silhouette]) -> None:
    """Raises Refused when one photo's width and height do not fit the others'."""
    if max(disagreement) > MAX_DISAGREEMENT:
        raise _contradiction(silhouettes[int(np.argmax(disagreement))].angle)


def check_cameras(
    cameras: Sequence[PinholeCamera],
    misfit: Sequence[float],
    silhouettes: Sequence[Silhouette],
    inverse_distance_without: Callable[[str], float],
) -> None:
    """Raises Refused when the outlines fit no solid, or only from where nobody takes photos.

    `nearness_without` tells the nearness that all photos but one ask for.
    """
    unlike, pair = _least_alike_pair(silhouettes)
    if (
        len({viewing_axis(silhouette.angle) for silhouette in silhouettes}) == 1
    ):  # nothing to find the cameras by
        if unlike > _MAX_SINGLE_PAIR_DIFFERENCE:
            raise _pair_contradiction(*pair)
        return
    worst = int(np.argmax(misfit))
    if misfit[worst] > MAX_MISFIT:
        raise _contradiction(silhouettes[worst].angle)
    tilts = [float(np.abs(camera.tilt).max()) for camera in cameras]
    if max(tilts) > _MAX_TILT:
        tilted = silhouettes[int(np.argmax(tilts))].angle
        raise (
            _pair_contradiction(*pair)
            if tilted in pair and unlike > _MAX_PAIR_DIFFERENCE
            else _contradiction(tilted)
        )
    inverse_distance = max(camera.inverse_distance for camera in cameras)
    if inverse_distance > _CLOSE_INVERSE_DISTANCE and unlike > _MAX_PAIR_DIFFERENCE:
        borne_out = min(inverse_distance_without(angle) for angle in pair)
        if borne_out < _MIN_CONFIRMED_SHARE * inverse_distance:
            raise _pair_contradiction(*pair)
    if inverse_distance > MAX_INVERSE_DISTANCE:
        raise _contradiction(silhouettes[worst].angle)


def _least_alike_pair(silhouettes: Sequence[Silhouette]) -> tuple[float, tuple[str, str]]:
    by_angle = {silhouette.angle: normalized_mask(silhouette.mask) for silhouette in silhouettes}
    pairs = [pair for pair in OPPOSITE_SIDES if by_angle.keys() >= set(pair)]
    found = [(mirror_difference(by_angle[one], by_angle[other], one), (one, other)) for one, other in pairs]
    return max(found, default=(0.0, ("", "")))


def _contradiction(angle: str) -> CarvingError:
    return CarvingError(
        f"The {angle} photo contradicts the others: its outline does not fit what they show. Check that it "
        f"is labelled rightly, shows the same part, and stands upright as seen from the {angle}.",
        "contradiction",
    )


def _pair_contradiction(one: str, other: str) -> CarvingError:
    return CarvingError(
        f"The {one} and the {other} photo contradict each other: seen from opposite sides, a part's outlines "
        "are mirror images. Check that both are labelled rightly and show the same part; if they do, take "
        "them from farther away.",
        "contradiction",
    )

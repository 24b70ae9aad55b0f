"""Find what contradicts that photos show one solid, and name the photo that does not match.

Enough perspective or tilt reconciles nearly any two silhouettes. So cameras for which the silhouettes fit are
not enough: they must be cameras that a careful person would have used. The limits lie between what careful
photos of one part and photos of different parts show (docs/decisions/0024-engine-contradictions.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from acr3d.carving.calibration import MAX_INVERSE_DISTANCE, MAX_MISFIT
from acr3d.carving.cameras import PinholeCamera, viewing_axis
from acr3d.carving.confidence import MAX_DISAGREEMENT
from acr3d.carving.errors import side
from acr3d.carving.opposite_views import OPPOSITE_SIDES, mirror_difference, normalized_mask
from acr3d.carving.silhouette import Silhouette
from acr3d.messages.message import Message

_MAX_TILT = np.radians(10)
_CLOSE_INVERSE_DISTANCE = 0.53
"""In part sizes: a close camera, but people do take photos from there."""
_MAX_PAIR_DIFFERENCE = 0.1
"""Between opposite silhouettes, if only a close camera or a tilt explains the difference."""
_MIN_CONFIRMED_SHARE = 0.6
"""Share of a close camera's inverse distance that the photos must imply without either photo of the pair."""
_MAX_SINGLE_PAIR_DIFFERENCE = 0.3
"""Between opposite silhouettes, if the part has no other photos."""


def find_contradiction(
    cameras: Sequence[PinholeCamera],
    misfit: Sequence[float],
    disagreement: Sequence[float],
    silhouettes: Sequence[Silhouette],
    inverse_distance_without: Callable[[str], float],
) -> Message | None:
    """Why no solid fits the silhouettes from likely camera positions; None if one does.

    `disagreement`: of each photo's proportions with the others. `inverse_distance_without(angle)` returns
    the inverse distance that the photos imply without that one.
    """
    if max(disagreement) > MAX_DISAGREEMENT:
        return _of_photo(silhouettes[int(np.argmax(disagreement))].angle)
    difference, pair = _least_alike_pair(silhouettes)
    axes = {viewing_axis(silhouette.angle) for silhouette in silhouettes}
    if len(axes) == 1:  # the cameras cannot be calibrated
        return _of_pair(*pair) if difference > _MAX_SINGLE_PAIR_DIFFERENCE else None
    worst = int(np.argmax(misfit))
    if misfit[worst] > MAX_MISFIT:
        return _of_photo(silhouettes[worst].angle)
    tilts = [float(np.abs(camera.tilt).max()) for camera in cameras]
    if max(tilts) > _MAX_TILT:
        tilted = silhouettes[int(np.argmax(tilts))].angle
        return _of_pair(*pair) if tilted in pair and difference > _MAX_PAIR_DIFFERENCE else _of_photo(tilted)
    inverse_distance = max(camera.inverse_distance for camera in cameras)
    if inverse_distance > _CLOSE_INVERSE_DISTANCE and difference > _MAX_PAIR_DIFFERENCE:
        confirmed = min(inverse_distance_without(angle) for angle in pair)
        if confirmed < _MIN_CONFIRMED_SHARE * inverse_distance:
            return _of_pair(*pair)
    return _of_photo(silhouettes[worst].angle) if inverse_distance > MAX_INVERSE_DISTANCE else None


def _least_alike_pair(silhouettes: Sequence[Silhouette]) -> tuple[float, tuple[str, str]]:
    by_angle = {silhouette.angle: normalized_mask(silhouette.mask) for silhouette in silhouettes}
    pairs = [pair for pair in OPPOSITE_SIDES if by_angle.keys() >= set(pair)]
    found = [(mirror_difference(by_angle[one], by_angle[other], one), (one, other)) for one, other in pairs]
    return max(found, default=(0.0, ("", "")))


def _of_photo(angle: str) -> Message:
    return Message("carving.contradicting_photo", angle=side(angle))


def _of_pair(one: str, other: str) -> Message:
    return Message("carving.contradicting_pair", one=side(one), other=side(other))

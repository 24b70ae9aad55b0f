"""Whether labelled photos fit together, and if not, the one simplest thing that would explain it.

What could be wrong is tried out: two labels swapped, a photo turned on its side, a photo of another part.
An explanation counts when it makes the strain between the outlines vanish, and no other does so as well. In
doubt nothing is said, or only that something does not fit. See docs/decisions/photo-checks.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from acr3d.carving.cameras import SIDES
from acr3d.carving.opposite_views import OPPOSITE_SIDES, mirror_difference
from acr3d.photo_checks.inspection.colours import ColourHistogram, unfamiliar_share
from acr3d.photo_checks.inspection.findings import PhotoFinding
from acr3d.photo_checks.inspection.inconsistency import (
    Vector,
    aspect_residuals,
    estimate_log_sizes,
    inconsistency_scores,
)
from acr3d.photo_checks.inspection.silhouette_shape import NormalizedSilhouette

_CONSISTENT = 3.0  # strain that a lens close by may cause
_INCONSISTENT = 3.5  # strain that it does not
_CLEARLY_INCONSISTENT, _MAX_ASPECT_RESIDUAL = (
    4.5,
    0.3,
)  # strain, and a stretch, well beyond all that honest photos showed
_CLEARLY_INCONSISTENT_TOTAL = 8.0
_INCONSISTENT_TOTAL = 3.0  # strain in all, where without one photo the rest is at rest
_EXPLAINED, _FULLY_EXPLAINED = 0.45, 0.2  # what of the strain an explanation may leave over
_EQUALLY_GOOD = 1.3  # an explanation that leaves this much more is another candidate, not a worse one
_CLEARLY_WORSE_FACTOR, _CLEARLY_WORSE_GAP = (
    2.0,
    3.0,
)  # by what the second best explanation must fall behind, times and strain
_MAX_PAIR_DIFFERENCE, _MAX_SINGLE_PAIR_DIFFERENCE = (
    0.15,
    0.5,
)  # of two outlines together, what only one of them covers
_OUTLIER_FACTOR = 8  # times as unlike as any other pair
_MAX_SCALE_SPREAD, _MIN_SCALE_DIFFERENCE = (
    0.08,
    0.3,
)  # logarithms: one distance for all photos, and a clearly different one
_MIN_UNFAMILIAR_SHARE = 0.5  # of the part's pixels


@dataclass(frozen=True)
class LabelledView:
    """A labelled photo whose part was found; `place` is its place in the request."""

    place: int
    angle: str
    shape: NormalizedSilhouette
    colours: ColourHistogram


def find_label_problems(photos: Sequence[LabelledView]) -> list[PhotoFinding]:
    """What does not fit together; nothing for fewer than two photos. No two may have the same angle."""
    if len(photos) < 2:
        return []
    found = (
        _best_explanation(photos, _scores(photos))
        or _differing_opposite_pair(photos)
        or _colour_outlier(photos)
    )
    return [found] if found else []


def _best_explanation(photos: Sequence[LabelledView], before: Vector) -> PhotoFinding | None:
    if before.max() < _CONSISTENT and before.sum() < _INCONSISTENT_TOTAL:
        return None
    relabelled = _relabelled(photos, before)
    stranger = _stranger(photos, before)
    if relabelled and (stranger is None or relabelled[0] <= 2 * stranger[0] + 1.5):
        return relabelled[1]
    if stranger:
        return stranger[1]
    return _contradiction(photos, before)


def _scores(photos: Sequence[LabelledView]) -> Vector:
    return inconsistency_scores([photo.shape for photo in photos], [photo.angle for photo in photos])


def _relabelled(photos: Sequence[LabelledView], before: Vector) -> tuple[float, PhotoFinding] | None:
    """Two labels swapped or one photo turned, when that makes the rest fit; with the strain left over."""
    if before.max() < _CONSISTENT:
        return None
    tries = [_swapped(photos, *pair) for pair in combinations(range(len(photos)), 2)]
    tries += [_turned(photos, number, quarters) for number in range(len(photos)) for quarters in (1, 2, 3)]
    tries.sort(key=lambda one: one[0])
    left, best = tries[0]
    if left > _EXPLAINED * before.sum():
        return None
    as_good = [finding for rest, finding in tries[1:] if rest <= _EQUALLY_GOOD * left + 0.3]
    if not as_good:
        return left, best
    either = [finding for finding in (best, *as_good) if finding.code == "swapped"]
    if best.code != "swapped" or len(either) != 2 or len(as_good) > 1:
        return None
    return left, replace(best, facts=best.facts | {"or": list(either[1].photos)})


def _swapped(photos: Sequence[LabelledView], one: int, other: int) -> tuple[float, PhotoFinding]:
    changed = list(photos)
    changed[one] = replace(photos[one], angle=photos[other].angle)
    changed[other] = replace(photos[other], angle=photos[one].angle)
    return float(_scores(changed).sum()), PhotoFinding("swapped", (photos[one].place, photos[other].place))


def _turned(photos: Sequence[LabelledView], number: int, quarters: int) -> tuple[float, PhotoFinding]:
    changed = list(photos)
    changed[number] = replace(photos[number], shape=photos[number].shape.rotated(quarters))
    finding = PhotoFinding("turned", (photos[number].place,), {"degrees": 90 * quarters})
    return float(_scores(changed).sum()), finding


def _stranger(photos: Sequence[LabelledView], before: Vector) -> tuple[float, PhotoFinding] | None:
    """The one photo without which all others fit, with the strain they have left.

    Of two opposite photos that are as odd as each other, both are named: they are unlike.
    """
    if len(photos) < 4:
        return None
    without = [_scores([*photos[:number], *photos[number + 1 :]]) for number in range(len(photos))]
    sums = np.array([rest.sum() for rest in without])
    odd, second, *_rest = (int(number) for number in np.argsort(sums))
    share = sums[odd] / before.sum()
    is_wholly_solved = share < _FULLY_EXPLAINED and len(photos) == len(SIDES)
    is_solved = (before.max() > _INCONSISTENT and share < _EXPLAINED) or is_wholly_solved
    if not is_solved or without[odd].max() > _CONSISTENT:
        return None
    if _is_unambiguous(before, sums, odd, second):
        return float(sums[odd]), PhotoFinding("stranger", (photos[odd].place,))
    places = tuple(sorted((photos[odd].place, photos[second].place)))
    are_opposite = any({photos[odd].angle, photos[second].angle} == set(pair) for pair in OPPOSITE_SIDES)
    return (float(sums[odd]), PhotoFinding("unlike", places)) if are_opposite else None


def _is_unambiguous(before: Vector, sums: Vector, odd: int, second: int) -> bool:
    """Whether leaving out `odd` explains clearly more than leaving out the `second` best; fewer than all six
    photos say less about each other, so that an honest one may seem odd beside a stranger."""
    if len(before) < len(SIDES):
        return bool(sums[second] > _CLEARLY_WORSE_FACTOR * sums[odd] + _CLEARLY_WORSE_GAP)
    stands_out = before[odd] > 2.5 * np.delete(before, odd).max()
    return bool(stands_out or sums[second] > _EQUALLY_GOOD * sums[odd] + 0.5)


def _contradiction(photos: Sequence[LabelledView], before: Vector) -> PhotoFinding | None:
    """Nothing simple explains it: those that fit worst, if no lens and no tilt could do that either."""
    off = np.abs(aspect_residuals([photo.shape for photo in photos], [photo.angle for photo in photos]))
    is_off = off.max() > _MAX_ASPECT_RESIDUAL or off.sum() > 2 * _MAX_ASPECT_RESIDUAL
    if before.max() < _CLEARLY_INCONSISTENT and before.sum() < _CLEARLY_INCONSISTENT_TOTAL and not is_off:
        return None
    worst = np.flatnonzero(before > before.max() / 2)
    return PhotoFinding("contradicts", tuple(sorted(photos[number].place for number in worst.tolist())))


def _differing_opposite_pair(photos: Sequence[LabelledView]) -> PhotoFinding | None:
    """Opposite sides that are far less alike than the other pairs, or than any lens could make them."""
    by_angle = {photo.angle: photo for photo in photos}
    pairs = [
        (by_angle[one], by_angle[other])
        for one, other in OPPOSITE_SIDES
        if one in by_angle and other in by_angle
    ]
    unlike = [mirror_difference(one.shape.mask, other.shape.mask, one.angle) for one, other in pairs]
    for number, (one, other) in enumerate(pairs):
        rest = unlike[:number] + unlike[number + 1 :]
        limit = (
            max(_MAX_PAIR_DIFFERENCE, _OUTLIER_FACTOR * max(rest)) if rest else _MAX_SINGLE_PAIR_DIFFERENCE
        )
        if unlike[number] > limit:
            return PhotoFinding("unlike", (one.place, other.place))
    return None


def _colour_outlier(photos: Sequence[LabelledView]) -> PhotoFinding | None:
    """A photo whose outline fits but that differs from the others, which agree, both in scale and colours.

    Each alone has many innocent reasons: a step closer, a label on one side.
    """
    if len(photos) < 4:
        return None
    scales = _scales(photos)
    for number, photo in enumerate(photos):
        others = np.delete(scales, number)
        if (
            np.ptp(others) > _MAX_SCALE_SPREAD
            or abs(scales[number] - np.median(others)) < _MIN_SCALE_DIFFERENCE
        ):
            continue
        known = [other.colours for other in photos if other is not photo]
        if unfamiliar_share(photo.colours, known) > _MIN_UNFAMILIAR_SHARE:
            return PhotoFinding("stranger", (photo.place,))
    return None


def _scales(photos: Sequence[LabelledView]) -> Vector:
    """Per photo the logarithm of how large one and the same part appears in it, up to a constant."""
    sizes = estimate_log_sizes([photo.shape for photo in photos], [photo.angle for photo in photos])
    seen = [np.abs(SIDES[photo.angle][:2]).sum(0) / 2 for photo in photos]
    return np.array([photo.shape.log_scale for photo in photos]) - np.array(seen) @ sizes

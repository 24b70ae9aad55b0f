"""Check whether labelled photos fit together and, if not, find the one simplest explanation.

Possible mistakes are tried out: two labels swapped, a photo on its side, a photo of another part. An
explanation is accepted if it removes the inconsistency between the silhouettes and no other one does so as
well. In doubt nothing is reported, or only that something does not fit.
See docs/decisions/0029-photo-checks.md.
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
from acr3d.photo_checks.inspection.normalized_silhouette import NormalizedSilhouette

# Inconsistency scores: a photo's own, or the total of all photos (inconsistency.py).
_CONSISTENT = 3.0  # perspective from close by can cause this
_INCONSISTENT = 3.5  # perspective does not cause this
_INCONSISTENT_TOTAL = 3.0  # suspicious if the other photos are consistent without one of them
_CLEARLY_INCONSISTENT = 4.5  # well above every score of correct photos
_CLEARLY_INCONSISTENT_TOTAL = 8.0
_MAX_ASPECT_RESIDUAL = 0.3  # likewise, as a logarithm

# What an explanation may leave of the total score, and how it compares with the next best one.
_EXPLAINED, _FULLY_EXPLAINED = 0.45, 0.2
_EQUALLY_GOOD = 1.3  # up to this factor worse, an explanation is an equal candidate
_CLEARLY_WORSE_FACTOR, _CLEARLY_WORSE_GAP = 2.0, 3.0

# Mirror differences of opposite silhouettes.
_MAX_PAIR_DIFFERENCE, _MAX_SINGLE_PAIR_DIFFERENCE = 0.15, 0.5
_OUTLIER_FACTOR = 8  # against every other pair

# Logarithms of the part's scale in the photos: taken from one distance, and from a clearly different one.
_MAX_SCALE_SPREAD, _MIN_SCALE_DIFFERENCE = 0.08, 0.3
_MIN_UNFAMILIAR_SHARE = 0.5  # of the part's pixels


@dataclass(frozen=True)
class LabelledView:
    """A labelled photo in which the part was found; `index` is its position in the request."""

    index: int
    angle: str
    silhouette: NormalizedSilhouette
    colours: ColourHistogram


def find_label_problems(photos: Sequence[LabelledView]) -> list[PhotoFinding]:
    """Report what does not fit together. All photos must have different angles."""
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
    odd_one = _odd_one_out(photos, before)
    if relabelled and (odd_one is None or relabelled[0] <= 2 * odd_one[0] + 1.5):
        return relabelled[1]
    if odd_one:
        return odd_one[1]
    return _contradiction(photos, before)


def _scores(photos: Sequence[LabelledView]) -> Vector:
    return inconsistency_scores([photo.silhouette for photo in photos], [photo.angle for photo in photos])


def _relabelled(photos: Sequence[LabelledView], before: Vector) -> tuple[float, PhotoFinding] | None:
    """Swapped labels or one rotated photo, if that makes all photos fit; with the remaining total score."""
    if before.max() < _CONSISTENT:
        return None
    tries = [_swapped(photos, *pair) for pair in combinations(range(len(photos)), 2)]
    tries += [_turned(photos, number, quarters) for number in range(len(photos)) for quarters in (1, 2, 3)]
    tries.sort(key=lambda one: one[0])
    left, best = tries[0]
    if left > _EXPLAINED * before.sum():
        return None
    equally_good = [finding for rest, finding in tries[1:] if rest <= _EQUALLY_GOOD * left + 0.3]
    if not equally_good:
        return left, best
    swaps = [finding for finding in (best, *equally_good) if finding.code == "swapped"]
    if best.code != "swapped" or len(swaps) != 2 or len(equally_good) > 1:
        return None
    return left, replace(best, facts=best.facts | {"or": list(swaps[1].photos)})


def _swapped(photos: Sequence[LabelledView], one: int, other: int) -> tuple[float, PhotoFinding]:
    changed = list(photos)
    changed[one] = replace(photos[one], angle=photos[other].angle)
    changed[other] = replace(photos[other], angle=photos[one].angle)
    return float(_scores(changed).sum()), PhotoFinding("swapped", (photos[one].index, photos[other].index))


def _turned(photos: Sequence[LabelledView], number: int, quarters: int) -> tuple[float, PhotoFinding]:
    changed = list(photos)
    changed[number] = replace(photos[number], silhouette=photos[number].silhouette.rotated(quarters))
    finding = PhotoFinding("turned", (photos[number].index,), {"degrees": 90 * quarters})
    return float(_scores(changed).sum()), finding


def _odd_one_out(photos: Sequence[LabelledView], before: Vector) -> tuple[float, PhotoFinding] | None:
    """The one photo without which all others fit, with their remaining total score.

    If two opposite photos are equally odd, both are named as a pair that does not match.
    """
    if len(photos) < 4:
        return None
    without = [_scores([*photos[:number], *photos[number + 1 :]]) for number in range(len(photos))]
    sums = np.array([rest.sum() for rest in without])
    odd, second, *_rest = (int(number) for number in np.argsort(sums))
    remaining = sums[odd] / before.sum()
    is_fully_explained = remaining < _FULLY_EXPLAINED and len(photos) == len(SIDES)
    is_explained = (before.max() > _INCONSISTENT and remaining < _EXPLAINED) or is_fully_explained
    if not is_explained or without[odd].max() > _CONSISTENT:
        return None
    if _is_unambiguous(before, sums, odd, second):
        return float(sums[odd]), PhotoFinding("stranger", (photos[odd].index,))
    indices = tuple(sorted((photos[odd].index, photos[second].index)))
    are_opposite = any({photos[odd].angle, photos[second].angle} == set(pair) for pair in OPPOSITE_SIDES)
    return (float(sums[odd]), PhotoFinding("unlike", indices)) if are_opposite else None


def _is_unambiguous(before: Vector, sums: Vector, odd: int, second: int) -> bool:
    """Whether leaving out `odd` explains clearly more than leaving out the `second` best candidate.

    With fewer than six photos the margin is larger: they say less about each other, so a correct photo may
    seem odd next to one of another part.
    """
    if len(before) < len(SIDES):
        return bool(sums[second] > _CLEARLY_WORSE_FACTOR * sums[odd] + _CLEARLY_WORSE_GAP)
    stands_out = before[odd] > 2.5 * np.delete(before, odd).max()
    return bool(stands_out or sums[second] > _EQUALLY_GOOD * sums[odd] + 0.5)


def _contradiction(photos: Sequence[LabelledView], before: Vector) -> PhotoFinding | None:
    """Without a simple explanation, the photos that fit worst, unless perspective or tilt may explain it."""
    off = np.abs(aspect_residuals([photo.silhouette for photo in photos], [photo.angle for photo in photos]))
    is_off = off.max() > _MAX_ASPECT_RESIDUAL or off.sum() > 2 * _MAX_ASPECT_RESIDUAL
    if before.max() < _CLEARLY_INCONSISTENT and before.sum() < _CLEARLY_INCONSISTENT_TOTAL and not is_off:
        return None
    worst = np.flatnonzero(before > before.max() / 2)
    return PhotoFinding("contradicts", tuple(sorted(photos[number].index for number in worst.tolist())))


def _differing_opposite_pair(photos: Sequence[LabelledView]) -> PhotoFinding | None:
    """A pair of opposite sides that differs far more than the other pairs, or than perspective allows."""
    by_angle = {photo.angle: photo for photo in photos}
    pairs = [
        (by_angle[one], by_angle[other])
        for one, other in OPPOSITE_SIDES
        if one in by_angle and other in by_angle
    ]
    differences = [
        mirror_difference(one.silhouette.mask, other.silhouette.mask, one.angle) for one, other in pairs
    ]
    for number, (one, other) in enumerate(pairs):
        rest = differences[:number] + differences[number + 1 :]
        limit = (
            max(_MAX_PAIR_DIFFERENCE, _OUTLIER_FACTOR * max(rest)) if rest else _MAX_SINGLE_PAIR_DIFFERENCE
        )
        if differences[number] > limit:
            return PhotoFinding("unlike", (one.index, other.index))
    return None


def _colour_outlier(photos: Sequence[LabelledView]) -> PhotoFinding | None:
    """A photo whose silhouette fits, but whose scale and colours both differ from the others, which agree.

    A difference in only one of them has many harmless reasons: a step closer, a label on one side.
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
            return PhotoFinding("stranger", (photo.index,))
    return None


def _scales(photos: Sequence[LabelledView]) -> Vector:
    """Per photo, the logarithm of the part's scale in it, up to a constant."""
    sizes = estimate_log_sizes([photo.silhouette for photo in photos], [photo.angle for photo in photos])
    seen = [np.abs(SIDES[photo.angle][:2]).sum(0) / 2 for photo in photos]
    return np.array([photo.silhouette.log_scale for photo in photos]) - np.array(seen) @ sizes

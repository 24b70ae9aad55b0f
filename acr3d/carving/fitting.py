"""Fit cameras to the silhouettes: as careful photographers take them, or else as well as can be.

Photos that agree on one solid from level cameras are used as they are. Others are reconciled, and of the two
results the one whose solid looks more like the outlines is used. The doubts are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from acr3d.carving.calibration import Calibration, calibrate
from acr3d.carving.cameras import viewing_axis
from acr3d.carving.confidence import MIN_LIKENESS
from acr3d.carving.consistency import find_contradiction
from acr3d.carving.distance_field import DistanceField, distance_field
from acr3d.carving.errors import CarvingError
from acr3d.carving.initial_size import Proportions, estimate_proportions, initial_cameras
from acr3d.carving.likeness import outline_likeness
from acr3d.carving.reconciliation import reconcile
from acr3d.carving.silhouette import Silhouette
from acr3d.messages.message import Message

_TOLERATED_RAYS = 90  # per cent of the rays that miss the other outlines by less than those are grown
_MAX_SLACK = 0.03  # of the part's largest side; more would be another shape


@dataclass(frozen=True)
class Fit:
    """The photos that are used, and the cameras that took them.

    `fields`: their distance fields, grown where the silhouettes disagree. `likeness`: per photo, the IoU of
    its outline with the solid's; empty if the silhouettes fit as they are. `doubts`: what did not fit.
    """

    silhouettes: list[Silhouette]
    fields: list[DistanceField]
    proportions: Proportions
    calibration: Calibration
    likeness: tuple[float, ...] = ()
    doubts: tuple[Message, ...] = ()


def fit_photos(silhouettes: Sequence[Silhouette]) -> Fit:
    """The best cameras for the silhouettes. Raises CarvingError if no solid looks like them."""
    photos = list(silhouettes)
    fields = [distance_field(photo.mask) for photo in photos]
    proportions = estimate_proportions(photos)
    calibration = calibrate(initial_cameras(photos, proportions), photos, fields, proportions.size)
    contradiction = find_contradiction(
        calibration.cameras,
        calibration.misfit,
        proportions.disagreement,
        photos,
        lambda angle: _inverse_distance_without(angle, photos, fields),
    )
    careful = Fit(photos, fields, proportions, calibration)
    if contradiction is None:
        return careful
    fits = [_tolerant(careful, [])]
    if len({viewing_axis(photo.angle) for photo in photos}) > 1:
        found = reconcile(photos)
        free = Fit(found.silhouettes, found.fields, found.proportions, found.calibration)
        fits.append(_tolerant(free, found.doubts))
    best = max(fits, key=lambda fit: min(fit.likeness))
    if min(best.likeness) < MIN_LIKENESS:
        raise CarvingError(contradiction, "contradiction")
    return replace(best, doubts=best.doubts or (contradiction,))


def _inverse_distance_without(angle: str, photos: list[Silhouette], fields: list[DistanceField]) -> float:
    """The camera's inverse distance that the photos imply without this one."""
    kept = [number for number, photo in enumerate(photos) if photo.angle != angle]
    others = [photos[number] for number in kept]
    proportions = estimate_proportions(others)
    cameras = initial_cameras(others, proportions)
    found = calibrate(cameras, others, [fields[number] for number in kept], proportions.size)
    return max(camera.inverse_distance for camera in found.cameras)


def _tolerant(fit: Fit, doubts: Sequence[Message]) -> Fit:
    """The fit with outlines grown by as much as most rays miss them."""
    calibration = fit.calibration
    misses = -np.concatenate(calibration.coherence.misses(calibration.cameras))
    size = float((calibration.box[1] - calibration.box[0]).max())
    slack = min(float(np.percentile(misses, _TOLERATED_RAYS)), _MAX_SLACK * size)
    fields = [
        field.grown(slack * camera.zoom)
        for field, camera in zip(fit.fields, calibration.cameras, strict=True)
    ]
    box = calibration.box + np.array([[-slack], [slack]])
    likeness = outline_likeness(replace(calibration, box=box), fields, fit.silhouettes)
    return replace(
        fit,
        fields=fields,
        calibration=replace(calibration, box=box),
        likeness=likeness,
        doubts=tuple(doubts),
    )

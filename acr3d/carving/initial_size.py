"""Estimate the part's proportions and initial cameras from the silhouettes' widths and heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import AXIS_NAMES, SIDES, PinholeCamera, viewing_axis
from acr3d.carving.silhouette import Silhouette


@dataclass(frozen=True)
class Proportions:
    """The part's proportions and each photo's scale.

    `size`: width, height, depth; the largest is 1. `zooms`: mask pixels per unit of length, per photo.
    `assumptions`: sentences about sizes that no photo shows. `disagreement`: per photo, the relative error
    of its silhouette's size against what the other photos imply.
    """

    size: NDArray[np.float64]
    zooms: tuple[float, ...]
    assumptions: tuple[str, ...]
    disagreement: tuple[float, ...]


def estimate_proportions(silhouettes: list[Silhouette]) -> Proportions:
    """One size for the part and one zoom per photo, by least squares over their logarithms.

    Every photo measures two of the three sizes, each multiplied by the photo's zoom. A weak preference for
    equal zooms (one photographer, one distance) decides what the photos leave open.
    """
    rows, values, weights = _measurements(silhouettes)
    seen = len(rows)
    _add_regularization(len(silhouettes), rows, values, weights)
    system, target = np.array(rows), np.array(values)
    weight = np.array(weights)
    solution = np.linalg.lstsq(system * weight[:, None], target * weight, rcond=None)[0]
    contradictions = np.expm1(np.abs(system[:seen] @ solution - target[:seen])).reshape(-1, 2).max(1)
    sizes, zooms = np.exp(solution[:3]), np.exp(solution[3:])
    sizes, assumptions = _assume_unseen_size(sizes, silhouettes)
    largest = sizes.max()
    return Proportions(sizes / largest, tuple(zooms * largest), assumptions, tuple(contradictions))


def _measurements(silhouettes: list[Silhouette]) -> tuple[list[list[float]], list[float], list[float]]:
    rows: list[list[float]] = []
    values = []
    for number, silhouette in enumerate(silhouettes):
        left, top, right, bottom = silhouette.box
        for direction, pixels in zip(SIDES[silhouette.angle][:2], (right - left, bottom - top), strict=True):
            row = [0.0] * (3 + len(silhouettes))
            row[int(np.abs(direction).argmax())] = 1.0
            row[3 + number] = 1.0
            rows.append(row)
            values.append(float(np.log(pixels)))
    return rows, values, [1.0] * len(rows)


def _add_regularization(
    photos: int, rows: list[list[float]], values: list[float], weights: list[float]
) -> None:
    """Add weak equations that decide only what the measurements leave open: equal zooms, a unit of length."""
    for number in range(photos):
        row = [0.0] * (3 + photos)
        row[3 + number] = 1.0
        row[3] -= 1.0
        rows.append(row)
        values.append(0.0)
        weights.append(1e-2)
    rows.append([1.0, 1.0, 1.0] + [0.0] * photos)
    values.append(0.0)
    weights.append(1e-3)


def _assume_unseen_size(
    sizes: NDArray[np.float64], silhouettes: list[Silhouette]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """If all photos look along one axis, assume the smaller of the two visible sizes along it."""
    axes = {viewing_axis(silhouette.angle) for silhouette in silhouettes}
    if len(axes) > 1:
        return sizes, ()
    unseen = axes.pop()
    assumed = min(np.delete(sizes, unseen))
    sizes[unseen] = assumed
    name = AXIS_NAMES[unseen]
    return sizes, (
        f"No photo shows the {name}. It is assumed to be as large as the smaller of the other two sizes.",
    )


def initial_cameras(silhouettes: list[Silhouette], proportions: Proportions) -> list[PinholeCamera]:
    """Per silhouette, a camera without tilt or perspective whose view of the part is centred on it."""
    cameras = []
    for silhouette, zoom in zip(silhouettes, proportions.zooms, strict=True):
        left, top, right, bottom = silhouette.box
        centre = (silhouette.mask.shape[1] / 2 - 0.5, silhouette.mask.shape[0] / 2 - 0.5)
        shift = (((left + right - 1) / 2 - centre[0]) / zoom, (centre[1] - (top + bottom - 1) / 2) / zoom)
        cameras.append(PinholeCamera(silhouette.angle, zoom, shift, centre))
    return cameras

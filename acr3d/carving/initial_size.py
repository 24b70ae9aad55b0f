"""From the outlines' widths and heights to the part's proportions and a first camera for each side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import AXIS_NAMES, SIDES, Camera, axis_towards
from acr3d.carving.silhouette import Outline


@dataclass(frozen=True)
class Proportions:
    """`size`: width, height, depth with the largest at 1; `zooms`: mask pixels per unit, photo by photo;
    `guessed`: sentences about what no photo shows; `disagreement`: per photo, by what share its outline is
    larger or smaller than the others let it be."""

    size: NDArray[np.float64]
    zooms: tuple[float, ...]
    guessed: tuple[str, ...]
    disagreement: tuple[float, ...]


def find_proportions(outlines: list[Outline]) -> Proportions:
    """One size for the part and one zoom for each photo, by least squares over their logarithms.

    Every photo measures two of the three sizes times its own zoom. What the photos leave open is taken by the
    weak wish that all zooms be equal: one photographer, one distance.
    """
    rows, values, weights = _measurements(outlines)
    seen = len(rows)
    _wishes(len(outlines), rows, values, weights)
    system, target = np.array(rows), np.array(values)
    weight = np.array(weights)
    solution = np.linalg.lstsq(system * weight[:, None], target * weight, rcond=None)[0]
    contradictions = np.expm1(np.abs(system[:seen] @ solution - target[:seen])).reshape(-1, 2).max(1)
    sizes, zooms = np.exp(solution[:3]), np.exp(solution[3:])
    sizes, guessed = _unseen_size(sizes, outlines)
    largest = sizes.max()
    return Proportions(sizes / largest, tuple(zooms * largest), guessed, tuple(contradictions))


def _measurements(outlines: list[Outline]) -> tuple[list[list[float]], list[float], list[float]]:
    rows: list[list[float]] = []
    values = []
    for number, outline in enumerate(outlines):
        left, top, right, bottom = outline.box
        for direction, pixels in zip(SIDES[outline.angle][:2], (right - left, bottom - top), strict=True):
            row = [0.0] * (3 + len(outlines))
            row[int(np.abs(direction).argmax())] = 1.0
            row[3 + number] = 1.0
            rows.append(row)
            values.append(float(np.log(pixels)))
    return rows, values, [1.0] * len(rows)


def _wishes(photos: int, rows: list[list[float]], values: list[float], weights: list[float]) -> None:
    """Weak equations that settle only what the measurements leave open: equal zooms, a unit of length."""
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


def _unseen_size(
    sizes: NDArray[np.float64], outlines: list[Outline]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """With photos along one axis only, the size along it: the smaller side, as of a round or square bar."""
    axes = {axis_towards(outline.angle) for outline in outlines}
    if len(axes) > 1:
        return sizes, ()
    unseen = axes.pop()
    guess = min(np.delete(sizes, unseen))
    sizes[unseen] = guess
    name = AXIS_NAMES[unseen]
    return sizes, (
        f"No photo shows the {name}; it was taken to be as large as the smaller of the other two.",
    )


def first_cameras(outlines: list[Outline], proportions: Proportions) -> list[Camera]:
    """For each outline a camera without tilt or perspective that puts the part's middle in its outline's."""
    cameras = []
    for outline, zoom in zip(outlines, proportions.zooms, strict=True):
        left, top, right, bottom = outline.box
        centre = (outline.mask.shape[1] / 2 - 0.5, outline.mask.shape[0] / 2 - 0.5)
        shift = (((left + right - 1) / 2 - centre[0]) / zoom, (centre[1] - (top + bottom - 1) / 2) / zoom)
        cameras.append(Camera(outline.angle, zoom, shift, centre))
    return cameras

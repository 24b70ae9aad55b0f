"""Lens and camera of each picture, from the sheet's markers in them alone: nothing is known of the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.capture_sheet.layout import Sheet
from acr3d.spin.bundle import Adjusted, View, adjust
from acr3d.spin.camera import Camera, Lens
from acr3d.spin.errors import SpinError
from acr3d.spin.markers import FEWEST_MARKERS, Sighting, sheet_points

Floats = NDArray[np.float64]

FEWEST_OF_LENS = 5
"""Pictures of one size, without which their lens cannot be known."""
_CALIBRATED = 16
_START_NOISE, _LEAST_NOISE = 0.5, 0.1  # px
_ROUNDS = 3
_OUTLIER = 4.0  # times the median distance
_MOST_OFF = 0.0015  # of the longest side: no lens and flat sheet explain a picture whose median is beyond
_FIXED = cv2.CALIB_FIX_ASPECT_RATIO | cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_K2 | cv2.CALIB_FIX_K3


@dataclass(frozen=True)
class Posed:
    """A picture's camera. `residual_px`: the median distance of its corners; `markers`: how many count."""

    camera: Camera
    residual_px: float
    markers: int


def lenses_of(sheet: Sheet, sightings: Sequence[Sighting]) -> dict[tuple[int, int], Lens]:
    """A first lens for each picture size that enough pictures have (Zhang's method, in OpenCV)."""
    lenses: dict[tuple[int, int], Lens] = {}
    for size in {one.size for one in sightings}:
        group = [one for one in sightings if one.size == size]
        if len(group) >= FEWEST_OF_LENS:
            lenses[size] = _calibrated(sheet, _spread(group, _CALIBRATED), *size)
    return lenses


def place(sheet: Sheet, sighting: Sighting, lens: Lens) -> Camera | None:
    """The camera that saw these markers through this lens; None when it would be under the sheet."""
    points = sheet_points(sheet, sighting.ids).reshape(-1, 3)
    pixels = sighting.corners.reshape(-1, 1, 2)
    distortion = np.array([lens.k1, 0, 0, 0, 0])
    found, turns, shifts, _ = cv2.solvePnPGeneric(
        points, pixels, lens.matrix, distortion, flags=cv2.SOLVEPNP_IPPE
    )
    if not found:
        return None
    turn, shift = cv2.solvePnPRefineLM(points, pixels, lens.matrix, distortion, turns[0], shifts[0])
    camera = Camera(lens, cv2.Rodrigues(turn)[0], shift.ravel())
    return camera if camera.place[2] > 0 and np.isfinite(camera.place).all() else None


def refined(sheet: Sheet, sightings: Sequence[Sighting], cameras: Sequence[Camera]) -> list[Posed | None]:
    """The pictures' cameras after bundle adjustment; None for a picture that the others contradict.

    Raises SpinError when no lens and no flat sheet explain what was seen.
    """
    lenses = list(dict.fromkeys(camera.lens for camera in cameras))
    views = [
        _view(sheet, one, lenses.index(camera.lens)) for one, camera in zip(sightings, cameras, strict=True)
    ]
    kept = list(range(len(views)))
    corners = sheet_points(sheet, sheet.ids).reshape(-1, 3)
    noise, poses = _START_NOISE, list(cameras)
    for _ in range(_ROUNDS):
        adjusted = adjust(corners, [views[i] for i in kept], lenses, poses, noise)
        middle = float(np.median(np.concatenate(adjusted.residuals)))
        lenses, noise = adjusted.lenses, max(1.5 * middle, _LEAST_NOISE)
        kept, poses, views = _without_outliers(kept, views, adjusted, middle)
        if not kept:
            raise SpinError("spin.no_one_lens")
    last = adjust(corners, [views[i] for i in kept], lenses, poses, noise)
    posed: list[Posed | None] = [None] * len(views)
    for i, camera, residuals in zip(kept, last.cameras, last.residuals, strict=True):
        posed[i] = Posed(camera, float(np.median(residuals)), len(np.unique(views[i].places // 4)))
    return posed


def _without_outliers(
    kept: list[int], views: list[View], adjusted: Adjusted, middle: float
) -> tuple[list[int], list[Camera], list[View]]:
    """What is left without corners far off, and without pictures that are mostly so."""
    views = list(views)
    left, poses = [], []
    for i, camera, residuals in zip(kept, adjusted.cameras, adjusted.residuals, strict=True):
        most_off = _MOST_OFF * max(camera.lens.width, camera.lens.height)
        fits = residuals < max(_OUTLIER * middle, _LEAST_NOISE)
        view = views[i]
        views[i] = View(view.lens, view.places[fits], view.pixels[fits])
        if fits.sum() >= 4 * FEWEST_MARKERS - 2 and fits.mean() > 0.5 and np.median(residuals) < most_off:
            left.append(i)
            poses.append(camera)
    return left, poses, views


def _view(sheet: Sheet, sighting: Sighting, lens: int) -> View:
    places = 4 * (sighting.ids - sheet.first)[:, None] + np.arange(4)
    return View(lens, places.ravel(), sighting.corners.reshape(-1, 2))


def _calibrated(sheet: Sheet, group: Sequence[Sighting], width: int, height: int) -> Lens:
    points = [sheet_points(sheet, one.ids).reshape(-1, 3).astype(np.float32) for one in group]
    pixels = [one.corners.reshape(-1, 2).astype(np.float32) for one in group]
    square = np.array([[1.0, 0, (width - 1) / 2], [0, 1.0, (height - 1) / 2], [0, 0, 1]])
    try:
        _, matrix, distortion, _, _ = cv2.calibrateCamera(
            points, pixels, (width, height), square, None, flags=_FIXED
        )
    except cv2.error as error:
        raise SpinError("spin.no_one_lens") from error
    centre = float(matrix[0, 2]), float(matrix[1, 2])
    return Lens(width, height, float(matrix[0, 0]), centre, float(np.ravel(distortion)[0]))


def _spread(group: list[Sighting], count: int) -> list[Sighting]:
    """At most `count` of them, evenly, each time the one with the most markers."""
    runs = np.array_split(np.arange(len(group)), min(count, len(group)))
    return [max((group[i] for i in run), key=lambda one: len(one.ids)) for run in runs]

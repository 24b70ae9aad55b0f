"""Where the cameras truly stood: tilt, offset, zoom and the lens, from outlines that disagree.

Silhouette coherence (Hernández, Schmitt, Cipolla 2007, "Silhouette coherence for camera calibration under
circular motion"): a ray through any point of one outline must touch the part, so it must somewhere lie inside
all other outlines' cones. How far it misses them is the error that is made small, over all photos at once.
Weak wishes (small tilts, one lens and about one distance for all photos, a long lens) settle what the
outlines leave open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from acr3d.engine.fields import DistanceField
from acr3d.engine.outline import Outline
from acr3d.engine.views import Camera, axis_towards

Vector = NDArray[np.float64]

_RAYS = 140  # per photo
_SIDE = 256  # cells of the coarse fields the rays are tried in
_STEPS = 40  # places tried along each ray
_PER_CAMERA = 6  # log zoom, shift (2), tilt (3)
_USUAL_TILT = 0.03  # radians: a careful photographer's
_USUAL_STEP = 0.04  # how much farther or nearer, as a share, one photo is taken than another
_USUAL_ERROR = 0.003  # of the part's largest side: what an outline is good for
_USUAL_LENS = 1.0  # picture side over focal length: a telephoto lens has less, a wide one more


@dataclass(frozen=True)
class Calibration:
    """What the outlines say together.

    `cameras`: in the photos' order; `misfit`: per photo, the mean miss of its outline's rays, in sizes of the
    part; `box`: (2, 3) lowest and highest corner of the smallest upright box that still fills every outline.
    """

    cameras: list[Camera]
    misfit: tuple[float, ...]
    box: Vector


def calibrate(
    cameras: list[Camera], outlines: list[Outline], fields: list[DistanceField], size: Vector
) -> Calibration:
    """Refine the first `cameras` until the outlines agree about one solid of about `size` (largest 1)."""
    problem = _Problem(cameras, outlines, fields, size)
    if len({axis_towards(camera.side) for camera in cameras}) < 2:
        return problem.answer(problem.start)
    solution = least_squares(problem.errors, problem.start, loss="soft_l1", diff_step=[1e-4], max_nfev=12).x
    return problem.answer(solution)


class _Problem:
    """The unknowns in one vector of numbers around zero, each measured by how far it usually strays."""

    def __init__(
        self, cameras: list[Camera], outlines: list[Outline], fields: list[DistanceField], size: Vector
    ) -> None:
        self.first = cameras
        self.size = size
        self.fields = [field.coarser(max(1, max(field.values.shape) // _SIDE)) for field in fields]
        self.picture_sides = [max(outline.mask.shape) for outline in outlines]
        self.rays = [_outline_points(field) for field in self.fields]
        self.depths = [_depths(camera, size) for camera in cameras]
        self.start = np.zeros(_PER_CAMERA * len(cameras) + 1)
        self.unit = np.array([0.05, 0.03, 0.03, *[_USUAL_TILT] * 3])
        self.wish = np.array([0.2, 0.2, 0.2, 1, 1, 1] * len(cameras) + [1])

    def cameras(self, unknowns: Vector) -> list[Camera]:
        lens = abs(unknowns[-1]) * _USUAL_LENS
        moved = []
        for number, camera in enumerate(self.first):
            zoom, right, up, *tilt = unknowns[_PER_CAMERA * number :][:_PER_CAMERA] * self.unit
            zoomed = camera.zoom * float(np.exp(zoom))
            moved.append(
                camera.moved(
                    zoom=zoomed,
                    shift=(camera.shift[0] + right, camera.shift[1] + up),
                    tilt=tuple(tilt),
                    nearness=lens * zoomed / self.picture_sides[number],
                )
            )
        return moved

    def errors(self, unknowns: Vector) -> Vector:
        misses = np.concatenate(self._misses(unknowns)) / _USUAL_ERROR
        zooms = np.array([camera.zoom for camera in self.cameras(unknowns)]) / self.picture_sides
        distances = np.log(zooms / np.exp(np.log(zooms).mean())) / _USUAL_STEP
        return np.concatenate([misses / np.sqrt(_RAYS / 20), distances, unknowns * self.wish])

    def answer(self, unknowns: Vector) -> Calibration:
        cameras = self.cameras(unknowns)
        misfit = tuple(float(-miss.mean()) for miss in self._misses(unknowns))
        boxes = [self._needed_box(cameras, number) for number in range(len(cameras))]
        low = np.min([box[0] for box in boxes], axis=0)
        high = np.max([box[1] for box in boxes], axis=0)
        axes = {axis_towards(camera.side) for camera in cameras}
        if len(axes) == 1:  # nothing bounds the solid along the one axis all look along but its guessed size
            axis = axes.pop()
            low[axis], high[axis] = -self.size[axis] / 2, self.size[axis] / 2
        return Calibration(cameras, misfit, np.array([low, high]))

    def _misses(self, unknowns: Vector) -> list[Vector]:
        """Per photo and ray: how far, in units, the ray stays outside the other cones (0 or negative)."""
        cameras = self.cameras(unknowns)
        alongs = [self._along_rays(cameras, number)[1] for number in range(len(cameras))]
        return [np.minimum(inside.max(1), 0.0) for inside in alongs]

    def _along_rays(self, cameras: list[Camera], number: int) -> tuple[Vector, Vector]:
        """Points (rays, steps, 3) on one outline's rays, and their depth (rays, steps) in all other cones."""
        column, row = self.rays[number]
        depth = self.depths[number]
        shape = (len(column), len(depth))
        pixels_and_depths = (column[:, None], row[:, None], depth[None])
        points = cameras[number].points_at(
            *(np.broadcast_to(part, shape).ravel() for part in pixels_and_depths)
        )
        inside = np.full(len(points), np.inf)
        for other, (camera, field) in enumerate(zip(cameras, self.fields, strict=True)):
            if other != number:
                columns, rows, towards = camera.project(points)
                units = field.at(columns, rows) * (1 - camera.nearness * towards) / camera.zoom
                inside = np.minimum(inside, units)
        return np.asarray(points.reshape(*shape, 3), np.float64), inside.reshape(shape)

    def _needed_box(self, cameras: list[Camera], number: int) -> Vector:
        """How far the solid must reach in each direction so that every ray of this outline still meets it.

        A near rim hides what a lens lets the hull bulge to behind it; no outline asks for that bulge.
        """
        points, inside = self._along_rays(cameras, number)
        deepest = inside.max(1, keepdims=True)
        met = inside >= np.minimum(deepest, 0.0) - _USUAL_ERROR
        lowest = np.where(met[..., None], points, np.inf).min(1)
        highest = np.where(met[..., None], points, -np.inf).max(1)
        box: Vector = np.array([highest.min(0), lowest.max(0)])
        return box


def _outline_points(field: DistanceField) -> tuple[Vector, Vector]:
    """(columns, rows) in mask pixels of points spread along the outline, moved onto its very line."""
    values = field.values
    rows, columns = np.nonzero(np.abs(values) < 0.75 * field.step)
    chosen = np.linspace(0, len(rows) - 1, min(_RAYS, len(rows))).astype(int)
    rows, columns = rows[chosen], columns[chosen]
    slope_row, slope_column = (np.gradient(values, axis=axis) for axis in (0, 1))
    depth = values[rows, columns] / field.step
    offset = (field.step - 1) / 2
    exact_columns = columns - depth * slope_column[rows, columns] / field.step
    exact_rows = rows - depth * slope_row[rows, columns] / field.step
    return exact_columns * field.step + offset, exact_rows * field.step + offset


def _depths(camera: Camera, size: Vector) -> Vector:
    reach = 0.55 * size[axis_towards(camera.side)]
    return np.linspace(-reach, reach, _STEPS)

"""How well outlines agree about one solid, as errors to be made small.

Silhouette coherence (Hernández, Schmitt, Cipolla 2007, "Silhouette coherence for camera calibration under
circular motion"): a ray through any point of one outline must touch the part, so it must somewhere lie inside
all other outlines' cones. How far it misses them is the error. Weak wishes (small tilts, one lens and about
one distance for all photos, a long lens) settle what the outlines leave open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import Camera, EachCamera, axis_towards
from acr3d.carving.distance_field import DistanceField, EachField
from acr3d.carving.silhouette import Outline

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]

USUAL_ERROR = 0.003  # of the part's largest side: what an outline is good for
_USUAL_PIXELS = 1.0  # and of a mask pixel, where photos are small
_RAYS = 140  # per photo
_SIDE = 256  # cells of the coarse fields the rays are tried in
_STEPS = 40  # places tried along each ray
_PER_CAMERA = 6  # log zoom, shift (2), tilt (3)
_USUAL_TILT = 0.03  # radians: a careful photographer's
_USUAL_STEP = 0.04  # how much farther or nearer, as a share, one photo is taken than another
_USUAL_LENS = 1.0  # picture side over focal length: a telephoto lens has less, a wide one more
LENS_WISH = 1.0
"""How much a long lens is wished for: weaker than the others, as lenses differ more than careful hands."""
_NUDGE = 1e-5  # by how much an unknown is moved to see the slope


@dataclass(frozen=True)
class _Ray:
    """Places on one photo's outline: (rays,) columns and rows, and the depths tried along each."""

    columns: Vector
    rows: Vector
    depths: Vector


@dataclass(frozen=True)
class _Decided:
    """Ray by ray over all photos: whose it is, its pixel, the depth that decides its miss, how far inside the
    other cones it is there, and the photo whose cone is the tightest."""

    owner: Integers
    columns: Vector
    rows: Vector
    depths: Vector
    inside: Vector
    decider: Integers

    def some(self, which: Integers) -> _Decided:
        return _Decided(
            self.owner[which],
            self.columns[which],
            self.rows[which],
            self.depths[which],
            self.inside[which],
            self.decider[which],
        )


class Coherence:
    """The unknowns in one vector of numbers around zero, each measured by how far it usually strays."""

    def __init__(
        self,
        cameras: list[Camera],
        outlines: list[Outline],
        fields: list[DistanceField],
        size: Vector,
        lens_wish: float = LENS_WISH,
    ) -> None:
        self.first = cameras
        self.fields = [field.coarser(max(1, max(field.values.shape) // _SIDE)) for field in fields]
        self._each_field = EachField(self.fields)
        self.picture_sides = [max(outline.mask.shape) for outline in outlines]
        self.rays = [
            _Ray(*_outline_points(field), _depths(camera, size))
            for field, camera in zip(self.fields, cameras, strict=True)
        ]
        self.unit = np.array([0.05, 0.03, 0.03, *[_USUAL_TILT] * 3])
        self.wish = np.array([0.2, 0.2, 0.2, 1, 1, 1] * len(cameras) + [lens_wish])
        self.error = max(USUAL_ERROR, *(_USUAL_PIXELS / camera.zoom for camera in cameras))
        self.weight = 1 / (self.error * np.sqrt(_RAYS / 20))

    def start(self, lens: float) -> Vector:
        """The first cameras with a lens of this strength (picture side over focal length)."""
        return np.append(np.zeros(_PER_CAMERA * len(self.first)), lens / _USUAL_LENS)

    def cameras(self, unknowns: Vector) -> list[Camera]:
        """The cameras these unknowns stand for."""
        return [self._camera(number, unknowns) for number in range(len(self.first))]

    def _camera(self, number: int, unknowns: Vector) -> Camera:
        camera, lens = self.first[number], abs(unknowns[-1]) * _USUAL_LENS
        zoom, right, up, *tilt = unknowns[_PER_CAMERA * number :][:_PER_CAMERA] * self.unit
        zoomed = camera.zoom * float(np.exp(zoom))
        return camera.moved(
            zoom=zoomed,
            shift=(camera.shift[0] + right, camera.shift[1] + up),
            tilt=tuple(tilt),
            nearness=lens * zoomed / self.picture_sides[number],
        )

    def at(self, unknowns: Vector) -> _Place:
        """Every ray's miss and every wish with these unknowns, each in its usual size."""
        cameras = self.cameras(unknowns)
        decided = self._decided(cameras)
        misses = np.minimum(decided.inside, 0) * self.weight
        return _Place(self, unknowns, cameras, decided, np.concatenate([misses, self._wishes(unknowns)]))

    def _slopes(self, unknowns: Vector, cameras: list[Camera], decided: _Decided) -> Vector:
        """The errors' derivatives, (errors, unknowns).

        A ray's miss is decided at one place of it and by one other outline; only there, and only for the
        two photos concerned, does it have to be looked at again for each unknown that is moved.
        """
        nudged = unknowns + _NUDGE * np.eye(len(unknowns))
        photo = np.arange(len(unknowns) - 1) // _PER_CAMERA  # all but the lens move one camera
        moved = [self._camera(int(number), line) for number, line in zip(photo, nudged, strict=False)]
        each = EachCamera.of([*cameras, *moved, *self.cameras(nudged[-1])])

        here = self._inside(decided, each, decided.owner, decided.decider)
        inside = np.repeat(here[:, None], len(unknowns), axis=1)
        ray, unknown = np.nonzero((decided.owner[:, None] == photo) | (decided.decider[:, None] == photo))
        concerned = decided.some(ray)
        owner, decider = (
            np.where(which == photo[unknown], len(cameras) + unknown, which)
            for which in (concerned.owner, concerned.decider)
        )
        inside[ray, unknown] = self._inside(concerned, each, owner, decider)
        lens = len(cameras) + len(moved)
        inside[:, -1] = self._inside(decided, each, lens + decided.owner, lens + decided.decider)

        slopes = (inside - here[:, None]) * self.weight
        slopes[here >= 0] = 0
        wishes = np.array([self._wishes(line) for line in nudged]) - self._wishes(unknowns)
        return np.concatenate([slopes, wishes.T]) / _NUDGE

    def misses(self, cameras: list[Camera]) -> list[Vector]:
        """Per photo and ray: how far, in units, the ray stays outside the other cones (0 or negative)."""
        decided = self._decided(cameras)
        return [np.minimum(decided.inside[decided.owner == number], 0) for number in range(len(cameras))]

    def along_rays(self, cameras: list[Camera], number: int) -> tuple[Vector, Vector, Integers]:
        """Points (rays, steps, 3) on one outline's rays, their depth (rays, steps) in all other cones, and
        the photo whose cone is the tightest there."""
        ray = self.rays[number]
        shape = (len(ray.columns), len(ray.depths))
        places = (ray.columns[:, None], ray.rows[:, None], ray.depths[None])
        points = cameras[number].points_at(*(np.broadcast_to(place, shape).ravel() for place in places))
        inside = np.full(len(points), np.inf)
        tightest = np.zeros(len(points), np.int64)
        for other, camera in enumerate(cameras):
            if other != number:
                depth = self.fields[other].depth_of(camera, points)
                tighter = depth < inside
                inside[tighter], tightest[tighter] = depth[tighter], other
        return np.asarray(points.reshape(*shape, 3)), inside.reshape(shape), tightest.reshape(shape)

    def _wishes(self, unknowns: Vector) -> Vector:
        distances = np.log(
            [camera.zoom / side for camera, side in zip(self.first, self.picture_sides, strict=True)]
        )
        distances += self.unit[0] * unknowns[:-1:_PER_CAMERA]
        return np.concatenate([(distances - distances.mean()) / _USUAL_STEP, unknowns * self.wish])

    def _decided(self, cameras: list[Camera]) -> _Decided:
        parts = []
        for number, ray in enumerate(self.rays):
            _, inside, tightest = self.along_rays(cameras, number)
            deepest = inside.argmax(1)
            each = np.arange(len(deepest))
            owner = np.full(len(deepest), number)
            miss = inside[each, deepest], tightest[each, deepest]
            parts.append((owner, ray.columns, ray.rows, ray.depths[deepest], *miss))
        return _Decided(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _inside(self, decided: _Decided, each: EachCamera, owner: Integers, decider: Integers) -> Vector:
        """How deep each ray's deciding place lies in the deciding cone, with these of the cameras."""
        points = each.some(owner).points_at(decided.columns, decided.rows, decided.depths)
        return self._each_field.depth_of(decided.decider, each.some(decider), points)


@dataclass(frozen=True)
class _Place:
    """What the descent asks of one set of unknowns."""

    coherence: Coherence
    unknowns: Vector
    cameras: list[Camera]
    decided: _Decided
    errors: Vector

    def slopes(self) -> Vector:
        return self.coherence._slopes(self.unknowns, self.cameras, self.decided)


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

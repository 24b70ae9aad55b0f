"""How well silhouettes agree on one solid, as residuals of a least-squares problem.

Silhouette coherence (Hernández, Schmitt, Cipolla 2007, "Silhouette coherence for camera calibration under
circular motion"): a ray through any contour point of one silhouette touches the part, so somewhere it must
lie inside the viewing cones of all other silhouettes. The distance by which it misses them is the residual.
Weak regularization (small tilts, one lens and about one distance for all photos, a long lens) decides what
the silhouettes leave open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import CameraBatch, PinholeCamera, viewing_axis
from acr3d.carving.distance_field import DistanceField, DistanceFieldStack
from acr3d.carving.silhouette import Silhouette

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]

SILHOUETTE_ERROR = 0.003
"""Accuracy of a silhouette's contour, relative to the part's largest side."""
_SILHOUETTE_ERROR_PIXELS = 1.0  # the same in mask pixels; decides for small photos
_UNKNOWNS_PER_CAMERA = 6  # log zoom, shift (2), tilt (3)
_UNIT_TILT = 0.03  # radians, one unit of the unknowns
_TYPICAL_LENS = 1.0  # picture side over focal length: less for a telephoto lens, more for a wide one
_SCALE_DRIFT = 0.002  # relative; how far the photos' mean zoom may drift where it is held
_FINITE_DIFFERENCE = 1e-5  # step for the numerical derivatives


@dataclass(frozen=True)
class Expectation:
    """What is expected of the photographer, as weak regularization.

    `tilt`: typical, in radians. `distance_change`: typical, relative, from photo to photo. `lens_weight`: how
    strongly a long lens is preferred. `placement_weight`: how strongly the initial zoom and place are.
    `holds_scale`: whether the mean zoom stays. Silhouettes that contradict each other miss by less, in units
    of length, the smaller the part is made.
    """

    tilt: float = 0.03
    distance_change: float = 0.04
    lens_weight: float = 1.0  # weak, because lenses differ more than careful hands do
    placement_weight: float = 0.2
    holds_scale: bool = False


@dataclass(frozen=True)
class Sampling:
    """`rays` per photo, `steps` along each ray up to `reach` (of the part's size) before and behind its
    centre, and `cells` per side of the distance fields sampled there.
    """

    rays: int = 140
    steps: int = 40
    reach: float = 0.55
    cells: int = 256


CAREFUL = Expectation()
FINE = Sampling()


@dataclass(frozen=True)
class _RayBundle:
    """Rays through one photo's contour: (rays,) columns and rows, and the depths sampled along each ray."""

    columns: Vector
    rows: Vector
    depths: Vector


@dataclass(frozen=True)
class _DecidingPoints:
    """For each ray of all photos, the sample at which it comes closest to all other cones.

    `owner`: the ray's photo; `columns`, `rows`: its pixel; `depths`: the sample's depth; `inside`: how deep
    the sample lies in the other cones (negative: how far it misses them); `decider`: the photo of the
    tightest cone there.
    """

    owner: Integers
    columns: Vector
    rows: Vector
    depths: Vector
    inside: Vector
    decider: Integers

    def take(self, which: Integers) -> _DecidingPoints:
        return _DecidingPoints(
            self.owner[which],
            self.columns[which],
            self.rows[which],
            self.depths[which],
            self.inside[which],
            self.decider[which],
        )


class SilhouetteCoherence:
    """The least-squares problem: the cameras as one vector of unknowns, scaled to about ±1."""

    def __init__(
        self,
        cameras: list[PinholeCamera],
        silhouettes: list[Silhouette],
        fields: list[DistanceField],
        size: Vector,
        expectation: Expectation = CAREFUL,
        sampling: Sampling = FINE,
    ) -> None:
        self.initial_cameras = cameras
        self._expectation = expectation
        self.fields = [
            field.downsampled(max(1, max(field.values.shape) // sampling.cells)) for field in fields
        ]
        self._field_stack = DistanceFieldStack(self.fields)
        self.picture_sides = [max(silhouette.mask.shape) for silhouette in silhouettes]
        self.rays = [
            _RayBundle(*_contour_points(field, sampling.rays), _ray_depths(camera, size, sampling))
            for field, camera in zip(self.fields, cameras, strict=True)
        ]
        self.scales = np.array([0.05, 0.03, 0.03, *[_UNIT_TILT] * 3])
        per_camera = [expectation.placement_weight] * 3 + [_UNIT_TILT / expectation.tilt] * 3
        self.regularization_weights = np.array(per_camera * len(cameras) + [expectation.lens_weight])
        self.error = max(SILHOUETTE_ERROR, *(_SILHOUETTE_ERROR_PIXELS / camera.zoom for camera in cameras))
        self.weight = 1 / (self.error * np.sqrt(sampling.rays / 20))

    def initial_unknowns(self, lens: float, pitch: float = 0.0) -> Vector:
        """The initial cameras with a lens of this strength (picture side over focal length).

        Cameras around the part are tilted down by `pitch`, in radians.
        """
        cameras = np.zeros((len(self.initial_cameras), _UNKNOWNS_PER_CAMERA))
        is_standing = [viewing_axis(camera.side) != 1 for camera in self.initial_cameras]
        cameras[is_standing, 3] = pitch / _UNIT_TILT
        return np.append(cameras, lens / _TYPICAL_LENS)

    def cameras(self, unknowns: Vector) -> list[PinholeCamera]:
        """The cameras that these unknowns describe."""
        return [self._camera(number, unknowns) for number in range(len(self.initial_cameras))]

    def _camera(self, number: int, unknowns: Vector) -> PinholeCamera:
        camera, lens = self.initial_cameras[number], abs(unknowns[-1]) * _TYPICAL_LENS
        zoom, right, up, *tilt = (
            unknowns[_UNKNOWNS_PER_CAMERA * number :][:_UNKNOWNS_PER_CAMERA] * self.scales
        )
        zoomed = camera.zoom * float(np.exp(zoom))
        return camera.with_changes(
            zoom=zoomed,
            shift=(camera.shift[0] + right, camera.shift[1] + up),
            tilt=tuple(tilt),
            inverse_distance=lens * zoomed / self.picture_sides[number],
        )

    def evaluate(self, unknowns: Vector) -> _CoherenceEvaluation:
        """Every ray's miss and the regularization terms at these unknowns, in units of their typical size."""
        cameras = self.cameras(unknowns)
        deciding = self._deciding_points(cameras)
        misses = np.minimum(deciding.inside, 0) * self.weight
        return _CoherenceEvaluation(
            self, unknowns, cameras, deciding, np.concatenate([misses, self._regularization(unknowns)])
        )

    def _jacobian(self, unknowns: Vector, cameras: list[PinholeCamera], deciding: _DecidingPoints) -> Vector:
        """The residuals' derivatives, (residuals, unknowns).

        One sample and one other silhouette decide a ray's miss. So for each changed unknown only that sample
        is evaluated again, and only if the unknown belongs to one of these two photos.
        """
        shifted = unknowns + _FINITE_DIFFERENCE * np.eye(len(unknowns))
        photo = np.arange(len(unknowns) - 1) // _UNKNOWNS_PER_CAMERA  # all but the lens move one camera
        moved = [self._camera(int(number), line) for number, line in zip(photo, shifted, strict=False)]
        each = CameraBatch.stack([*cameras, *moved, *self.cameras(shifted[-1])])

        here = self._depths_at(deciding, each, deciding.owner, deciding.decider)
        inside = np.repeat(here[:, None], len(unknowns), axis=1)
        ray, unknown = np.nonzero((deciding.owner[:, None] == photo) | (deciding.decider[:, None] == photo))
        concerned = deciding.take(ray)
        owner, decider = (
            np.where(which == photo[unknown], len(cameras) + unknown, which)
            for which in (concerned.owner, concerned.decider)
        )
        inside[ray, unknown] = self._depths_at(concerned, each, owner, decider)
        lens = len(cameras) + len(moved)
        inside[:, -1] = self._depths_at(deciding, each, lens + deciding.owner, lens + deciding.decider)

        jacobian = (inside - here[:, None]) * self.weight
        jacobian[here >= 0] = 0
        regularization = np.array([self._regularization(line) for line in shifted])
        regularization -= self._regularization(unknowns)
        return np.concatenate([jacobian, regularization.T]) / _FINITE_DIFFERENCE

    def misses(self, cameras: list[PinholeCamera]) -> list[Vector]:
        """Per photo and ray: how far, in units, the ray misses the other cones (0 or negative)."""
        deciding = self._deciding_points(cameras)
        return [np.minimum(deciding.inside[deciding.owner == number], 0) for number in range(len(cameras))]

    def sample_rays(self, cameras: list[PinholeCamera], number: int) -> tuple[Vector, Vector, Integers]:
        """Sample the rays of one photo's contour.

        Returns the points (rays, steps, 3), their depth (rays, steps) inside all other cones, and the number
        of the photo whose cone is the tightest there.
        """
        ray = self.rays[number]
        shape = (len(ray.columns), len(ray.depths))
        places = (ray.columns[:, None], ray.rows[:, None], ray.depths[None])
        points = cameras[number].unproject(*(np.broadcast_to(place, shape).ravel() for place in places))
        inside = np.full(len(points), np.inf)
        tightest = np.zeros(len(points), np.int64)
        for other, camera in enumerate(cameras):
            if other != number:
                depth = self.fields[other].depth_of(camera, points)
                tighter = depth < inside
                inside[tighter], tightest[tighter] = depth[tighter], other
        return np.asarray(points.reshape(*shape, 3)), inside.reshape(shape), tightest.reshape(shape)

    def _regularization(self, unknowns: Vector) -> Vector:
        distances = np.log(
            [
                camera.zoom / side
                for camera, side in zip(self.initial_cameras, self.picture_sides, strict=True)
            ]
        )
        distances += self.scales[0] * unknowns[:-1:_UNKNOWNS_PER_CAMERA]
        drift = self.scales[0] * unknowns[:-1:_UNKNOWNS_PER_CAMERA].mean() / _SCALE_DRIFT
        return np.concatenate(
            [
                (distances - distances.mean()) / self._expectation.distance_change,
                unknowns * self.regularization_weights,
                [drift] if self._expectation.holds_scale else [],
            ]
        )

    def _deciding_points(self, cameras: list[PinholeCamera]) -> _DecidingPoints:
        parts = []
        for number, ray in enumerate(self.rays):
            _, inside, tightest = self.sample_rays(cameras, number)
            deepest = inside.argmax(1)
            each = np.arange(len(deepest))
            owner = np.full(len(deepest), number)
            miss = inside[each, deepest], tightest[each, deepest]
            parts.append((owner, ray.columns, ray.rows, ray.depths[deepest], *miss))
        return _DecidingPoints(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _depths_at(
        self, deciding: _DecidingPoints, each: CameraBatch, owner: Integers, decider: Integers
    ) -> Vector:
        """How deep each ray's deciding point lies in the deciding cone, for these choices from the batch."""
        points = each.take(owner).unproject(deciding.columns, deciding.rows, deciding.depths)
        return self._field_stack.depth_of(deciding.decider, each.take(decider), points)


@dataclass(frozen=True)
class _CoherenceEvaluation:
    """Residuals at one set of unknowns, and their derivatives on demand."""

    coherence: SilhouetteCoherence
    unknowns: Vector
    cameras: list[PinholeCamera]
    deciding: _DecidingPoints
    residuals: Vector

    def jacobian(self) -> Vector:
        return self.coherence._jacobian(self.unknowns, self.cameras, self.deciding)


def _contour_points(field: DistanceField, count: int) -> tuple[Vector, Vector]:
    """(columns, rows) in mask pixels of points spread along the contour, with subpixel accuracy."""
    values = field.values
    rows, columns = np.nonzero(np.abs(values) < 0.75 * field.step)
    chosen = np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)
    rows, columns = rows[chosen], columns[chosen]
    slope_row, slope_column = (np.gradient(values, axis=axis) for axis in (0, 1))
    depth = values[rows, columns] / field.step
    offset = (field.step - 1) / 2
    exact_columns = columns - depth * slope_column[rows, columns] / field.step
    exact_rows = rows - depth * slope_row[rows, columns] / field.step
    return exact_columns * field.step + offset, exact_rows * field.step + offset


def _ray_depths(camera: PinholeCamera, size: Vector, sampling: Sampling) -> Vector:
    reach = sampling.reach * size[viewing_axis(camera.side)]
    return np.linspace(-reach, reach, sampling.steps)

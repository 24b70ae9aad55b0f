"""Shape prior: the part, or a section of its length, is rotationally symmetric about an axis.

Silhouettes from the sides alone leave a round part square. If the silhouette along an axis is circular, or if
the profiles from two sides are equal and not a box's, every slice across the axis that is equally wide to all
visible sides is taken to be a disc. The disc is as large as the widest side, so that no silhouette shrinks;
shape_priors.py verifies that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.cameras import AXIS_NAMES, SIDES, PinholeCamera, Points, viewing_axis
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.morphology import eroded
from acr3d.carving.silhouette import Silhouette

Vector = NDArray[np.float64]
FloatArray = NDArray[np.float32]

_CELL_SIZE = 1 / 250  # of the profile, relative to the part's largest side
_MAX_RADIUS_DIFFERENCE = 0.03  # between a slice's sides, relative to its radius
_MAX_RADIUS_DIFFERENCE_CELLS = 2.0
_LOW_HARMONICS = 12  # a circle has none of these, a hexagon the sixth; a gear's teeth are far higher
_MAX_HARMONIC = 0.012  # relative to the radius
_MIN_ROUND_SHARE = 0.95  # of the length, if no photo looks along the axis
_MAX_CYLINDER_FILL = 0.96  # of the enclosing cylinder's volume; a fuller profile may as well be a box's
_MIN_PARTIAL_ROUND_SHARE = 0.05  # of the length; less is not worth a prior
_UNBOUNDED = np.float32(1e3)  # depth where the prior says nothing


@dataclass(frozen=True)
class RotationalSymmetry:
    """Symmetric about `axis` (0 width, 1 height, 2 depth) through `centre`.

    `profile`: (distances, heights) how deep, in units, a point at that distance from the axis and that height
    lies inside; _UNBOUNDED where nothing is assumed. Heights start at `low`. `radius`: of the widest disc.
    `whole`: whether nearly the whole length is round.
    """

    axis: int
    centre: Vector
    low: float
    profile: FloatArray
    radius: float
    whole: bool

    def depth(self, points: Points) -> FloatArray:
        """How deep, in units, (n, 3) points lie inside the discs."""
        across = np.delete(points - self.centre.astype(points.dtype), self.axis, axis=1)
        places = np.stack([np.hypot(*across.T), points[:, self.axis] - self.low]) / _CELL_SIZE
        sampled: FloatArray = ndimage.map_coordinates(
            self.profile, places, output=np.float32, order=1, mode="nearest", prefilter=False
        )
        return sampled

    def expanded_box(self, box: Vector) -> Vector:
        """The (2, 3) box extended by the widest disc: silhouettes need only its front half."""
        reach = np.where(np.arange(3) == self.axis, 0, self.radius)
        return np.array([np.minimum(box[0], self.centre - reach), np.maximum(box[1], self.centre + reach)])

    @property
    def facts(self) -> dict[str, Any]:
        """The prior's entry in the report."""
        return {"kind": "round", "axis": AXIS_NAMES[self.axis], "whole": self.whole}


def find_rotational_symmetry(
    cameras: list[PinholeCamera], silhouettes: list[Silhouette], fields: list[DistanceField], box: Vector
) -> RotationalSymmetry | None:
    """The symmetry with the longest round section that the silhouettes suggest, or None."""
    found = [
        prior
        for axis in range(3)
        if (prior := _symmetry_about(axis, cameras, silhouettes, fields, box)) is not None
    ]
    return max(found, key=lambda prior: float((prior.profile[0] < _UNBOUNDED).sum()), default=None)


def _symmetry_about(
    axis: int,
    cameras: list[PinholeCamera],
    silhouettes: list[Silhouette],
    fields: list[DistanceField],
    box: Vector,
) -> RotationalSymmetry | None:
    along = [silhouette for silhouette in silhouettes if viewing_axis(silhouette.angle) == axis]
    if any(not _is_circular(silhouette) for silhouette in along):
        return None
    sides = [number for number, camera in enumerate(cameras) if viewing_axis(camera.side) != axis]
    viewing_axes = {viewing_axis(cameras[number].side) for number in sides}
    if not viewing_axes or (not along and len(viewing_axes) < 2):
        return None
    centre, profiles, radii = _centred_profiles(axis, cameras, fields, sides, box)
    widest = radii.max(0)
    inside, is_round = widest > 0, _round_slices(radii)
    share = is_round.sum() / max(1, inside.sum())
    fill = (widest[inside] ** 2).mean() / max(1, widest.max() ** 2)
    if share < (_MIN_PARTIAL_ROUND_SHARE if along else _MIN_ROUND_SHARE):
        return None
    if not along and fill > _MAX_CYLINDER_FILL:
        return None
    profile = np.max(profiles, axis=0)
    profile = np.maximum.accumulate(profile[::-1], axis=0)[::-1]  # the prior never hollows the part out
    profile[:, ~is_round & inside] = _UNBOUNDED
    radius = float(widest[is_round & inside].max(initial=0) * _CELL_SIZE)
    whole = bool(share > _MIN_ROUND_SHARE)
    return RotationalSymmetry(
        axis, centre, float(box[0, axis]), np.asarray(profile, np.float32), radius, whole
    )


def _centred_profiles(
    axis: int, cameras: list[PinholeCamera], fields: list[DistanceField], sides: list[int], box: Vector
) -> tuple[Vector, list[FloatArray], NDArray[np.int64]]:
    """(the axis's position, the profiles about it, the slices' radii in cells: (profiles, heights))."""
    centre = box.mean(0)
    low, length = box[0, axis], box[1, axis] - box[0, axis]
    heights = np.arange(low, low + length + _CELL_SIZE, _CELL_SIZE)
    for _ in range(2):  # the second pass uses the position that the first one found
        profiles = _profiles(axis, centre, heights, cameras, fields, sides, box)
        radii = {way: (profile > 0).cumsum(0).argmax(0) for way, profile in profiles.items()}
        for other in {viewing_axis(cameras[number].side) for number in sides}:
            crosswise = 3 - axis - other
            shift = np.median(radii[crosswise, 1] - radii[crosswise, -1]) / 2
            centre[crosswise] += shift * _CELL_SIZE
    return centre, list(profiles.values()), np.array(list(radii.values()))


def _round_slices(radii: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which slices extend equally far to all visible sides."""
    widest = radii.max(0)
    tolerance = np.maximum(_MAX_RADIUS_DIFFERENCE_CELLS, _MAX_RADIUS_DIFFERENCE * widest)
    is_even = widest - radii.min(0) <= tolerance
    smoothed: NDArray[np.bool_] = ndimage.median_filter(is_even & (widest > 0), 5)
    return smoothed


def _profiles(
    axis: int,
    centre: Vector,
    heights: Vector,
    cameras: list[PinholeCamera],
    fields: list[DistanceField],
    sides: list[int],
    box: Vector,
) -> dict[tuple[int, int], FloatArray]:
    """For each (crosswise axis, ±1): how deep, in units, discs lie inside the silhouettes; (radii, heights).

    A disc is sampled where a camera's ray is tangent to it.
    """
    reach = 0.6 * np.delete(box[1] - box[0], axis).max()
    distances = np.arange(0, reach, _CELL_SIZE)
    profiles: dict[tuple[int, int], FloatArray] = {}
    for number in sides:
        camera = cameras[number]
        crosswise = 3 - axis - viewing_axis(camera.side)
        for sign in (1, -1):
            points = np.empty((len(distances), len(heights), 3))
            points[:] = centre
            forward = np.minimum(distances * camera.inverse_distance, 1)
            points[..., crosswise] += sign * (distances * np.sqrt(1 - forward**2))[:, None]
            points += (distances * forward)[:, None, None] * SIDES[camera.side][2]
            points[..., axis] = heights
            depth = fields[number].depth_of(camera, points.reshape(-1, 3)).reshape(points.shape[:2])
            known = profiles.get((crosswise, sign))
            profiles[crosswise, sign] = depth if known is None else np.minimum(known, depth)
    return profiles


def _is_circular(silhouette: Silhouette) -> bool:
    """Whether the silhouette without its holes is a circle, apart from fine teeth."""
    filled = ndimage.binary_fill_holes(silhouette.mask)
    rim = filled & ~eroded(filled)
    rows, columns = np.nonzero(rim)
    middle_row, middle_column = ndimage.center_of_mass(filled)
    angle = np.arctan2(rows - middle_row, columns - middle_column)
    bins = 8 * _LOW_HARMONICS
    which = ((angle / (2 * np.pi) + 0.5) * bins).astype(int) % bins
    radius = ndimage.maximum(np.hypot(rows - middle_row, columns - middle_column), which, np.arange(bins))
    waves = np.abs(np.fft.rfft(radius)) * 2 / bins
    return bool(waves[1 : _LOW_HARMONICS + 1].max() < _MAX_HARMONIC * waves[0] / 2)

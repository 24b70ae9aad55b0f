"""Bundle adjustment: lenses, cameras and the sheet itself, so that they explain the corners seen best.

Triggs et al., "Bundle Adjustment: A Modern Synthesis", 2000. The sheet is known but for three things: paper
does not lie quite flat, ink and the light's curve make black squares a little larger or smaller, and all of
these are held near nothing by how much paper and print do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.carving.levenberg_marquardt import minimize
from acr3d.spin.camera import Camera, Lens

Floats = NDArray[np.float64]

_OF_LENS, _OF_CAMERA = 4, 6  # unknowns: focal length, centre, k1; rotation and shift
_HEIGHT_MM = 0.3  # of paper over the table
_SPREAD_MM = 0.2  # of ink, and of light
_CENTRE = 0.03  # of the longest side: how far from its middle a picture's centre is
_K1 = 0.15
_OUTWARD = np.array([[-1.0, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]])  # of a marker's corners


@dataclass(frozen=True)
class View:
    """Corners that one camera saw: `places` (n,) indices into the sheet's corners, `pixels` (n, 2)."""

    lens: int
    places: NDArray[np.int64]
    pixels: Floats


@dataclass(frozen=True)
class Adjusted:
    """`residuals`: of each view, the distances (n,) in px between corners seen and drawn."""

    lenses: list[Lens]
    cameras: list[Camera]
    residuals: list[Floats]


def adjust(
    corners: Floats, views: Sequence[View], lenses: Sequence[Lens], cameras: Sequence[Camera], noise_px: float
) -> Adjusted:
    """Improve lenses and cameras. `corners` (m, 3) mm: those of the sheet, four by four."""
    problem = _Problem(corners, views, lenses, noise_px)
    solution = minimize(problem.evaluate, problem.start(lenses, cameras))
    return problem.adjusted(solution.unknowns)


class _Problem:
    def __init__(
        self, corners: Floats, views: Sequence[View], lenses: Sequence[Lens], noise_px: float
    ) -> None:
        self.corners, self.views, self.lenses, self.noise_px = corners, views, lenses, noise_px
        self.outward = np.tile(_OUTWARD, (len(corners) // 4, 1))
        self.rows = np.cumsum([0, *(2 * len(view.places) for view in views)])
        self.cameras_at = _OF_LENS * len(lenses)
        self.spread_at = self.cameras_at + _OF_CAMERA * len(views)
        self.heights_at = self.spread_at + 1
        self.size = self.heights_at + len(corners)
        self.expected, self.tolerance = self._priors()

    def start(self, lenses: Sequence[Lens], cameras: Sequence[Camera]) -> Floats:
        unknowns = np.zeros(self.size)
        for number, lens in enumerate(lenses):
            unknowns[_OF_LENS * number :][:_OF_LENS] = lens.focal, *lens.centre, lens.k1
        for number, camera in enumerate(cameras):
            at = self.cameras_at + _OF_CAMERA * number
            unknowns[at : at + 3] = cv2.Rodrigues(camera.rotation)[0].ravel()
            unknowns[at + 3 : at + 6] = camera.shift
        return unknowns

    def evaluate(self, unknowns: Floats) -> _Evaluation:
        return _Evaluation(self, unknowns)

    def adjusted(self, unknowns: Floats) -> Adjusted:
        lenses = [
            Lens(lens.width, lens.height, float(focal), (float(x), float(y)), float(k1))
            for lens, (focal, x, y, k1) in zip(
                self.lenses, unknowns[: self.cameras_at].reshape(-1, _OF_LENS), strict=True
            )
        ]
        poses = unknowns[self.cameras_at : self.spread_at].reshape(-1, _OF_CAMERA)
        cameras = [
            Camera(lenses[view.lens], cv2.Rodrigues(pose[:3])[0], pose[3:].copy())
            for view, pose in zip(self.views, poses, strict=True)
        ]
        seen = self.evaluate(unknowns).residuals[: self.rows[-1]].reshape(-1, 2) * self.noise_px
        distances = np.linalg.norm(seen, axis=1)
        return Adjusted(lenses, cameras, np.split(distances, self.rows[1:-1] // 2))

    def _priors(self) -> tuple[Floats, Floats]:
        """What each unknown is expected to be, and how far off it may be; infinity where nothing is known."""
        expected, tolerance = np.zeros(self.size), np.full(self.size, np.inf)
        for number, lens in enumerate(self.lenses):
            side = max(lens.width, lens.height)
            at = _OF_LENS * number
            expected[at + 1 : at + 3] = (lens.width - 1) / 2, (lens.height - 1) / 2
            tolerance[at + 1 : at + 4] = _CENTRE * side, _CENTRE * side, _K1
        tolerance[self.spread_at], tolerance[self.heights_at :] = _SPREAD_MM, _HEIGHT_MM
        return expected, tolerance


class _Evaluation:
    """The residuals at one set of unknowns, in units of the noise; the priors' are at the end."""

    def __init__(self, problem: _Problem, unknowns: Floats) -> None:
        self.problem = problem
        self.unknowns = unknowns
        sheet = problem.corners + problem.outward * unknowns[problem.spread_at]
        sheet[:, 2] += unknowns[problem.heights_at :]
        drawn = [self._drawn(number, view, sheet) for number, view in enumerate(problem.views)]
        self.derivatives = [derivatives for _pixels, derivatives in drawn]
        misses = [
            (pixels - view.pixels).ravel() for (pixels, _), view in zip(drawn, problem.views, strict=True)
        ]
        off = (unknowns - problem.expected) / problem.tolerance
        self.residuals: Floats = np.concatenate([*(miss / problem.noise_px for miss in misses), off])

    def jacobian(self) -> Floats:
        problem, noise = self.problem, self.problem.noise_px
        jacobian = np.zeros((len(self.residuals), problem.size))
        for number, (view, by_pose_and_lens) in enumerate(zip(problem.views, self.derivatives, strict=True)):
            rows = slice(problem.rows[number], problem.rows[number + 1])
            pose, of_lens = self._pose_at(number), _OF_LENS * view.lens
            block = jacobian[rows]
            block[:, pose : pose + 6] = by_pose_and_lens[:, :6]
            block[:, of_lens] = by_pose_and_lens[:, 6] + by_pose_and_lens[:, 7]
            block[:, of_lens + 1 : of_lens + 4] = by_pose_and_lens[:, 8:11]
            turn = cv2.Rodrigues(self.unknowns[pose : pose + 3])[0]
            by_point = by_pose_and_lens[:, 3:6] @ turn
            places = np.repeat(view.places, 2)
            block[:, problem.spread_at] = (by_point * problem.outward[places]).sum(1)
            block[np.arange(len(places)), problem.heights_at + places] = by_point[:, 2]
            block /= noise
        jacobian[problem.rows[-1] :] = np.diag(1 / problem.tolerance)
        return jacobian

    def _pose_at(self, number: int) -> int:
        return self.problem.cameras_at + _OF_CAMERA * number

    def _drawn(self, number: int, view: View, sheet: Floats) -> tuple[Floats, Floats]:
        """The corners' pixels, and their derivatives as cv2.projectPoints orders them."""
        pose = self._pose_at(number)
        focal, x, y, k1 = self.unknowns[_OF_LENS * view.lens :][:_OF_LENS]
        pixels, derivatives = cv2.projectPoints(
            sheet[view.places],
            self.unknowns[pose : pose + 3],
            self.unknowns[pose + 3 : pose + 6],
            np.array([[focal, 0, x], [0, focal, y], [0, 0, 1.0]]),
            np.array([k1, 0, 0, 0, 0]),
        )
        return pixels.reshape(-1, 2), derivatives

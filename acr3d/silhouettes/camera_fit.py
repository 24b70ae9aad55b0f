"""Where the camera of a photo stood, judged by the model's outline against the photo's.

A photo is taken from a little off its side, with a lens, and not in the middle. Only what is left after the
best camera says that model and part differ. Found as one lays curves over each other: draw the model, take
the points in space that make its outline, move the camera until they lie on the photo's outline, and again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares

from acr3d.carving.morphology import eroded
from acr3d.render.cameras import SIDES, Camera
from acr3d.render.draw import closeness
from acr3d.render.scene import Scene
from acr3d.silhouettes.photo_silhouette import Mask, Sight

Floats = NDArray[np.float64]

_MOST_POINTS = 400
_FEWEST_POINTS = 8
_USUAL_TILT = 0.05  # radians
_USUAL_NEARNESS = 0.35  # half the part's size over the camera's distance
_MOST_NEARNESS = 0.9
_WISH = 0.15  # how much those weigh, against an outline that is one hundredth of the part off
_OFF = 0.01
_STEPS = np.array([0.1, 0.05, 0.05, _USUAL_TILT, _USUAL_TILT, _USUAL_TILT, _USUAL_NEARNESS])


def first_camera(scene: Scene, turn: Floats, sight: Sight) -> Camera:
    """Straight before the side of the turned model, its box laid over the outline's."""
    rows = SIDES[sight.side] @ turn
    low, high = scene.box
    width, height = np.abs(rows[:2]) @ (high - low)
    left, top, right, bottom = sight.box
    zoom = float(np.sqrt((right - left) * (bottom - top) / max(width * height, 1e-30)))
    side = len(sight.mask)
    return Camera(rows, (low + high) / 2, zoom, 0.0, ((left + right - side) / 2, (top + bottom - side) / 2))


def fit(scene: Scene, camera: Camera, sight: Sight, rounds: int) -> Camera:
    """The camera, moved to where the model's outline comes nearest to the photo's; of all rounds the best."""
    field = _signed_distance(sight.mask)
    low, high = scene.box
    reach = float(np.linalg.norm(high - low)) / 2
    best, most = camera, -1.0
    for left in range(rounds, -1, -1):
        near = closeness(scene, camera, *sight.mask.shape)
        seen = np.isfinite(near)
        common = float((seen & sight.mask).sum() / (seen | sight.mask).sum())
        if common > most:
            best, most = camera, common
        points = _outline_points(camera, near)
        if not left or len(points) < _FEWEST_POINTS:
            break
        camera = _moved(camera, points, field, sight.extent, reach)
    return best


def _outline_points(camera: Camera, near: Floats) -> Floats:
    """Points in space on the rim of what the camera sees, holes included."""
    seen, side = np.isfinite(near), len(near)
    rows, columns = np.nonzero(seen & ~eroded(seen))
    step = max(1, len(rows) // _MOST_POINTS)
    rows, columns = rows[::step], columns[::step]
    middle = np.float64(0.5)
    return camera.points_at(columns + middle, rows + middle, near[rows, columns], (side, side))


def _moved(camera: Camera, points: Floats, field: Floats, extent: float, reach: float) -> Camera:
    """One least-squares step for zoom, shift, tilt and lens, all counted in what is usual of them."""

    def changed(unknowns: Floats) -> Camera:
        zoom, right, down, *tilt, near = unknowns * _STEPS
        return Camera(
            _small_turn(tilt) @ camera.turn,
            camera.target,
            camera.zoom * float(np.exp(zoom)),
            float(np.clip(near, 0, _MOST_NEARNESS)) / reach,
            (camera.shift[0] + right * extent, camera.shift[1] + down * extent),
        )

    def errors(unknowns: Floats) -> Floats:
        column, row, _ = changed(unknowns).project(points, field.shape)
        off = ndimage.map_coordinates(field, [row - 0.5, column - 0.5], order=1, mode="nearest")
        return np.concatenate([(off - 0.5) / (_OFF * extent), wish * unknowns[3:]])

    wish = _WISH * np.sqrt(len(points))
    start = np.zeros(len(_STEPS))
    start[-1] = camera.nearness * reach / _USUAL_NEARNESS
    return changed(least_squares(errors, start, loss="soft_l1", diff_step=[1e-3], max_nfev=8).x)


def _signed_distance(mask: Mask) -> Floats:
    """How deep inside the outline each pixel's middle lies, in pixels; negative outside."""
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    depth: Floats = ndimage.gaussian_filter(inside - outside + 0.5 - mask, 0.5)
    return depth


def _small_turn(tilt: list[float]) -> Floats:
    (sx, sy, sz), (cx, cy, cz) = np.sin(tilt), np.cos(tilt)
    about_right = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_up = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_view = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turn: Floats = about_view @ about_up @ about_right
    return turn

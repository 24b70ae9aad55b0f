"""Finding the camera of a photo by fitting the model's silhouette to the photo's.

A photo is taken slightly off its side, with perspective, and not centred. Only what still differs with the
best camera says that model and part differ. As in curve registration (ICP): draw the model, take the 3D
points on its outline, move the camera until they lie on the photo's outline, and repeat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares

from acr3d.carving.morphology import eroded
from acr3d.render.cameras import SIDES, RenderCamera
from acr3d.render.draw import closeness_map
from acr3d.render.scene import Scene
from acr3d.silhouettes.photo_silhouette import Mask, PhotoSilhouette

Floats = NDArray[np.float64]

_MOST_POINTS = 400
_FEWEST_POINTS = 8
_USUAL_TILT = 0.05  # radians
_USUAL_NEARNESS = 0.35  # half the part's size divided by the camera's distance
_MOST_NEARNESS = 0.9
_PRIOR_WEIGHT = 0.15  # of these usual values, relative to an outline that is off by _OUTLINE_ERROR
_OUTLINE_ERROR = 0.01  # of the part's size
_STEPS = np.array([0.1, 0.05, 0.05, _USUAL_TILT, _USUAL_TILT, _USUAL_TILT, _USUAL_NEARNESS])


def initial_camera(scene: Scene, turn: Floats, silhouette: PhotoSilhouette) -> RenderCamera:
    """An orthographic camera facing the side of the turned model, its box laid over the silhouette's box."""
    rows = SIDES[silhouette.side] @ turn
    low, high = scene.box
    width, height = np.abs(rows[:2]) @ (high - low)
    left, top, right, bottom = silhouette.box
    zoom = float(np.sqrt((right - left) * (bottom - top) / max(width * height, 1e-30)))
    side = len(silhouette.mask)
    return RenderCamera(
        rows, (low + high) / 2, zoom, 0.0, ((left + right - side) / 2, (top + bottom - side) / 2)
    )


def fit_camera(scene: Scene, camera: RenderCamera, silhouette: PhotoSilhouette, rounds: int) -> RenderCamera:
    """The camera moved so that the model's outline fits the photo's best; the best of all rounds."""
    field = _signed_distance(silhouette.mask)
    low, high = scene.box
    reach = float(np.linalg.norm(high - low)) / 2
    best, most = camera, -1.0
    for left in range(rounds, -1, -1):
        near = closeness_map(scene, camera, *silhouette.mask.shape)
        seen = np.isfinite(near)
        common = float((seen & silhouette.mask).sum() / (seen | silhouette.mask).sum())
        if common > most:
            best, most = camera, common
        points = _outline_points(camera, near)
        if not left or len(points) < _FEWEST_POINTS:
            break
        camera = _moved(camera, points, field, silhouette.extent, reach)
    return best


def _outline_points(camera: RenderCamera, near: Floats) -> Floats:
    """3D points on the outline of what the camera sees, including holes."""
    seen, side = np.isfinite(near), len(near)
    rows, columns = np.nonzero(seen & ~eroded(seen))
    step = max(1, len(rows) // _MOST_POINTS)
    rows, columns = rows[::step], columns[::step]
    middle = np.float64(0.5)
    return camera.points_at(columns + middle, rows + middle, near[rows, columns], (side, side))


def _moved(camera: RenderCamera, points: Floats, field: Floats, extent: float, reach: float) -> RenderCamera:
    """One least-squares step for zoom, shift, tilt and perspective, each in units of its usual size."""

    def changed(unknowns: Floats) -> RenderCamera:
        zoom, right, down, *tilt, near = unknowns * _STEPS
        return RenderCamera(
            _small_rotation(tilt) @ camera.axes,
            camera.target,
            camera.zoom * float(np.exp(zoom)),
            float(np.clip(near, 0, _MOST_NEARNESS)) / reach,
            (camera.shift[0] + right * extent, camera.shift[1] + down * extent),
        )

    def errors(unknowns: Floats) -> Floats:
        column, row, _ = changed(unknowns).project(points, field.shape)
        off = ndimage.map_coordinates(field, [row - 0.5, column - 0.5], order=1, mode="nearest")
        return np.concatenate([(off - 0.5) / (_OUTLINE_ERROR * extent), prior_weight * unknowns[3:]])

    prior_weight = _PRIOR_WEIGHT * np.sqrt(len(points))
    start = np.zeros(len(_STEPS))
    start[-1] = camera.nearness * reach / _USUAL_NEARNESS
    return changed(least_squares(errors, start, loss="soft_l1", diff_step=[1e-3], max_nfev=8).x)


def _signed_distance(mask: Mask) -> Floats:
    """Signed distance of each pixel's centre to the outline, in pixels; negative outside."""
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    depth: Floats = ndimage.gaussian_filter(inside - outside + 0.5 - mask, 0.5)
    return depth


def _small_rotation(tilt: list[float]) -> Floats:
    (sx, sy, sz), (cx, cy, cz) = np.sin(tilt), np.cos(tilt)
    about_right = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_up = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_view = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    turn: Floats = about_view @ about_up @ about_right
    return turn

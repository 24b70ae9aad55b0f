"""Cut the hill that outlines leave on a flat top, at the height on which the frames' colours agree.

No camera of a usual walk looks at a top from its side, so its hull rises from the top's edges inwards. A
plane sweep (Collins 1996) tells how high it is: drawn onto a plane at the surface's height, the pictures of
all high cameras show the same. Where nothing on top has texture, or where outlines show more to be there, the
hill stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.carving.visual_hull import VoxelGrid
from acr3d.spin.hull import Floats, project, sample
from acr3d.spin.views import Mask, View

_LAP = 10.0  # degrees of elevation below the highest cameras from which views are compared
_FEWEST_VIEWS = 4
_LOWEST = 0.5  # of the hull's height: hills are not higher
_STEPS = 2  # heights per cell
_PATCH = 7  # cells: the side of the squares that are compared
_LEAST_TEXTURE = 3.0  # of 255: the standard deviation in a patch; less is noise
_AGREEING = 0.8  # correlation of a patch between neighbouring views, the median over the views
_FEWEST_PATCHES = 60  # overlapping ones, that agree
_HIGHEST = 0.96  # quantile of the agreeing patches' heights: above are errors
_FILLED = 0.996  # of an outline's pixels
_FILLED_VIEWS = 0.8  # of the views
_LEAST_CUT = 0.01  # of the height; less is not worth a guess


def cut_hill(depth: Floats, grid: VoxelGrid, views: Sequence[View], masks: Sequence[Mask]) -> float:
    """Cut the hull's depth (cells, changed in place) at the top's height; returns how many mm were cut."""
    solid = depth > 0
    there = solid.any(2)
    highest = depth.shape[2] - 1 - solid[:, :, ::-1].argmax(2)
    hull = np.where(there, grid.low[2] + grid.step * highest, -np.inf).astype(np.float32)
    high = _high_views(views, grid)
    if len(high) < _FEWEST_VIEWS:
        return 0.0
    top = float(hull.max())
    heights = np.arange(_LOWEST * top, top + grid.step, grid.step / _STEPS)
    agreement = np.stack([_agreement(high, grid, hull, float(height)) for height in heights])
    agreed = agreement.max(0) > _AGREEING
    if agreed.sum() < _FEWEST_PATCHES:
        return 0.0
    height = float(np.quantile(heights[agreement.argmax(0)[agreed]], _HIGHEST))
    if top - height < _LEAST_CUT * top or _needed_height(views, masks, depth, grid) > height:
        return 0.0
    levels = (height - grid.low[2]) / grid.step - np.arange(grid.shape[2])
    np.minimum(depth, levels.astype(np.float32), out=depth)
    return top - height


def _needed_height(views: Sequence[View], masks: Sequence[Mask], depth: Floats, grid: VoxelGrid) -> float:
    """How high the solid must be, in mm, to fill nearly all of nearly all outlines.

    A pixel of the part is filled from below: by the lowest place of the solid on its ray.
    """
    shell = np.argwhere((depth > 0) & (depth < 2))
    points = (grid.low + grid.step * shell[np.argsort(-shell[:, 2])]).astype(np.float32)
    needed = []
    for view, mask in zip(views, masks, strict=True):
        pixels, distance = project(view.camera, points)
        column, row = pixels.round().astype(np.int64).T
        rows, columns = mask.shape
        seen = (row >= 0) & (column >= 0) & (row < rows) & (column < columns)
        lowest = np.full(mask.shape, np.inf, np.float32)
        lowest[row[seen], column[seen]] = points[seen, 2]  # the last written, the lowest, stays
        gap = int(np.ceil(grid.step * view.camera.lens.focal / float(np.median(distance))))
        filled = cv2.erode(lowest, np.ones((2 * gap + 1, 2 * gap + 1), np.uint8))[mask]
        filled = filled[np.isfinite(filled)]
        needed.append(np.quantile(filled, _FILLED) if len(filled) else 0.0)
    return float(np.quantile(needed, _FILLED_VIEWS))


def _high_views(views: Sequence[View], grid: VoxelGrid) -> list[View]:
    """The views from highest up, in their order round the part; those see most of the top."""
    middle = grid.low + grid.step * np.array(grid.shape) / 2
    away = np.array([view.camera.place - middle for view in views])
    elevation = np.degrees(np.arctan2(away[:, 2], np.hypot(away[:, 0], away[:, 1])))
    chosen = np.flatnonzero(elevation > np.quantile(elevation, 0.9) - _LAP)
    return [views[number] for number in chosen[np.argsort(np.arctan2(away[chosen, 1], away[chosen, 0]))]]


def _agreement(views: Sequence[View], grid: VoxelGrid, hull: Floats, height: float) -> Floats:
    """Per column, how well the patch around it correlates between neighbouring views at `height`; or -1."""
    x, y = np.meshgrid(grid.coordinates(0), grid.coordinates(1), indexing="ij")
    points = np.stack([x, y, np.full_like(x, height)], -1).reshape(-1, 3)
    pictures = [
        sample(cv2.cvtColor(view.pixels, cv2.COLOR_RGB2GRAY), project(view.camera, points)[0])
        .astype(np.float32)
        .reshape(x.shape)
        for view in views
    ]
    means = [_mean(picture) for picture in pictures]
    spreads = [
        np.sqrt(np.maximum(_mean(picture * picture) - mean * mean, 1e-6))
        for picture, mean in zip(pictures, means, strict=True)
    ]
    pairs = []
    for one in range(len(views)):
        other = (one + 1) % len(views)
        shared = _mean(pictures[one] * pictures[other]) - means[one] * means[other]
        textured = np.minimum(spreads[one], spreads[other]) > _LEAST_TEXTURE
        pairs.append(np.where(textured, shared / (spreads[one] * spreads[other]), -1))
    inside = hull >= height - grid.step
    return np.where(inside, np.median(pairs, axis=0), -1).astype(np.float32)


def _mean(picture: NDArray[np.float32]) -> Floats:
    return np.asarray(cv2.blur(picture, (_PATCH, _PATCH)), np.float32)

"""The part's outline in each straightened frame: what differs from the sheet and the table.

Where a frame differs from the ground (acr3d.spin.ground), something stands in front of it. A coarse hull of
all frames tells the part from things on the table, says where to look, and decides what one frame cannot:
metal in the ground's own grey, and what stands before the unknown place under the part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.capture_sheet.layout import Sheet
from acr3d.carving.visual_hull import VoxelGrid
from acr3d.spin.errors import SpinError
from acr3d.spin.ground import Ground, find_ground
from acr3d.spin.hull import Floats, hull_depth, largest_piece, outline, project
from acr3d.spin.light import even_out
from acr3d.spin.views import Mask, Pixels, View

_FIRST_CELLS = 90  # along the sheet's long side
_HULL_CELLS = 110  # along the part's longest side
_TALLEST = 0.9  # of the sheet's long side
_SAME, _DIFFERENT = 6, 12  # of 255, in one channel: surely the ground, hardly the ground
_PART = 8  # of 255: more is the part
_HARDLY = 3  # of 255: enough inside of what all other frames call part
_WRONG_SHARE = 0.08  # of the frames may call a place of the part ground in the first round
_SEEN_SHARE = 0.35  # of the frames must see something in front of the ground at a place of the part
_DOUBTED_SHARE = 0.08  # of the frames may be wrong about a place in later rounds
_SMALL = 0.5  # of the pictures' size in the first rounds
_FAR_SCALE = 4  # of the picture in which the far background is smoothed
_FAR_BLURS = (3, 12, 48, 150)  # of that picture's pixels; the smallest that reaches known pixels counts
_EDGE = 3  # pixels: an outline's edge is where the difference falls to half within this distance
_FIRST_BAND, _BAND = 5, 6  # pixels around the hull in which the part may be
_MARGIN = 12  # pixels of background around the part that GrabCut sees
_CLEAR = 16  # of 255: the part, whatever its colours


@dataclass(frozen=True)
class _Difference:
    """How a view differs from its ground: `levels` of 255, (rows, columns).

    `known`: where the ground is known. `hidden`: the place under the part, or what its ground would show.
    """

    levels: NDArray[np.uint8]
    known: Mask
    hidden: Mask


def find_outlines(views: Sequence[View], sheet: Sheet) -> list[Mask]:
    """The part in each view. Raises SpinError if nothing stands on the sheet."""
    ground = find_ground(views, sheet)
    small = [view.scaled(_SMALL) for view in views]
    nowhere = [np.zeros(view.pixels.shape[:2], bool) for view in small]
    differences = [_difference(view, ground, none) for view, none in zip(small, nowhere, strict=True)]
    points, step = _first_hull(small, differences, (sheet.width, sheet.height))
    hulls = [_drawn(view, points, step) for view in small]
    bands = [_grown(hull, _FIRST_BAND) for hull in hulls]
    masks = [_decide(*one) for one in zip(differences, bands, hulls, strict=True)]
    for pictures in (small, views):
        points, step = _hull_points(small, masks, points, step)
        ground_now = ground.without(_footprint(ground, points, step))
        masks = [_look_closer(view, ground_now, points, step) for view in pictures]
    return masks


def _look_closer(view: View, ground: Ground, points: Floats, step: float) -> Mask:
    """The part in one view, near the solid of all views (points, `step` mm apart)."""
    hull = _drawn(view, points, step)
    band = _grown(hull, _BAND)
    difference = _difference(view, ground, band)
    return _cut(view, _decide(difference, band, hull), difference, band, hull)


def _difference(view: View, ground: Ground, band: Mask) -> _Difference:
    seen = ground.seen_by(view)
    evened = even_out(view.pixels, seen.colours, seen.known & ~band, seen.sheet)
    empty = ~seen.known & (seen.colours.max(2) == 0)
    expected = seen.colours.astype(np.float32)
    expected[empty] = _far_background(evened, ~seen.known & ~band)[empty]
    off = np.maximum(np.abs(evened - expected).max(2) - seen.spread, 0)
    levels = cv2.GaussianBlur(off, (0, 0), 0.8).clip(0, 255).astype(np.uint8)
    return _Difference(levels, seen.known, ground.hidden_in(view))


def _far_background(evened: Floats, background: Mask) -> Floats:
    """What lies beyond the known table, smoothed from what is seen of it beside the part."""
    size = background.shape[1] // _FAR_SCALE, background.shape[0] // _FAR_SCALE
    weight = background.astype(np.float32)
    colour = cv2.resize(evened * weight[..., None], size, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    smooth, found = np.zeros_like(colour), np.zeros(weight.shape, bool)
    for blur in _FAR_BLURS:
        mean, total = (cv2.GaussianBlur(image, (0, 0), blur) for image in (colour, weight))
        new = ~found & (total > 0.02)
        smooth[new] = mean[new] / total[new][:, None]
        found |= new
    far: Floats = cv2.resize(smooth, background.shape[::-1])
    return far


def _first_hull(
    views: Sequence[View], differences: Sequence[_Difference], sheet_mm: tuple[float, float]
) -> tuple[Floats, float]:
    """Points of a coarse solid on the sheet that nearly all views allow and many see; and their distance."""
    step = max(sheet_mm) / _FIRST_CELLS
    sides = [np.arange(-side / 2, side / 2, step) for side in sheet_mm]
    sides.append(np.arange(step / 2, _TALLEST * max(sheet_mm), step))
    points = np.stack(np.meshgrid(*sides, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    against, before = np.zeros((2, len(points)), np.int16)
    most = max(1, round(_WRONG_SHARE * len(views)))
    open_yet = np.arange(len(points))
    for view, difference in zip(views, differences, strict=True):
        row, column, inside = _pixels_of(view, points[open_yet])
        levels = difference.levels[row, column]
        against[open_yet] += inside & difference.known[row, column] & (levels < _SAME)
        before[open_yet] += inside & (levels > _DIFFERENT)
        open_yet = open_yet[against[open_yet] <= most]
    solid = (against <= most) & (before >= _SEEN_SHARE * len(views))
    grid = solid.reshape([len(side) for side in sides])
    if not grid.any():
        raise SpinError("spin.nothing_on_sheet")
    return points[largest_piece(grid).ravel()], step


def _hull_points(
    views: Sequence[View], masks: Sequence[Mask], known: Floats, step: float
) -> tuple[Floats, float]:
    """Points of the hull that nearly all masks allow, in the box of the known points; and their distance."""
    outlines = [outline(mask, view.camera) for mask, view in zip(masks, views, strict=True)]
    doubted = max(1, round(_DOUBTED_SHARE * len(views)))
    low, high = known.min(0) - 2 * step, known.max(0) + 2 * step
    fine = float((high - low).max()) / _HULL_CELLS
    low[2] = -fine
    shape = np.ceil((high - low) / fine).astype(int) + 1
    grid = VoxelGrid(low.astype(np.float64), fine, (int(shape[0]), int(shape[1]), int(shape[2])))
    solid = hull_depth(outlines, grid, doubted) > 0
    if not solid.any():
        raise SpinError("spin.nothing_on_sheet")
    return (grid.low + fine * np.argwhere(largest_piece(solid))).astype(np.float32), fine


def _pixels_of(view: View, points: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Mask]:
    """Rows and columns of points in the view, and which of them lie in it."""
    pixels, _ = project(view.camera, points)
    height, width = view.pixels.shape[:2]
    place = np.nan_to_num(pixels, nan=-1.0).round().astype(np.int64)
    column, row = place.T
    inside: Mask = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    return row.clip(0, height - 1), column.clip(0, width - 1), inside


def _drawn(view: View, points: Floats, step: float) -> Mask:
    """The solid of these points, `step` mm apart, as the view shows it."""
    row, column, inside = _pixels_of(view, points)
    picture = np.zeros(view.pixels.shape[:2], np.uint8)
    picture[row[inside], column[inside]] = 1
    distance = float(np.linalg.norm(view.camera.place - points.mean(0)))
    gap = int(np.ceil(0.6 * step * view.camera.lens.focal / distance)) + 1
    return _is_set(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, _disc(gap)))


def _footprint(ground: Ground, points: Floats, step: float) -> Mask:
    """Where on the ground the solid stands."""
    low = points[points[:, 2] < points[:, 2].min() + 1.5 * step]
    picture = np.zeros(ground.known.shape, np.uint8)
    picture[ground.cells_of(low)] = 1
    gap = int(np.ceil(0.6 * step / ground.to_sheet[0, 0])) + 1
    return _is_set(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, _disc(gap)))


def _decide(difference: _Difference, band: Mask, hull: Mask) -> Mask:
    """The part in one view, inside `band`; `hull` is what the other views say."""
    levels = difference.levels
    inner = cv2.erode(hull.astype(np.uint8), _disc(_EDGE)).astype(bool)
    mask = levels > _PART
    mask |= difference.hidden & hull
    mask |= inner & (levels > _HARDLY)
    mask &= band
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(2)).astype(bool)
    rim = mask & ~cv2.erode(mask.astype(np.uint8), _disc(_EDGE)).astype(bool)
    strongest = cv2.dilate(levels, _disc(_EDGE))
    mask &= ~(rim & difference.known & (levels < strongest / 2) & (strongest > 2 * _PART))
    return _without_specks(mask)


def _cut(view: View, mask: Mask, difference: _Difference, band: Mask, hull: Mask) -> Mask:
    """The mask, cut again along the frame's own edges and colours where its ground leaves doubt (GrabCut).

    Well inside of what the other views call part, only the ground's own colours are not part.
    """
    rows, columns = np.flatnonzero(band.any(1)), np.flatnonzero(band.any(0))
    if not len(rows):
        return mask
    window = np.s_[
        max(0, rows[0] - _MARGIN) : rows[-1] + _MARGIN, max(0, columns[0] - _MARGIN) : columns[-1] + _MARGIN
    ]
    levels, known = difference.levels[window], difference.known[window]
    inner = cv2.erode(hull.astype(np.uint8), _disc(2 * _EDGE)).astype(bool)[window]
    pixels = np.ascontiguousarray(view.pixels[window])
    labels = np.where(mask[window] & known | inner, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[~band[window] | (known & (levels < _HARDLY) & ~inner)] = cv2.GC_BGD
    clear = cv2.erode(mask.astype(np.uint8), _disc(1)).astype(bool)[window]
    labels[clear & known & (levels > _CLEAR)] = cv2.GC_FGD
    learnt = (labels == cv2.GC_FGD) | (labels == cv2.GC_BGD) | inner & (levels > _CLEAR)
    if not (labels[learnt] != cv2.GC_BGD).any():
        return mask
    models = _colour_models(pixels[learnt], labels[learnt] != cv2.GC_BGD)
    cv2.grabCut(pixels, labels, None, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
    cut = mask.copy()
    cut[window] = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    cut[window] |= inner & (difference.hidden[window] | (levels >= _SAME))
    return _without_specks(cut)


def _colour_models(pixels: Pixels, part: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """GrabCut's colour models, of the ground and of the part, from pixels (n, 3) of which it is sure."""
    models = np.zeros((1, 65)), np.zeros((1, 65))
    labels = np.where(part, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)[None]
    cv2.grabCut(np.ascontiguousarray(pixels[None]), labels, None, *models, 1, cv2.GC_INIT_WITH_MASK)
    return models


def _without_specks(mask: Mask) -> Mask:
    """The mask without pieces much smaller than its largest, and without pinholes."""
    for part in (True, False):
        count, labels, facts, _ = cv2.connectedComponentsWithStats((mask == part).astype(np.uint8))
        areas = facts[:, cv2.CC_STAT_AREA].copy()
        areas[0] = 0
        least = 0.02 * areas.max() if part else 12
        small = (areas < least) & (np.arange(count) > 0)
        mask = np.where(small[labels], not part, mask)
    return mask


def _grown(mask: Mask, pixels: int) -> Mask:
    return _is_set(cv2.dilate(mask.astype(np.uint8), _disc(pixels)))


def _is_set(picture: NDArray[np.uint8]) -> Mask:
    return np.asarray(picture, bool)


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8
    )

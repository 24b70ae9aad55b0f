"""What the backdrop looks like: its noise, its hue and its brightness all over the picture.

A plain backdrop changes in brightness, by falling light and by shadows, but hardly in hue. So a place is
compared with it by ratio: the level says how much darker it is, the spread between the colour channels how
much it differs in hue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]

_HUE = 0.12  # a deep shadow differs by as much from the backdrop, in its channels' ratios
_SHADOW_HUE = 0.04  # the same, from the backdrop right beside it
_STEP = 8  # pixels between the samples by which the falling light is fitted
_MISFIT = 0.02  # of the backdrop's level, what a fitted flat backdrop is off by


@dataclass(frozen=True)
class Likeness:
    """How each place compares with the backdrop: `level` (1: as bright) and `spread` (0: of its hue)."""

    level: Field
    spread: Field
    usual: float  # the backdrop's darkest channel, in grey levels


def smooth(picture: Field, radius: float) -> Field:
    smoothed: Field = ndimage.gaussian_filter(picture, (radius, radius, 0), mode="nearest")
    return smoothed


def border(field: Field) -> Field:
    """The values in a frame of 3 % along the picture's border, one row per pixel."""
    width = max(4, round(0.03 * min(field.shape[:2])))
    sides = (field[:width], field[-width:], field[:, :width], field[:, -width:])
    return np.concatenate([side.reshape(-1, *field.shape[2:]) for side in sides])


def coloured(colours: Field, noise: float) -> Mask:
    """Where the hue is about the backdrop's, and the brightness between a deep shadow's and its own."""
    frame = border(colours)
    usual = np.median(frame, axis=0) + 1
    like = _likeness(colours, usual)
    brightest = np.percentile(frame.mean(1), 99) / usual.mean()
    alike: Mask = like.spread < _HUE + min(_HUE, 4 * noise / usual.min())
    alike &= (like.level > 0.25) & (like.level < 1.25 * brightest)
    return alike


def against_light(colours: Field, outside: Mask) -> tuple[Likeness, float]:
    """How the picture compares with the backdrop in full light, and how far in level that may be off."""
    like = _likeness(colours, _full_light(colours, outside))
    usual = float(np.median(np.abs(like.level[outside] - 1)))
    return like, _MISFIT + 3 * usual


def beside(colours: Field, outside: Mask) -> Likeness:
    """How the picture compares with the backdrop nearby, shadows included, carried on behind the part."""
    small, known = colours[::_STEP, ::_STEP], outside[::_STEP, ::_STEP].astype(np.float32)
    total, weight = np.zeros_like(small), np.zeros_like(known)
    for radius, trust in ((4, 1.0), (12, 1e-2), (40, 1e-4)):
        total += trust * smooth(small * known[..., None], radius)
        weight += trust * ndimage.gaussian_filter(known, radius, mode="nearest")
    model = (total / np.maximum(weight, 1e-12)[..., None]).astype(np.float32)
    zoom = (colours.shape[0] / model.shape[0], colours.shape[1] / model.shape[1], 1)
    enlarged: Field = ndimage.zoom(model, zoom, order=1, mode="nearest", grid_mode=True) + 1
    return _likeness(colours, enlarged)


def shaded(near: Likeness, outside: Mask) -> Mask:
    """Where there may be backdrop in shadow: its hue drifts from that nearby by no more than it is darker."""
    own = 0.01 + 2 * float(np.median(near.spread[outside]))
    drift = np.clip(own + 0.1 * (1 - near.level), 0, max(_SHADOW_HUE, own))
    alike: Mask = ndimage.gaussian_filter(near.spread, 1.0) < drift
    return alike & (near.level > 0.4) & (near.level < 1.04)


def _likeness(colours: Field, model: Field) -> Likeness:
    ratio = (colours + 1) / model
    level = ratio.mean(2)
    usual = np.median(model.reshape(-1, 3)[:: _STEP * _STEP], axis=0).min()
    return Likeness(level, (ratio.max(2) - ratio.min(2)) / level, float(usual))


def _full_light(colours: Field, outside: Mask) -> Field:
    """Each channel's brightness as a quadratic of the place, fitted where no shadow darkens it."""
    height, width = outside.shape
    rows, columns = np.mgrid[:height:_STEP, :width:_STEP]
    known = outside[::_STEP, ::_STEP]
    terms = _quadratic(rows[known] / height - 0.5, columns[known] / width - 0.5)
    values = colours[::_STEP, ::_STEP][known] + 1
    lit = np.ones(len(values), bool)
    for _ in range(4):
        weights = np.linalg.lstsq(terms[lit], values[lit], rcond=None)[0]
        level = (values / np.maximum(terms @ weights, 1)).mean(1)
        lit = level > 1 - max(0.01, 1.5 * float(np.median(np.abs(level - 1))))
    everywhere = np.mgrid[:height, :width] / np.array([height, width])[:, None, None] - 0.5
    return np.maximum(_quadratic(*everywhere) @ weights, 1).astype(np.float32)


def _quadratic(row: NDArray[np.float64], column: NDArray[np.float64]) -> NDArray[np.float32]:
    terms = (np.ones_like(row), row, column, row * row, row * column, column * column)
    return np.stack(terms, -1).astype(np.float32)

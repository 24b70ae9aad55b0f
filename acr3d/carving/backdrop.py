"""What the backdrop looks like: its noise, its hue and its brightness all over the picture.

A plain backdrop changes in brightness, by falling light and by shadows, but hardly in hue. So a place is
compared with it by ratio: the level says how much darker it is, the spread between the colour channels how
much it differs in hue.

Pictures are (channels, height, width) here: numpy is many times slower over a last axis of three.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from acr3d.carving.morphology import Mask

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
    smoothed: Field = ndimage.gaussian_filter(picture, (0, radius, radius), mode="nearest")
    return smoothed


def border(field: Field) -> Field:
    """The values in a frame of 3 % along the picture's border, (…, pixels) of (…, height, width)."""
    width = max(4, round(0.03 * min(field.shape[-2:])))
    sides = (field[..., :width, :], field[..., -width:, :], field[..., :width], field[..., -width:])
    return np.concatenate([side.reshape(*field.shape[:-2], -1) for side in sides], -1)


def coloured(colours: Field, noise: float) -> Mask:
    """Where the hue is about the backdrop's, and the brightness between a deep shadow's and its own."""
    frame = border(colours)
    usual = np.median(frame, axis=1) + 1
    like = _likeness(colours, usual[:, None, None])
    brightest = np.percentile(frame.mean(0), 99) / usual.mean()
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
    small, known = colours[:, ::_STEP, ::_STEP], outside[::_STEP, ::_STEP].astype(np.float32)
    total, weight = np.zeros_like(small), np.zeros_like(known)
    for radius, trust in ((4, 1.0), (12, 1e-2), (40, 1e-4)):
        total += trust * smooth(small * known, radius)
        weight += trust * ndimage.gaussian_filter(known, radius, mode="nearest")
    model = (total / np.maximum(weight, 1e-12)).astype(np.float32)
    return _likeness(colours, _enlarged(model, outside.shape) + 1)


def _enlarged(picture: Field, shape: tuple[int, ...]) -> Field:
    """The picture, bilinear, in a larger `shape` (height, width)."""
    size = shape[1], shape[0]
    planes = (Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR) for plane in picture)
    return np.stack([np.asarray(plane) for plane in planes])


def shaded(near: Likeness, outside: Mask) -> Mask:
    """Where there may be backdrop in shadow: its hue drifts from that nearby by no more than it is darker."""
    own = 0.01 + 2 * float(np.median(near.spread[outside]))
    drift = np.clip(own + 0.1 * (1 - near.level), 0, max(_SHADOW_HUE, own))
    alike: Mask = ndimage.gaussian_filter(near.spread, 1.0) < drift
    return alike & (near.level > 0.4) & (near.level < 1.04)


def _likeness(colours: Field, model: Field) -> Likeness:
    ratio = (colours + 1) / model
    level = ratio.mean(0)
    usual = np.median(model.reshape(len(model), -1)[:, :: _STEP * _STEP], axis=1).min()
    return Likeness(level, (ratio.max(0) - ratio.min(0)) / level, float(usual))


def _full_light(colours: Field, outside: Mask) -> Field:
    """Each channel's brightness as a quadratic of the place, fitted where no shadow darkens it."""
    height, width = outside.shape
    rows, columns = np.mgrid[:height:_STEP, :width:_STEP]
    known = outside[::_STEP, ::_STEP]
    terms = np.stack(_quadratic(rows[known] / height - 0.5, columns[known] / width - 0.5), -1)
    values = colours[:, ::_STEP, ::_STEP][:, known].T + 1
    lit = np.ones(len(values), bool)
    for _ in range(4):
        weights = np.linalg.lstsq(terms[lit], values[lit], rcond=None)[0]
        level = (values / np.maximum(terms @ weights, 1)).mean(1)
        lit = level > 1 - max(0.01, 1.5 * float(np.median(np.abs(level - 1))))
    everywhere = _quadratic(np.arange(height)[:, None] / height - 0.5, np.arange(width) / width - 0.5)
    light = [sum(weight * term for weight, term in zip(own, everywhere, strict=True)) for own in weights.T]
    return np.maximum(np.asarray(light, np.float32), 1)


def _quadratic(row: NDArray[np.float64], column: NDArray[np.float64]) -> list[Field]:
    """The terms, those of one row first: they are soon added up when there are but few."""
    terms = (np.ones_like(row), row, row * row, column, column * column, row * column)
    return [term.astype(np.float32) for term in terms]

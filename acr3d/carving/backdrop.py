"""Model the backdrop's noise, hue and brightness across the photo, and compare each pixel with it.

A plain backdrop varies in brightness (light falloff, shadows) but hardly in hue. So each pixel is divided by
the backdrop's colour: the mean ratio over the channels is its brightness, the spread between the channels its
difference in hue.

Images are (channels, height, width) here: numpy is many times slower over a last axis of three.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from acr3d.carving.morphology import Mask

ChannelImage = NDArray[np.float32]

_MAX_HUE_SPREAD = 0.12  # between the channel ratios: what a deep shadow shows
_MAX_SHADOW_HUE_SPREAD = 0.04  # the same, compared with the backdrop right next to the shadow
_SAMPLE_STEP = 8  # pixels between the samples to which the light falloff is fitted
_LIGHT_FIT_ERROR = 0.02  # of the backdrop's brightness: the fit's error on a flat backdrop


@dataclass(frozen=True)
class BackdropMatch:
    """Per pixel, compared with the backdrop: `level` (1: equally bright) and `hue_spread` (0: same hue)."""

    level: ChannelImage
    hue_spread: ChannelImage
    darkest_channel: float  # of the backdrop, in grey levels


def gaussian_blur(picture: ChannelImage, radius: float) -> ChannelImage:
    smoothed: ChannelImage = ndimage.gaussian_filter(picture, (0, radius, radius), mode="nearest")
    return smoothed


def border_pixels(field: ChannelImage) -> ChannelImage:
    """The values in a frame of 3 % along the border: (…, pixels) from (…, height, width)."""
    width = max(4, round(0.03 * min(field.shape[-2:])))
    sides = (field[..., :width, :], field[..., -width:, :], field[..., :width], field[..., -width:])
    return np.concatenate([side.reshape(*field.shape[:-2], -1) for side in sides], -1)


def matches_backdrop_hue(colours: ChannelImage, noise: float) -> Mask:
    """Pixels with the backdrop's hue and a brightness between a deep shadow's and the lit backdrop's."""
    frame = border_pixels(colours)
    usual = np.median(frame, axis=1) + 1
    like = _compare(colours, usual[:, None, None])
    brightest = np.percentile(frame.mean(0), 99) / usual.mean()
    alike: Mask = like.hue_spread < _MAX_HUE_SPREAD + min(_MAX_HUE_SPREAD, 4 * noise / usual.min())
    alike &= (like.level > 0.25) & (like.level < 1.25 * brightest)
    return alike


def compare_with_full_light(colours: ChannelImage, background: Mask) -> tuple[BackdropMatch, float]:
    """Compare the photo with the fully lit backdrop; also return the expected error of `level`."""
    like = _compare(colours, _fit_full_light(colours, background))
    usual = float(np.median(np.abs(like.level[background] - 1)))
    return like, _LIGHT_FIT_ERROR + 3 * usual


def compare_with_nearby(colours: ChannelImage, background: Mask) -> BackdropMatch:
    """Compare the photo with the backdrop nearby, shadows included, extrapolated behind the part."""
    small, known = (
        colours[:, ::_SAMPLE_STEP, ::_SAMPLE_STEP],
        background[::_SAMPLE_STEP, ::_SAMPLE_STEP].astype(np.float32),
    )
    total, weight = np.zeros_like(small), np.zeros_like(known)
    for radius, trust in ((4, 1.0), (12, 1e-2), (40, 1e-4)):
        total += trust * gaussian_blur(small * known, radius)
        weight += trust * ndimage.gaussian_filter(known, radius, mode="nearest")
    model = (total / np.maximum(weight, 1e-12)).astype(np.float32)
    return _compare(colours, _upscaled(model, background.shape) + 1)


def _upscaled(picture: ChannelImage, shape: tuple[int, ...]) -> ChannelImage:
    """The image scaled up to `shape` (height, width), bilinear."""
    size = shape[1], shape[0]
    planes = (Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR) for plane in picture)
    return np.stack([np.asarray(plane) for plane in planes])


def find_shadow(near: BackdropMatch, background: Mask) -> Mask:
    """Pixels that may be shadowed backdrop: the darker they are, the more their hue may differ."""
    own = 0.01 + 2 * float(np.median(near.hue_spread[background]))
    drift = np.clip(own + 0.1 * (1 - near.level), 0, max(_MAX_SHADOW_HUE_SPREAD, own))
    alike: Mask = ndimage.gaussian_filter(near.hue_spread, 1.0) < drift
    return alike & (near.level > 0.4) & (near.level < 1.04)


def _compare(colours: ChannelImage, model: ChannelImage) -> BackdropMatch:
    ratio = (colours + 1) / model
    level = ratio.mean(0)
    usual = np.median(model.reshape(len(model), -1)[:, :: _SAMPLE_STEP * _SAMPLE_STEP], axis=1).min()
    return BackdropMatch(level, (ratio.max(0) - ratio.min(0)) / level, float(usual))


def _fit_full_light(colours: ChannelImage, background: Mask) -> ChannelImage:
    """Each channel's brightness as a quadratic in row and column, fitted to the backdrop outside shadows."""
    height, width = background.shape
    rows, columns = np.mgrid[:height:_SAMPLE_STEP, :width:_SAMPLE_STEP]
    known = background[::_SAMPLE_STEP, ::_SAMPLE_STEP]
    terms = np.stack(_quadratic_terms(rows[known] / height - 0.5, columns[known] / width - 0.5), -1)
    values = colours[:, ::_SAMPLE_STEP, ::_SAMPLE_STEP][:, known].T + 1
    lit = np.ones(len(values), bool)
    for _ in range(4):
        weights = np.linalg.lstsq(terms[lit], values[lit], rcond=None)[0]
        level = (values / np.maximum(terms @ weights, 1)).mean(1)
        lit = level > 1 - max(0.01, 1.5 * float(np.median(np.abs(level - 1))))
    everywhere = _quadratic_terms(np.arange(height)[:, None] / height - 0.5, np.arange(width) / width - 0.5)
    light = [sum(weight * term for weight, term in zip(own, everywhere, strict=True)) for own in weights.T]
    return np.maximum(np.asarray(light, np.float32), 1)


def _quadratic_terms(row: NDArray[np.float64], column: NDArray[np.float64]) -> list[ChannelImage]:
    """The terms, ordered so that summing them keeps the arrays small for as long as possible."""
    terms = (np.ones_like(row), row, row * row, column, column * column, row * column)
    return [term.astype(np.float32) for term in terms]

"""Corners of markers to a tenth of a pixel: lines through the edges of each, and where these meet.

cv2.cornerSubPix is meant for chessboards, where four fields meet. At the corner of a lone dark square it
moves half a pixel inwards, more the softer the picture is, and the lens and the cameras with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]

_ROUNDS = 2
_ALONG = np.linspace(0.12, 0.88, 14)  # where along an edge it is looked at; corners are round when unsharp
_ACROSS = np.linspace(-1, 1, 25)  # from inside to outside, in units of the reach
_REACH_CELLS = 0.75  # of a cell, six of which make a marker's side: farther off, other cells begin
_MOST_REACH_PX = 5.0
_PLATEAU = 4  # samples at each end of a profile that show pure black and white
_LEAST_CONTRAST = 0.02  # of the light of white
_GAMMA = 2.2  # blur mixes light, not grey levels: half the light is where the edge is
_STRAYING_PX = 0.6  # a place whose edge is farther than this from the line is not on the line
_FEWEST_PLACES = 6


@dataclass(frozen=True)
class Corners:
    """Of n markers: `points` (n, 4, 2) px, and `widths` (n, 4): how many pixels each edge takes to change.

    A marker with an edge that could not be followed has NaN.
    """

    points: Floats
    widths: Floats


def refine(grey: Grey, quads: Floats) -> Corners:
    """The corners of dark squares on white near the given ones (n, 4, 2), which may be a pixel off."""
    points = np.asarray(quads, np.float64)
    widths = np.full(points.shape[:2], np.nan)
    for _ in range(_ROUNDS):
        if not len(points):
            break
        points, widths = _round(grey, points)
    return Corners(points, widths)


def _round(grey: Grey, quads: Floats) -> tuple[Floats, Floats]:
    starts, ends = quads, np.roll(quads, -1, 1)
    lengths = np.linalg.norm(ends - starts, axis=2)
    along = (ends - starts) / np.maximum(lengths, 1e-9)[..., None]
    outward = np.stack([along[..., 1], -along[..., 0]], 2)  # corners run clockwise in the picture
    across = _areas(quads)[:, None] / np.maximum(lengths, 1e-9)  # of the marker, from each edge
    reach = np.minimum(across / 6 * _REACH_CELLS, _MOST_REACH_PX)
    places = starts[:, :, None] + (ends - starts)[:, :, None] * _ALONG[:, None]
    samples = (
        places[:, :, :, None] + outward[:, :, None, None] * (reach[..., None, None] * _ACROSS)[..., None]
    )
    shifts, widths = _crossings(_profiles(grey, samples), reach)
    offset, slope, width = _lines(shifts, widths, lengths)
    normal = outward - slope[..., None] * along  # of the fitted line, not of length one
    through = starts + outward * offset[..., None]
    return _meeting(normal, through), width


def _areas(quads: Floats) -> Floats:
    """By the shoelace formula."""
    x, y = quads[..., 0], quads[..., 1]
    doubled: Floats = np.abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1))
    return doubled / 2


def _profiles(grey: Grey, samples: Floats) -> Floats:
    """Grey levels at the samples (…, 2)."""
    flat = samples.reshape(-1, samples.shape[-2], 2).astype(np.float32)
    levels = cv2.remap(grey, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return (np.asarray(levels, np.float64).reshape(samples.shape[:-1]) / 255) ** _GAMMA


def _crossings(profiles: Floats, reach: Floats) -> tuple[Floats, Floats]:
    """Where each profile (n, 4, places, across) passes half its contrast, px outward, and its width in px."""
    dark, light = profiles[..., :_PLATEAU].mean(-1), profiles[..., -_PLATEAU:].mean(-1)
    contrast = light - dark
    half = (dark + light)[..., None] / 2
    is_above = profiles >= half
    first = np.clip(is_above.argmax(-1), 1, None)
    below = np.take_along_axis(profiles, first[..., None] - 1, -1)[..., 0]
    above = np.take_along_axis(profiles, first[..., None], -1)[..., 0]
    step = (_ACROSS[1] - _ACROSS[0]) * reach[..., None]
    part = (half[..., 0] - below) / np.maximum(above - below, 1e-9)
    shifts = _ACROSS[0] * reach[..., None] + (first - 1 + part) * step
    steepest = (profiles[..., 2:] - profiles[..., :-2]).max(-1) / (2 * step)
    widths = contrast / np.maximum(steepest, 1e-9)
    is_edge = (contrast > _LEAST_CONTRAST) & (part >= 0) & (part <= 1)
    return np.where(is_edge, shifts, np.nan), np.where(is_edge, widths, np.nan)


def _lines(shifts: Floats, widths: Floats, lengths: Floats) -> tuple[Floats, Floats, Floats]:
    """For each edge a line through its places: its offset at the edge's start, its slope, and its width."""
    at = _ALONG * lengths[..., None]
    is_used = np.isfinite(shifts)
    middle = np.nanmedian(np.where(is_used.any(-1, keepdims=True), shifts, 0), -1, keepdims=True)
    is_used &= np.abs(shifts - middle) < 3 * _STRAYING_PX
    for _ in range(2):
        offset, slope = _fit(at, shifts, is_used)
        is_used &= np.abs(shifts - offset[..., None] - slope[..., None] * at) < _STRAYING_PX
    offset, slope = _fit(at, shifts, is_used)
    is_known = is_used.sum(-1) >= _FEWEST_PLACES
    width = np.nanmedian(np.where(is_known[..., None], widths, 0), -1)
    return np.where(is_known, offset, np.nan), slope, np.where(is_known, width, np.nan)


def _fit(at: Floats, shifts: Floats, is_used: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    count = np.maximum(is_used.sum(-1), 1)
    known = np.where(is_used, shifts, 0)
    mean_at, mean = (at * is_used).sum(-1) / count, known.sum(-1) / count
    away = np.where(is_used, at - mean_at[..., None], 0)
    slope = (away * known).sum(-1) / np.maximum((away**2).sum(-1), 1e-9)
    return mean - slope * mean_at, slope


def _meeting(normal: Floats, through: Floats) -> Floats:
    """Where each line meets the one before: corner i is between edge i - 1 and edge i."""
    constant = (normal * through).sum(-1)
    one, other = np.roll(normal, 1, 1), normal
    c_one, c_other = np.roll(constant, 1, 1), constant
    determinant = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    determinant = np.where(np.abs(determinant) > 1e-6, determinant, np.nan)
    x = (c_one * other[..., 1] - c_other * one[..., 1]) / determinant
    y = (one[..., 0] * c_other - other[..., 0] * c_one) / determinant
    return np.stack([x, y], -1)

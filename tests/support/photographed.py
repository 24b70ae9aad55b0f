"""Pictures of a steel plate before plain and cluttered backdrops, and what a network might say of them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SIDE = 600
STEEL, GREY, SKIN = (70, 72, 78), (190, 188, 182), (205, 150, 125)


def box(top: int, left: int, bottom: int, right: int) -> Mask:
    mask: Mask = np.zeros((SIDE, SIDE), bool)
    mask[top:bottom, left:right] = True
    return mask


def disc(row: int, column: int, radius: int) -> Mask:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    mask: Mask = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    return mask


PLATE = box(200, 130, 400, 470)


def on_paper(*things: tuple[Mask, tuple[int, int, int]], noise: float = 1.0) -> Pixels:
    """The things, later ones in front, before a plain grey backdrop."""
    return _taken(np.full((SIDE, SIDE, 3), GREY, float), things, noise)


def in_clutter(*things: tuple[Mask, tuple[int, int, int]]) -> Pixels:
    """The things before a wall of coloured tiles, where no colour is the backdrop's."""
    tiles = np.random.default_rng(3).integers(90, 255, (20, 20, 3)).astype(np.uint8)
    wall = Image.fromarray(tiles).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    return _taken(np.asarray(wall, float), things, 1.0)


def alpha_of(mask: Mask, doubt: float = 0.0) -> NDArray[np.float32]:
    """What a network that sees `mask` answers: soft at the rim, and unsure by `doubt` inside."""
    soft: NDArray[np.float32] = ndimage.gaussian_filter(mask.astype(np.float32), 1.5)
    return soft * np.float32(1 - doubt)


def iou(one: Mask | None, other: Mask) -> float:
    assert one is not None
    return float((one & other).sum() / (one | other).sum())


def as_file(pixels: Pixels, kind: str = "PNG") -> io.BytesIO:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    file.seek(0)
    return file


def _taken(
    backdrop: NDArray[np.float64], things: tuple[tuple[Mask, tuple[int, int, int]], ...], noise: float
) -> Pixels:
    picture = backdrop.copy()
    for mask, colour in things:
        picture[mask] = colour
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)

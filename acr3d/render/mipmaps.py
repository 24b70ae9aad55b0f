"""Textures with mipmaps and bilinear filtering, so that they do not flicker when seen from far away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
_REPEAT, _CLAMP, _MIRROR = 10497, 33071, 33648


@dataclass(frozen=True)
class MipmappedTexture:
    """`levels`: (height, width, 3 or 4) uint8, sRGB with straight alpha, each half the size of the previous.

    `wrap`: glTF's wrap modes along u and v; `transform`: (2, 3), from the model's UVs to the texture's
    (KHR_texture_transform); `channel`: the number of the UV set.
    """

    levels: list[NDArray[np.uint8]]
    wrap: tuple[int, int] = (_REPEAT, _REPEAT)
    transform: Floats | None = None
    channel: int = 0

    def texels_per_uv(self) -> float:
        """The number of texels in a unit square of UV space."""
        height, width = self.levels[0].shape[:2]
        grown = 1.0 if self.transform is None else abs(float(np.linalg.det(self.transform[:, :2])))
        return float(height * width * grown)

    def sample(self, uv: Floats, level: NDArray[np.intp]) -> NDArray[np.float32]:
        """(k, 4) colours from 0 to 1 at (k, 2) UV coordinates, each at its mipmap level."""
        if self.transform is not None:
            uv = uv @ self.transform[:, :2].T + self.transform[:, 2]
        found = np.empty((len(uv), 4), np.float32)
        found[:, 3] = 1
        level = level.clip(0, len(self.levels) - 1)
        for number in np.unique(level):
            chosen = np.flatnonzero(level == number)
            pixels = self.levels[number]
            found[chosen, : pixels.shape[2]] = _bilinear(pixels, uv[chosen], self.wrap)
        return found


def build_mipmaps(picture: Image.Image, most_side: int) -> list[NDArray[np.uint8]]:
    """The picture, at most `most_side` pixels wide and high, and its halves down to one pixel."""
    picture = picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    picture.thumbnail((most_side, most_side), Image.Resampling.BOX)
    levels = [np.asarray(picture)]
    while max(picture.size) > 1:
        picture = picture.reduce((min(2, picture.width), min(2, picture.height)))
        levels.append(np.asarray(picture))
    return levels


def _bilinear(pixels: NDArray[np.uint8], uv: Floats, wrap: tuple[int, int]) -> NDArray[np.float32]:
    height, width = pixels.shape[:2]
    # Extreme coordinates must not overflow an integer; repetition hides the clipping.
    x, y = (np.clip(uv, -1e6, 1e6) * (width, height) - 0.5).T
    column, row = np.floor(x), np.floor(y)
    right, down = (x - column).astype(np.float32)[:, None], (y - row).astype(np.float32)[:, None]
    columns = [_wrapped(column + step, width, wrap[0]) for step in (0, 1)]
    rows = [_wrapped(row + step, height, wrap[1]) for step in (0, 1)]
    upper = pixels[rows[0], columns[0]] * (1 - right) + pixels[rows[0], columns[1]] * right
    lower = pixels[rows[1], columns[0]] * (1 - right) + pixels[rows[1], columns[1]] * right
    mixed: NDArray[np.float32] = (upper * (1 - down) + lower * down) / np.float32(255)
    return mixed


def _wrapped(places: Floats, size: int, wrap: int) -> NDArray[np.int64]:
    whole = places.astype(np.int64)
    if wrap == _CLAMP:
        return whole.clip(0, size - 1)
    if wrap == _MIRROR:
        within = whole % (2 * size)
        return np.minimum(within, 2 * size - 1 - within)
    return whole % size

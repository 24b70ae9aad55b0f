"""Flood the background from the photo's border up to the part's edges, including the part's shadows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.backdrop import ChannelImage
from acr3d.carving.morphology import Mask, dilated, eroded, opened

_HALO = 12  # pixels over which the coarse blur spreads an edge
_GAP = 2  # the flood does not pass gaps in an edge that are narrower than twice this, in pixels
_CONTACT_SHADOW_SLOPE = 5.0  # grey levels over two pixels, both axes added; a part's edge has ten times that
_CAST_SHADOW_SLOPE = 16.0  # the same for a shadow right beneath the part
_MIN_OPEN_RIM = 0.7  # share of a shadow's rim along the background that no edge separates from it
_MAX_RIM_LENGTH = 3.0  # a shadow's whole rim over the open share of it
_MAX_DARKEST_LEVEL = 0.85  # relative to the backdrop: every shadow this steep gets at least this dark


def flood_from_border(calm: Mask) -> Mask:
    """The calm pixels that are connected to the border by a path wider than twice the gap."""
    padded = np.pad(calm, _GAP + 1, constant_values=True)
    labels, _ = ndimage.label(~dilated(~padded, _GAP))
    reached: Mask = labels == labels[0, 0]
    for _ in range(_GAP):
        reached = dilated(reached) & padded
    inner = slice(_GAP + 1, -_GAP - 1)
    return reached[inner, inner]


def grow_to_edges(colours: ChannelImage, background: Mask, noise: float) -> Mask:
    """The background grown across the coarse blur's halo, where the colour stays that of the background."""
    here, there = _NearestBackground(background).within_halo()
    change = np.abs(colours[:, *here] - colours[:, *there]).max(0)
    alike = background.copy()
    alike[*here[:, change < max(2.0, 8 * noise)]] = True
    within: Mask = ndimage.binary_propagation(background, mask=alike)
    return within


def grow_over_contact_shadow(shaded: Mask, gradient: ChannelImage, background: Mask) -> Mask:
    """The background grown over the dark strip beneath a part, where the `shaded` backdrop fades gently.

    The strip darkens too quickly to be calm, but far less per pixel than any part's edge. Only a few pixels
    are added, because grey metal fades as gently.
    """
    reach = ndimage.maximum_filter(background, 2 * _HALO + 1)
    fading = reach & shaded & (gradient < _CONTACT_SHADOW_SLOPE)
    wide = opened(background | fading, _GAP) | background
    within: Mask = ndimage.binary_propagation(background, mask=wide)
    return within


def grow_over_cast_shadows(
    level: ChannelImage, shaded: Mask, gradient: ChannelImage, background: Mask
) -> Mask:
    """The background grown over steep shadows right beneath a part, including wide ones between its feet.

    A shadow borders the lit backdrop along its whole outer side. Metal in the backdrop's tone fades as
    gently, but touches the backdrop only where its edge happens to vanish. Where a shadow merges with such
    metal, the strip next to the background decides.
    """
    steep = shaded & (gradient < _CAST_SHADOW_SLOPE)
    nearest = _NearestBackground(background)
    wide = _open_shadows(steep & ~background, level, nearest)
    if wide.any():
        nearest = _NearestBackground(background | wide)
    return nearest.background | _open_shadows(steep & _in_line_of_sight(steep, nearest), level, nearest)


class _NearestBackground:
    """For each pixel: the distance to the background and the nearest background pixel."""

    def __init__(self, background: Mask) -> None:
        self.background = background
        self.distance = np.zeros(background.shape, np.float32)
        self.nearest = np.zeros((2, *background.shape), np.int32)
        rows, columns = (np.flatnonzero(~background.all(axis)) for axis in (1, 0))
        if len(rows):  # outside this box everything is background, so nothing has to be measured there
            top, left = max(0, rows[0] - 1), max(0, columns[0] - 1)
            box = np.s_[top : rows[-1] + 2, left : columns[-1] + 2]
            self.distance[box], nearest = ndimage.distance_transform_edt(
                ~background[box], return_indices=True
            )
            self.nearest[:, *box] = nearest + np.array([top, left])[:, None, None]

    def within_halo(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(rows, columns) of the pixels within a halo of the background, and of the nearest one to each."""
        here = np.stack(np.nonzero((self.distance > 0) & (self.distance <= _HALO)))
        return here, self.nearest[:, *here]


def _in_line_of_sight(clear: Mask, nearest: _NearestBackground) -> Mask:
    """The pixels with a short, straight, `clear` path to the background."""
    here, there = nearest.within_halo()
    seen = np.ones(here.shape[1], bool)
    for share in np.linspace(0, 0.75, _HALO):
        row, column = np.rint(here + share * (there - here)).astype(int)
        seen &= clear[row, column]
    sight = np.zeros_like(clear)
    sight[*here[:, seen]] = True
    return sight


def _open_shadows(dim: Mask, level: ChannelImage, nearest: _NearestBackground) -> Mask:
    """The connected pieces of `dim` that border the open background and get as dark as a shadow does."""
    labels, count = ndimage.label(opened(dim, _GAP))
    open_shadows = np.zeros_like(dim)
    for number, place in enumerate(ndimage.find_objects(labels, count), 1):
        piece = labels[place] == number
        corner = [[side.start] for side in place]
        row, column = np.stack(np.nonzero(piece & ~eroded(piece))) + corner
        away = nearest.distance[row, column]
        midway = (np.stack([row, column]) + nearest.nearest[:, row, column]) // 2
        is_cut_off = labels[midway[0], midway[1]] != number  # something lies between it and the background
        is_open = away <= _GAP + 0.5
        is_shut = ~is_open & (away <= _HALO) & is_cut_off
        is_shadow = (
            is_open.sum() > _MIN_OPEN_RIM * (is_open | is_shut).sum()
            and len(away) < _MAX_RIM_LENGTH * is_open.sum()
        )
        if is_shadow and level[place][piece].min() < _MAX_DARKEST_LEVEL:
            open_shadows[place] |= piece
    return open_shadows

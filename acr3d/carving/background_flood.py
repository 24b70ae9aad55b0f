"""Flooding the backdrop from the picture's border, up to the part's edges and over its shadow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.backdrop import Field
from acr3d.carving.morphology import Mask, grown, opened, shrunk

_HALO = 12  # pixels over which the coarse smoothing spreads an edge
_GAP = 2  # an opening in an edge narrower than twice this lets no backdrop through
_SHADOW_SLOPE = 5.0  # grey levels over two pixels, both ways together: an edge has ten times as much
_STEEP_SLOPE = 16.0  # the same, of a shadow close beneath a part
_OPEN = 0.7  # of a shadow's rim along the backdrop, where no edge lies between
_DEEP = 3.0  # a shadow's whole rim, in lengths of what lies open
_DARK = 0.85  # of the backdrop's level, reached by any shadow that is as steep


def reached_from_border(calm: Mask) -> Mask:
    """The calm places joined to the border by a way wider than twice the gap."""
    padded = np.pad(calm, _GAP + 1, constant_values=True)
    labels, _ = ndimage.label(~grown(~padded, _GAP))
    reached: Mask = labels == labels[0, 0]
    for _ in range(_GAP):
        reached = grown(reached) & padded
    inner = slice(_GAP + 1, -_GAP - 1)
    return reached[inner, inner]


def up_to_the_edge(colours: Field, outside: Mask, noise: float) -> Mask:
    """`outside` grown over the coarse smoothing's halo, as long as the colour stays the one beside it."""
    here, there = _Ways(outside).short()
    change = np.abs(colours[:, *here] - colours[:, *there]).max(0)
    alike = outside.copy()
    alike[*here[:, change < max(2.0, 8 * noise)]] = True
    within: Mask = ndimage.binary_propagation(outside, mask=alike)
    return within


def over_contact_shadow(shaded: Mask, gradient: Field, outside: Mask) -> Mask:
    """`outside` grown by the dark strip beneath a part, where the backdrop is `shaded` and fades gently.

    It darkens too quickly to be calm, but by far less from pixel to pixel than any part's edge does. Only a
    little way, as grey metal fades as gently.
    """
    reach = ndimage.maximum_filter(outside, 2 * _HALO + 1)
    fading = reach & shaded & (gradient < _SHADOW_SLOPE)
    wide = opened(outside | fading, _GAP) | outside
    within: Mask = ndimage.binary_propagation(outside, mask=wide)
    return within


def under_the_part(level: Field, shaded: Mask, gradient: Field, outside: Mask) -> Mask:
    """`outside` and the steep shadows close beneath a part, also the wide ones between its feet.

    A shadow lies open to the lit backdrop along its whole outer side. Metal of the backdrop's tone fades as
    gently, but is joined to it only where its edge happens to vanish. Where a shadow runs into such metal, it
    is told by the strip next to the backdrop.
    """
    steep = shaded & (gradient < _STEEP_SLOPE)
    ways = _Ways(outside)
    wide = _open_shadows(steep & ~outside, level, ways)
    if wide.any():
        ways = _Ways(outside | wide)
    return ways.outside | _open_shadows(steep & _in_sight(steep, ways), level, ways)


class _Ways:
    """How far each place is from `outside`, and which place of that is the nearest."""

    def __init__(self, outside: Mask) -> None:
        self.outside = outside
        self.distance = np.zeros(outside.shape, np.float32)
        self.nearest = np.zeros((2, *outside.shape), np.int32)
        rows, columns = (np.flatnonzero(~outside.all(axis)) for axis in (1, 0))
        if len(rows):  # beyond them there is nothing to measure; a frame of `outside` bounds all ways
            top, left = max(0, rows[0] - 1), max(0, columns[0] - 1)
            box = np.s_[top : rows[-1] + 2, left : columns[-1] + 2]
            self.distance[box], nearest = ndimage.distance_transform_edt(~outside[box], return_indices=True)
            self.nearest[:, *box] = nearest + np.array([top, left])[:, None, None]

    def short(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(rows, columns) of the places within a halo of `outside`, and of the nearest one to each."""
        here = np.stack(np.nonzero((self.distance > 0) & (self.distance <= _HALO)))
        return here, self.nearest[:, *here]


def _in_sight(clear: Mask, ways: _Ways) -> Mask:
    """Where the way to the outside is short, straight and `clear`."""
    here, there = ways.short()
    seen = np.ones(here.shape[1], bool)
    for share in np.linspace(0, 0.75, _HALO):
        row, column = np.rint(here + share * (there - here)).astype(int)
        seen &= clear[row, column]
    sight = np.zeros_like(clear)
    sight[*here[:, seen]] = True
    return sight


def _open_shadows(dim: Mask, level: Field, ways: _Ways) -> Mask:
    """Those pieces of `dim` that lie open to the outside, and get darker than a part's edge may look."""
    labels, count = ndimage.label(opened(dim, _GAP))
    open_shadows = np.zeros_like(dim)
    for number, place in enumerate(ndimage.find_objects(labels, count), 1):
        piece = labels[place] == number
        corner = [[side.start] for side in place]
        row, column = np.stack(np.nonzero(piece & ~shrunk(piece))) + corner
        away = ways.distance[row, column]
        midway = (np.stack([row, column]) + ways.nearest[:, row, column]) // 2
        is_cut_off = labels[midway[0], midway[1]] != number  # something lies between it and the backdrop
        is_open = away <= _GAP + 0.5
        is_shut = ~is_open & (away <= _HALO) & is_cut_off
        is_shadow = is_open.sum() > _OPEN * (is_open | is_shut).sum() and len(away) < _DEEP * is_open.sum()
        if is_shadow and level[place][piece].min() < _DARK:
            open_shadows[place] |= piece
    return open_shadows

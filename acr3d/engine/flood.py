"""Flooding the backdrop from the picture's border, up to the part's edges and over its shadow."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from acr3d.engine.backdrop import Field, Likeness, Mask

_HALO = 12  # pixels over which the coarse smoothing spreads an edge
_GAP = 2  # an opening in an edge narrower than twice this lets no backdrop through
_SHADOW_SLOPE = 5.0  # grey levels over two pixels, both ways together: an edge has ten times as much


def reached_from_border(calm: Mask) -> Mask:
    """The calm places joined to the border by a way wider than twice the gap."""
    padded = np.pad(calm, _GAP + 1, constant_values=True)
    wide = ndimage.binary_erosion(padded, iterations=_GAP, border_value=1)
    labels, _ = ndimage.label(wide)
    reached = labels == labels[0, 0]
    grown = ndimage.binary_dilation(reached, iterations=_GAP, mask=padded)
    inner = slice(_GAP + 1, -_GAP - 1)
    outside: Mask = grown[inner, inner]
    return outside


def up_to_the_edge(colours: Field, outside: Mask, noise: float) -> Mask:
    """`outside` grown over the coarse smoothing's halo, as long as the colour stays the one beside it."""
    distance, nearest = ndimage.distance_transform_edt(~outside, return_indices=True)
    halo = np.flatnonzero((distance > 0) & (distance <= _HALO))
    close = nearest.reshape(2, -1)[:, halo]
    change = np.abs(colours.reshape(-1, 3)[halo] - colours[close[0], close[1]]).max(1)
    alike = outside.copy()
    alike.reshape(-1)[halo[change < max(2.0, 8 * noise)]] = True
    grown: Mask = ndimage.binary_propagation(outside, mask=alike)
    return grown


def over_contact_shadow(near: Likeness, gradient: Field, outside: Mask) -> Mask:
    """`outside` grown by the dark strip beneath a part: the backdrop's hue, fading gently.

    It darkens too quickly to be calm, but by far less from pixel to pixel than any part's edge does. Only a
    little way, as grey metal fades as gently.
    """
    reach = ndimage.maximum_filter(outside, 2 * _HALO + 1)
    fading = reach & (gradient < _SHADOW_SLOPE) & (near.level > 0.4) & (near.level < 1.04)
    fading &= ndimage.gaussian_filter(near.spread, 1.0) < 0.04
    wide = ndimage.binary_opening(outside | fading, iterations=_GAP) | outside
    grown: Mask = ndimage.binary_propagation(outside, mask=wide)
    return grown

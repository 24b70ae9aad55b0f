"""The separate pieces of a mask: which belong to the part, and what the others are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from acr3d.carving.morphology import Mask, dilated, eroded, opened

_SPECK = 0.002  # of the largest piece
_MIN_SPECK_PIXELS = 30
_COMPARABLE = 0.15  # of the largest piece: so large a piece is a part, too, or half of one
_NEAR = 0.08  # of the largest piece's longer side: so near, a smaller piece belongs to it
_SEVERAL = 3  # so many comparable pieces are several parts
_MIN_SCATTERED, _LARGEST_SCATTERED = 12, 0.25  # text: so many pieces, none larger than that share of all

_STRIP = 0.01  # of the picture's longer side: half the width of a strip, such as a table's edge or a cable

_MIN_LEFT_OUT = 0.01  # of the part: what is smaller is not worth a word
_THICKNESS = 4  # pixels; thinner things are where the two methods put the rim
_MOSTLY = 0.6


@dataclass(frozen=True)
class Pieces:
    """`kept`: the part's pieces; `dropped`: other objects; `refusal`: why no piece can be the part."""

    kept: Mask
    dropped: Mask
    refusal: str | None = None


def part_pieces(mask: Mask) -> Pieces:
    """Choose the part among the pieces of `mask`; specks are in neither."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = ndimage.sum_labels(mask, labels, np.arange(1, count + 1))
    nothing = np.zeros_like(mask)
    if not count or sizes.max() < _SPECK * mask.size:
        return Pieces(nothing, nothing, "no_part")
    is_large = sizes > max(_MIN_SPECK_PIXELS, _SPECK * sizes.max())
    if is_large.sum() >= _MIN_SCATTERED and sizes.max() < _LARGEST_SCATTERED * sizes.sum():
        return Pieces(nothing, nothing, "scattered")
    is_comparable = sizes >= _COMPARABLE * sizes.max()
    if is_comparable.sum() >= _SEVERAL:
        return Pieces(nothing, nothing, "several_parts")
    main = np.isin(labels, 1 + np.flatnonzero(is_comparable))
    rows, columns = np.flatnonzero(main.any(1)), np.flatnonzero(main.any(0))
    reach = _NEAR * max(np.ptp(rows), np.ptp(columns))
    distance = ndimage.minimum(ndimage.distance_transform_edt(~main), labels, np.arange(1, count + 1))
    is_kept = is_large & (is_comparable | (distance <= reach))
    kept = np.isin(labels, 1 + np.flatnonzero(is_kept))
    return Pieces(kept, np.isin(labels, 1 + np.flatnonzero(is_large & ~is_kept)))


def without_leaving_strips(mask: Mask) -> Mask:
    """The mask without thin strips that leave the picture: edges of tables and walls, cables.

    Unless they are most of it, as in a photo of a rod.
    """
    half = max(3, round(_STRIP * max(mask.shape)))
    thin = mask & ~dilated(eroded(mask, half), half + 2)
    labels, _ = ndimage.label(thin)
    edges = [labels[0], labels[-1], labels[:, 0], labels[:, -1]]
    leaving = np.unique(np.concatenate(edges))
    rest: Mask = mask & ~np.isin(labels, leaving[leaving > 0])
    return rest if rest.sum() > mask.sum() / 2 else mask


def name_left_out(left_out: Mask, part: Mask, backdrop_like: Mask, skin: Mask) -> list[str]:
    """What stands out in the photo besides the part: "shadow", "hand", "object"."""
    labels, count = ndimage.label(opened(left_out, _THICKNESS))
    found = set()
    for number in range(1, count + 1):
        piece = labels == number
        if piece.sum() < _MIN_LEFT_OUT * part.sum():
            continue
        found.add(_name(piece, backdrop_like, skin))
    return sorted(found)


def _name(piece: Mask, backdrop_like: Mask, skin: Mask) -> str:
    if backdrop_like[piece].mean() > _MOSTLY:
        return "shadow"
    comes_from_outside = any(edge.any() for edge in (piece[0], piece[-1], piece[:, 0], piece[:, -1]))
    return "hand" if comes_from_outside and skin[piece].mean() > _MOSTLY else "object"

"""Find the part's outline in one photo, or say truly why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.errors import CarvingError
from acr3d.carving.morphology import Mask, dilated, opened
from acr3d.carving.silhouette import Separation, separate
from acr3d.outlines.extraction.arms import holding_arm
from acr3d.outlines.extraction.combine import Alpha, Combined, combine
from acr3d.outlines.extraction.faces import shows_person
from acr3d.outlines.extraction.marks import Box, boxes_around
from acr3d.outlines.extraction.pieces import Pieces, name_left_out, part_pieces
from acr3d.outlines.extraction.skin import skin_coloured

_MAX_DOUBT = 1.5  # textures, landscapes and text; wires and glass stay below
_MAX_DOUBT_OF_SEVERAL = 0.5  # several pieces in doubt are one part that does not stand out
_MAX_STANDING_OUT = (
    0.6  # of the picture; above, the backdrop is not plain, and nothing beside the part has a name
)
_MAX_TOUCHING = 0.01  # of one side of the picture
_MAX_OUTSIDE = 0.1  # of what the colour finds; the rest is seen in pieces where light hides the part
_RIM = 4  # pixels; thinner things are where the two methods put the rim


@dataclass(frozen=True)
class Outline:
    """`mask` is True on the part, or None with the `refusal`: why no part was found, as a word.

    `sides`: where the part is cut off by the picture's edge. `left_out`: what else stands out, as words.
    `marks`: boxes around what is wrong, or around what is left out.
    """

    mask: Mask | None
    refusal: str | None = None
    sides: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    marks: list[Box] = field(default_factory=list)


def find_outline(pixels: NDArray[np.uint8], alpha: Alpha | None = None) -> Outline:
    """The part's outline in a photo, (height, width, 3), at most 1024 × 1024. `alpha`: the network's.

    Refusals: "no_backdrop" (no plain backdrop, and no network to do without), "no_part", "several_parts",
    "scattered" (text, or many small things), "person", "cropped".
    """
    try:
        separation = separate(pixels)
    except CarvingError as error:
        separation = None
        if alpha is None:
            return Outline(None, error.code)
    return _judged(pixels, combine(pixels, separation, alpha), separation)


def _judged(pixels: NDArray[np.uint8], combined: Combined, separation: Separation | None) -> Outline:
    refusal = _no_single_part(combined, separation)
    if refusal:
        is_many = refusal in ("several_parts", "scattered")
        return Outline(None, refusal, marks=boxes_around(combined.mask) if is_many else [])
    pieces = part_pieces(combined.mask)
    skin = skin_coloured(pixels)
    if shows_person(pixels, skin, pieces.kept):
        return Outline(None, "person", marks=boxes_around(pieces.kept))
    left_out = pieces.dropped
    names = ["object"] if left_out.any() else []
    if separation is not None and separation.mask.mean() < _MAX_STANDING_OUT:
        left_out = pieces.dropped | separation.mask & ~pieces.kept
        names = name_left_out(left_out, pieces.kept, separation.backdrop_like, skin)
    sides = touched_sides(pieces.kept)
    released = _released(pieces, skin) if sides else None
    if released is not None:
        pieces, sides = released, []
        names, left_out = sorted({*names, "hand"}), left_out | released.dropped
    if sides:
        return Outline(None, "cropped", sides, names, boxes_around(pieces.kept))
    marks = boxes_around(opened(left_out, _RIM)) if names else []
    return Outline(pieces.kept, left_out=names, marks=marks)


def _released(pieces: Pieces, skin: Mask) -> Pieces | None:
    """The pieces without the arm that holds the part, if that alone leaves the picture."""
    arm = holding_arm(pieces.kept, skin)
    if not arm.any():
        return None
    rest = part_pieces(pieces.kept & ~dilated(arm, _RIM))
    if rest.refusal or touched_sides(rest.kept):
        return None
    return Pieces(rest.kept, pieces.dropped | arm)


def _no_single_part(combined: Combined, separation: Separation | None) -> str | None:
    by_colour = _refusal_by_colour(combined, separation)
    refusal = part_pieces(combined.mask).refusal
    if by_colour == "scattered" or (by_colour and combined.doubt > _MAX_DOUBT_OF_SEVERAL):
        return by_colour
    if combined.doubt > _MAX_DOUBT or (refusal and combined.doubt > _MAX_DOUBT_OF_SEVERAL):
        return "no_part"
    return refusal


def _refusal_by_colour(combined: Combined, separation: Separation | None) -> str | None:
    """Why the colour alone finds no single part; not that it finds pieces of what is one part together."""
    refusal = part_pieces(separation.mask).refusal if separation is not None else None
    if separation is None or refusal != "several_parts":
        return refusal
    together = part_pieces(combined.mask)
    outside = separation.mask & ~dilated(together.kept, _RIM)
    is_one = together.refusal is None and ndimage.label(together.kept, np.ones((3, 3)))[1] == 1
    return None if is_one and outside.sum() < _MAX_OUTSIDE * separation.mask.sum() else refusal


def touched_sides(mask: Mask) -> list[str]:
    """The sides of the picture that the mask touches."""
    edges = {"top": mask[0], "bottom": mask[-1], "left": mask[:, 0], "right": mask[:, -1]}
    return [side for side, edge in edges.items() if edge.mean() > _MAX_TOUCHING]

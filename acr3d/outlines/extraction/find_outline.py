"""Find the part's outline in one photo, or say truly why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.errors import CarvingError
from acr3d.carving.morphology import Mask, opened
from acr3d.carving.silhouette import Separation, separate
from acr3d.outlines.extraction.combine import Alpha, Combined, combine
from acr3d.outlines.extraction.faces import shows_person
from acr3d.outlines.extraction.marks import Box, boxes_around
from acr3d.outlines.extraction.pieces import name_left_out, part_pieces
from acr3d.outlines.extraction.skin import skin_coloured

_MAX_DOUBT = 1.5  # textures, landscapes and text; wires and glass stay below
_MAX_DOUBT_OF_SEVERAL = 0.5  # several pieces in doubt are one part that does not stand out
_MAX_STANDING_OUT = (
    0.6  # of the picture; above, the backdrop is not plain, and nothing beside the part has a name
)
_MAX_TOUCHING = 0.01  # of one side of the picture
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
    if sides:
        return Outline(None, "cropped", sides, names, boxes_around(pieces.kept))
    marks = boxes_around(opened(left_out, _RIM)) if names else []
    return Outline(pieces.kept, left_out=names, marks=marks)


def _no_single_part(combined: Combined, separation: Separation | None) -> str | None:
    by_colour = part_pieces(separation.mask).refusal if separation is not None else None
    refusal = part_pieces(combined.mask).refusal
    if by_colour == "scattered" or (by_colour and combined.doubt > _MAX_DOUBT_OF_SEVERAL):
        return by_colour
    if combined.doubt > _MAX_DOUBT or (refusal and combined.doubt > _MAX_DOUBT_OF_SEVERAL):
        return "no_part"
    return refusal


def touched_sides(mask: Mask) -> list[str]:
    """The sides of the picture that the mask touches."""
    edges = {"top": mask[0], "bottom": mask[-1], "left": mask[:, 0], "right": mask[:, -1]}
    return [side for side, edge in edges.items() if edge.mean() > _MAX_TOUCHING]

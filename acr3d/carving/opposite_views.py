"""Compare opposite views: their silhouettes are mirror images, except for the effect of perspective."""

from __future__ import annotations

import numpy as np
from PIL import Image

from acr3d.carving.morphology import Mask

OPPOSITE_SIDES = (("front", "back"), ("left", "right"), ("top", "bottom"))
NORMALIZED_SIZE = 40


def normalized_mask(mask: Mask) -> Mask:
    """The silhouette in `mask` (not empty), stretched to NORMALIZED_SIZE × NORMALIZED_SIZE."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = Image.fromarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]).convert("L")
    cells: Mask = np.asarray(part.resize((NORMALIZED_SIZE, NORMALIZED_SIZE), Image.Resampling.BOX)) > 127
    return cells


def mirror_difference(one: Mask, other: Mask, angle: str) -> float:
    """How much two opposite normalized silhouettes differ after mirroring one: 1 minus their IoU.

    `angle` is the side that either of them shows.
    """
    mirrored = other[::-1] if angle in ("top", "bottom") else other[:, ::-1]
    return float((one ^ mirrored).sum() / (one | mirrored).sum())

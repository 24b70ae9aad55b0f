"""Where in a photo something is: boxes to be drawn over it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from acr3d.carving.morphology import Mask

Box = list[float]
"""[left, top, right, bottom], as shares of the picture's width and height."""

_MOST = 6
_SMALLEST = 0.001  # of the picture; smaller pieces would be dots


def boxes_around(mask: Mask) -> list[Box]:
    """A box around each of the largest pieces of `mask`, the largest first."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    slices = ndimage.find_objects(labels)
    largest = [place for place in np.argsort(-sizes)[:_MOST] if sizes[place] > _SMALLEST * mask.size]
    height, width = mask.shape
    return [
        [
            round(edge, 3)
            for edge in (
                columns.start / width,
                rows.start / height,
                columns.stop / width,
                rows.stop / height,
            )
        ]
        for rows, columns in (slices[place] for place in largest)
    ]

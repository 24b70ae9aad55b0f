"""A silhouette's outline as an SVG path, to be drawn over the photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

_POINT_STEP = 3  # every third point looks good enough; approximate_polygon would load half of scipy
_MIN_POINTS = 12  # shorter contours are left out
_MAX_CONTOURS = 24  # the longest ones


def svg_path(mask: NDArray[np.bool_]) -> str:
    """The contours of `mask`, holes included, in mask pixels; fill them with the even-odd rule."""
    contours = find_contours(np.pad(mask, 1).astype(np.float32), 0.5)  # type: ignore[no-untyped-call]
    longest = sorted((one for one in contours if len(one) >= _MIN_POINTS), key=len, reverse=True)[
        :_MAX_CONTOURS
    ]
    return "".join(_contour_path(one[:-1:_POINT_STEP]) for one in longest)


def _contour_path(points: NDArray[np.float64]) -> str:
    """One contour; its points are at pixel centres of a mask that was padded by one."""
    places = [f"{round(column - 0.5)} {round(row - 0.5)}" for row, column in points]
    return f"M{'L'.join(places)}Z"

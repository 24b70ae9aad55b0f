"""Drop loose pieces of the visual hull that are not part of the part.

A shadow or a stain in one outline becomes a body that floats beside the part wherever no other photo denies
it. A real loose piece, such as a ring on wires too thin to see, is visible in a second photo as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acr3d.carving.cameras import PinholeCamera
from acr3d.carving.errors import CarvingError
from acr3d.carving.likeness import grid_points, squares
from acr3d.carving.visual_hull import VoxelGrid
from acr3d.messages.message import Message

_NOISE = 1e-3  # of the solid's volume; smaller loose pieces are noise
_CRUMB = 0.1  # of the largest piece; what is larger is half a part that lost its middle, not a stain
_BLOCK = 1.5  # side of the compared squares, in cells
_STANDS_OUT = 0.5  # share of a piece that a photo must show beside the main body
_MIN_SIDES = 2


def drop_loose_pieces(
    depth: NDArray[np.float32], grid: VoxelGrid, cameras: Sequence[PinholeCamera]
) -> NDArray[np.float32]:
    """The field without crumbs: small loose pieces that fewer than two photos show beside the main body.

    Changes `depth` (see hull_depth). Raises CarvingError if the silhouettes have no solid in common.
    """
    labels, count = ndimage.label(depth > 0)
    if not count:
        raise CarvingError(Message("carving.contradiction"), "contradiction")
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    dropped = sizes < _NOISE * sizes.sum()
    dropped[0] = False
    small = np.flatnonzero(~dropped & (sizes > 0) & (sizes < _CRUMB * sizes.max()))
    if len(small):
        sides = _sides_showing(labels, small, int(sizes.argmax()), grid, cameras)
        dropped[small[sides < _MIN_SIDES]] = True
    depth[dropped[labels]] = -1
    return depth


def _sides_showing(
    labels: NDArray[np.integer],
    pieces: NDArray[np.int64],
    main: int,
    grid: VoxelGrid,
    cameras: Sequence[PinholeCamera],
) -> NDArray[np.int64]:
    """In how many photos each of the `pieces` is visible beside the piece `main`."""
    points = {number: grid_points(grid, labels == number) for number in (main, *pieces)}
    sides = np.zeros(len(pieces), np.int64)
    for camera in cameras:
        block = _BLOCK * camera.zoom * grid.step
        behind = squares(*camera.project(points[main])[:2], block)
        for place, number in enumerate(pieces):
            shown = squares(*camera.project(points[number])[:2], block)
            sides[place] += len(shown - behind) > _STANDS_OUT * len(shown)
    return sides

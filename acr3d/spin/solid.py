"""The part's solid from its outlines, as a closed mesh in sheet millimetres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.visual_hull import TriangleMesh, VoxelGrid, extract_surface
from acr3d.spin.errors import SpinError
from acr3d.spin.hull import Floats, Outline, depth_of, hull_depth, largest_piece

_CELLS = 230  # along the longest side
_SEARCH_CELLS = 60  # along the sheet's long side, to find the part's box
_DOUBTED_SHARE = 0.03  # of the outlines may be wrong about a place

Box = NDArray[np.float64]


def doubted(outlines: Sequence[Outline]) -> int:
    """How many outlines may be wrong about a place."""
    return round(_DOUBTED_SHARE * len(outlines))


def carve(outlines: Sequence[Outline], sheet_mm: tuple[float, float]) -> tuple[Floats, VoxelGrid]:
    """How deep each point of a grid lies in the hull (cells, negative outside). Raises SpinError."""
    grid = _grid(_box(outlines, sheet_mm))
    depth = hull_depth(outlines, grid, doubted(outlines))
    if not (depth > 0).any():
        raise SpinError("spin.outlines_disagree")
    depth[(depth > 0) & ~largest_piece(depth > 0)] = -1
    return depth, grid


def surface(depth: Floats, grid: VoxelGrid) -> TriangleMesh:
    """The closed surface of the solid, standing on the sheet."""
    mesh = extract_surface(depth, grid)
    vertices = mesh.vertices.copy()
    vertices[:, 2] = np.maximum(vertices[:, 2], 0)
    return TriangleMesh(vertices, mesh.triangles)


def _box(outlines: Sequence[Outline], sheet_mm: tuple[float, float]) -> Box:
    step = max(sheet_mm) / _SEARCH_CELLS
    sides = [np.arange(-side / 2, side / 2 + step, step) for side in sheet_mm]
    sides.append(np.arange(0, max(sheet_mm), step))
    points = np.stack(np.meshgrid(*sides, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    inside = points[depth_of(outlines, points, doubted(outlines), 2 * step) > -step]
    if not len(inside):
        raise SpinError("spin.outlines_disagree")
    box = np.array([inside.min(0) - 1.5 * step, inside.max(0) + 1.5 * step], np.float64)
    box[0, 2] = 0
    return box


def _grid(box: Box) -> VoxelGrid:
    step = float((box[1] - box[0]).max() / _CELLS)
    low = box[0] - [0, 0, step]  # one layer below the sheet, so that the bottom closes at z = 0
    shape = np.ceil((box[1] - low) / step).astype(int) + 1
    return VoxelGrid(low, step, (int(shape[0]), int(shape[1]), int(shape[2])))

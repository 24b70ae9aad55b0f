"""Flat faces made flat: what an outline's pixels and a tilt left wavy is laid into its plane.

Only faces that look along one of the part's axes, that end at edges all around (a round part's crown goes on
beyond any limit), and that lie in one plane to within what an outline is good for. No vertex moves farther
than that, so no photographed outline breaks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.mesh_math import normals_and_areas
from acr3d.carving.silhouette_coherence import SILHOUETTE_ERROR
from acr3d.carving.uv_atlas import adjacent_triangles, connected_pieces
from acr3d.carving.visual_hull import TriangleMesh

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MIN_FACING = 0.94  # cosine of 20°: how far a wavy face's triangles turn from its axis
_EDGE_FACING = 0.85  # cosine of 32°: a triangle next to the face that turns further lies beyond its edge
_MIN_EDGE_SHARE = 0.5  # of a face's rim: how much must be such edges
_MIN_AREA = 0.005  # of the part's largest side, squared
_MIN_NEAR_SHARE = 0.95  # of a face's corners: how many must lie as near its plane as an outline is good for


def flatten_faces(mesh: TriangleMesh) -> TriangleMesh:
    """The mesh with its flat faces' vertices in their planes."""
    vertices, triangles = mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64)
    size = float((vertices.max(0) - vertices.min(0)).max())
    normals, areas = normals_and_areas(vertices, triangles)
    neighbours = adjacent_triangles(triangles)
    moved = vertices.copy()
    for axis in range(3):
        for sign in (1, -1):
            facing = sign * normals[:, axis]
            for face in _flat_faces(facing, areas / size**2, neighbours):
                _snap_to_plane(moved, np.unique(triangles[face]), axis, SILHOUETTE_ERROR * size)
    return TriangleMesh(_undo_flips(vertices, moved, triangles, normals).astype(np.float32), mesh.triangles)


def _flat_faces(facing: Floats, areas: Floats, neighbours: Integers) -> list[Integers]:
    """The pieces (triangles' numbers) that look one way and end at edges."""
    piece = connected_pieces(neighbours, (facing > _MIN_FACING).astype(np.int64))
    large = np.bincount(piece, areas) > _MIN_AREA
    rims, edges = np.zeros(len(large)), np.zeros(len(large))
    for here, there in (neighbours.T, neighbours[:, ::-1].T):
        rim = (facing[here] > _MIN_FACING) & (facing[there] <= _MIN_FACING)
        rims += np.bincount(piece[here[rim]], minlength=len(large))
        rim &= facing[there] < _EDGE_FACING
        edges += np.bincount(piece[here[rim]], minlength=len(large))
    wanted = large & (rims > 0) & (edges >= _MIN_EDGE_SHARE * rims)
    wanted[piece[facing <= _MIN_FACING]] = False
    return [np.flatnonzero(piece == number) for number in np.flatnonzero(wanted)]


def _snap_to_plane(vertices: Floats, chosen: Integers, axis: int, most: float) -> None:
    """Move the chosen vertices along the axis into their plane: a level one if it fits, else leaning."""
    height = vertices[chosen, axis]
    across = np.delete(vertices[chosen], axis, axis=1)
    across = np.column_stack([across - across.mean(0), np.ones(len(chosen))])
    middle = np.median(height)
    kept = np.abs(height - middle) < 2 * most
    leaning = across @ np.linalg.lstsq(across[kept], height[kept], rcond=None)[0]
    for plane in (np.full(len(height), middle), leaning):
        step = plane - height
        near = np.abs(step) <= most
        if near.mean() >= _MIN_NEAR_SHARE:
            vertices[chosen[near], axis] += step[near]
            return


def _undo_flips(vertices: Floats, moved: Floats, triangles: Integers, normals: Floats) -> Floats:
    """The moved vertices, but for those whose move would turn a triangle over."""
    for _ in range(4):
        after, _ = normals_and_areas(moved, triangles)
        folded = np.unique(triangles[np.einsum("ij,ij->i", normals, after) < 0])
        if not len(folded):
            return moved
        moved[folded] = vertices[folded]
    return vertices

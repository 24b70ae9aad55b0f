"""Flatten faces that pixels and tilt left wavy, by moving their vertices into the fitted plane.

Only for faces that are perpendicular to one of the part's axes, end at edges all around (a round part's crown
does not) and are flat to within the accuracy of a silhouette. No vertex moves farther than that, so the
silhouettes stay as photographed.
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

_MIN_FACING = 0.94  # cosine of 20°, between a wavy face's triangles and its axis
_EDGE_FACING = 0.85  # cosine of 32°: a neighbouring triangle that turns further lies beyond an edge
_MIN_EDGE_SHARE = 0.5  # of a face's rim
_MIN_AREA = 0.005  # relative to the square of the part's largest side
_MIN_NEAR_SHARE = 0.95  # of a face's vertices, within a silhouette's accuracy of the plane


def flatten_faces(mesh: TriangleMesh) -> TriangleMesh:
    """The mesh with the vertices of its flat faces moved into their planes."""
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
    """The connected pieces (triangle numbers) that face one direction and end at edges."""
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
    """Move the chosen vertices along the axis into their plane: perpendicular if that fits, else tilted."""
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
    """The moved vertices, with the moves undone that would flip a triangle."""
    for _ in range(4):
        after, _ = normals_and_areas(moved, triangles)
        folded = np.unique(triangles[np.einsum("ij,ij->i", normals, after) < 0])
        if not len(folded):
            return moved
        moved[folded] = vertices[folded]
    return vertices

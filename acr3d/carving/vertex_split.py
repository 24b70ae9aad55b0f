"""Split a mesh's vertices for the file, where UVs or shading are discontinuous."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.glb_writer import VertexData
from acr3d.carving.mesh_math import normals_and_areas
from acr3d.carving.uv_atlas import Atlas
from acr3d.carving.visual_hull import TriangleMesh

_CREASE_COSINE = 0.77  # of 40°; triangles at a sharper angle are shaded separately
_BATCH_SIZE = 60_000  # corners per batch, to limit memory


def split_vertices(mesh: TriangleMesh, atlas: Atlas) -> VertexData:
    """Positions, normals and UVs; corners of a vertex that agree in all three share an entry."""
    triangles = mesh.triangles.astype(np.int64)
    normals = corner_normals(mesh.vertices.astype(np.float64), triangles).reshape(-1, 3)
    vertex = triangles.reshape(-1)
    chart = np.repeat(atlas.charts, 3)
    key = np.column_stack([vertex, chart, np.round(normals * 500).astype(np.int64)])
    _, first, entry = np.unique(key, axis=0, return_index=True, return_inverse=True)
    uvs = atlas.corners.reshape(-1, 2)[first] / atlas.side
    return VertexData(
        positions=mesh.vertices[vertex[first]],
        normals=normals[first].astype(np.float32),
        uvs=uvs.astype(np.float32),
        triangles=entry.reshape(-1, 3).astype(np.uint32),
    )


def corner_normals(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, 3, 3): per corner, the mean normal of the vertex's triangles on the same side of any crease."""
    normals, areas = normals_and_areas(vertices, triangles)
    corner_vertex = triangles.reshape(-1)
    around = np.argsort(corner_vertex, kind="stable") // 3  # triangles, vertex by vertex
    counts = np.bincount(corner_vertex, minlength=len(vertices))
    starts = np.cumsum(counts) - counts
    sums = np.empty((len(corner_vertex), 3))
    for first in range(0, len(corner_vertex), _BATCH_SIZE):
        own = np.arange(first, min(first + _BATCH_SIZE, len(corner_vertex)))
        repeats = counts[corner_vertex[own]]
        corner = np.repeat(own, repeats)
        within = np.arange(len(corner)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        other = around[starts[corner_vertex[corner]] + within]
        smooth = np.einsum("ij,ij->i", normals[corner // 3], normals[other]) > _CREASE_COSINE
        corner, other = corner[smooth] - first, other[smooth]
        for axis in range(3):
            weights = normals[other, axis] * areas[other]
            sums[own, axis] = np.bincount(corner, weights, len(own))
    lengths = np.linalg.norm(sums, axis=1)
    flat = np.repeat(normals, 3, axis=0)
    unit = np.where(lengths[:, None] > 1e-20, sums / np.maximum(lengths, 1e-20)[:, None], flat)
    unit[np.linalg.norm(unit, axis=1) < 0.5] = (0.0, 1.0, 0.0)  # a triangle without area has no normal
    return unit.reshape(-1, 3, 3)

"""Decimation by vertex clustering: far fewer triangles with nearly the same outline, quick to draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acr3d.render.scene import Scene

_CELLS = 128  # along the longest side
_ENOUGH = 20_000  # triangles; a model with fewer is not changed


def decimate(scene: Scene) -> Scene:
    """Merge the vertices in each cell of a grid (Rossignac and Borrel, 1993); the result has no colours."""
    if len(scene.triangles) <= _ENOUGH:
        return scene
    low, high = scene.box
    cells = ((scene.points - low) * (_CELLS / max((high - low).max(), 1e-30))).astype(np.int64)
    keys = (cells[:, 0] * 2048 + cells[:, 1]) * 2048 + cells[:, 2]
    _, merged, counts = np.unique(keys, return_inverse=True, return_counts=True)
    points = np.stack([np.bincount(merged, scene.points[:, axis]) / counts for axis in range(3)], 1)
    triangles = merged[scene.triangles]
    first, second, third = triangles.T
    kept = (first != second) & (second != third) & (third != first)
    return replace(
        scene,
        points=points.astype(np.float32),
        triangles=triangles[kept].astype(np.int32),
        material_of=scene.material_of[kept],
        normals=None,
        colours=None,
        uv={},
    )

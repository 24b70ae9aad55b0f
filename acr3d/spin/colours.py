"""Colours of a spin model: the frames, projected onto its surface as the built-in engine does with photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acr3d.carving.cameras import Points
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.texture import ProjectedTexture, project_photos
from acr3d.carving.uv_atlas import Atlas
from acr3d.carving.visual_hull import TriangleMesh
from acr3d.spin.camera import Camera
from acr3d.spin.hull import project
from acr3d.spin.views import Mask, View


@dataclass(frozen=True)
class ScaledCamera:
    """A frame's camera for a part scaled to size 1, as carving's texture wants it. `size`: mm per unit."""

    camera: Camera
    size: float
    zoom: float

    def project(self, points: Points) -> tuple[Points, Points, Points]:
        """(column, row, depth) of (n, 3) points: pixels, pixels, and units of length towards the camera."""
        pixels, depth = project(self.camera, np.asarray(points * np.float32(self.size), np.float32))
        return pixels[:, 0], pixels[:, 1], -depth / np.float32(self.size)

    def view_directions(self, points: Points) -> Points:
        """Unit vectors from (n, 3) points to the camera."""
        away = (self.camera.place / self.size).astype(points.dtype) - points
        return np.asarray(away / np.linalg.norm(away, axis=1, keepdims=True), points.dtype)


def scaled(camera: Camera, mesh: TriangleMesh, size: float) -> ScaledCamera:
    """The camera for the mesh divided by `size`; its zoom is that at the mesh's middle."""
    middle = (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2
    distance = float(np.linalg.norm(camera.place - middle))
    return ScaledCamera(camera, size, camera.lens.focal * size / distance)


def colour(
    mesh: TriangleMesh, atlas: Atlas, views: Sequence[View], masks: Sequence[Mask]
) -> ProjectedTexture:
    """Colour the atlas of a mesh in sheet millimetres."""
    size = float((mesh.vertices.max(0) - mesh.vertices.min(0)).max())
    cameras = [scaled(view.camera, mesh, size) for view in views]
    pictures = [Silhouette("", mask, view.pixels) for view, mask in zip(views, masks, strict=True)]
    return project_photos(TriangleMesh(mesh.vertices / size, mesh.triangles), atlas, pictures, cameras)

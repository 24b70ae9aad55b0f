"""A batch of cameras, one per point, gives the same results as the cameras one by one."""

from __future__ import annotations

import numpy as np

from acr3d.carving.cameras import CameraBatch, PinholeCamera
from acr3d.carving.distance_field import DistanceField, DistanceFieldStack

CAMERAS = [
    PinholeCamera("front", 500.0, (0.02, -0.01), (300.0, 200.0), (0.02, -0.03, 0.01), 0.3),
    PinholeCamera("top", 420.0, (0.0, 0.05), (250.0, 260.0), inverse_distance=0.1),
    PinholeCamera("left", 610.0, (-0.03, 0.0), (310.0, 240.0), (0.0, 0.0, 0.04)),
]
POINTS = np.random.default_rng(3).uniform(-0.4, 0.4, (40, 3))
OWNER = np.arange(40) % 3


def test_each_point_is_projected_and_unprojected_by_its_own_camera() -> None:
    each = CameraBatch.stack(CAMERAS).take(OWNER)

    seen = np.array(each.project(POINTS))

    for number, camera in enumerate(CAMERAS):
        own = number == OWNER
        np.testing.assert_allclose(seen[:, own], camera.project(POINTS[own]), atol=1e-9)
    np.testing.assert_allclose(each.unproject(*seen), POINTS, atol=1e-12)


def test_each_point_is_sampled_in_its_own_distance_field() -> None:
    random = np.random.default_rng(5)
    shapes, steps = [(120, 160), (200, 90), (150, 150)], [4, 3, 2]
    fields = [
        DistanceField(random.normal(size=shape).astype(np.float32), step)
        for shape, step in zip(shapes, steps, strict=True)
    ]

    depth = DistanceFieldStack(fields).depth_of(OWNER, CameraBatch.stack(CAMERAS).take(OWNER), POINTS)

    for number, (field, camera) in enumerate(zip(fields, CAMERAS, strict=True)):
        own = number == OWNER
        np.testing.assert_allclose(depth[own], field.depth_of(camera, POINTS[own]), atol=1e-6)

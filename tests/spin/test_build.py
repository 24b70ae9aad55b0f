"""A read capture becomes a model in true millimetres: the right size, and its shape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acr3d import sandbox
from acr3d.gltf.model import Model
from acr3d.gltf.validate import validate
from acr3d.spin.camera import Camera, Lens
from acr3d.spin.capture_file import Capture, Frame, write_capture
from tests.support.sheet_capture import Box, look_at, photograph, plain_table

pytestmark = pytest.mark.needs("spin")

# An L with a step on it.
STEPPED: tuple[Box, ...] = (
    ((-30.0, -40.0, 0.0), (30.0, 0.0, 16.0)),
    ((-30.0, 0.0, 0.0), (-6.0, 40.0, 16.0)),
    ((-24.0, -36.0, 16.0), (10.0, -8.0, 30.0)),
)
SMALL_LENS = Lens(640, 360, 520.0, (322.0, 178.0))


def grazing() -> list[Camera]:
    """Two laps of cameras that look along the part's sides, so that their outlines end at its sides."""
    return [
        look_at(90 * side + turn, elevation, lens=SMALL_LENS)
        for elevation, off in ((28.0, 6.0), (54.0, 9.0))
        for side in range(4)
        for turn in (-off, off)
    ]


@cache
def sheet_on_table() -> np.ndarray:
    return plain_table()


def captured(folder: Path, boxes: Sequence[Box], cameras: Sequence[Camera]) -> Path:
    """A capture of these boxes on the sheet, as reading it would leave it."""
    from PIL import Image

    (folder / "frames").mkdir(parents=True)
    frames = []
    for number, camera in enumerate(cameras):
        picture = photograph(camera, sheet_on_table(), boxes=boxes)
        Image.fromarray(picture).save(folder / "frames" / f"{number:03}.jpg", quality=92)
        frames.append(Frame(f"{number:03}.jpg", camera, 0.1, 20, 1.0, "spin.mp4"))
    write_capture(Capture("A4", tuple(frames), folder))
    return folder


def build(folder: Path, capture: Path, **wishes: Any) -> dict[str, Any]:
    """The child's report, as the server gets it; the model is in `folder`/out.glb."""
    request = folder / "request.json"
    request.write_text(json.dumps({"positions": [str(capture)], "texture_size": 512, **wishes}))
    return sandbox.run(
        "acr3d.spin",
        ["build", str(request), str(folder / "out.glb")],
        sandbox.Limits(seconds=180, memory_mb=700),
        reads=[request, *capture.rglob("*.*")],
        folder=folder,
        lock=None,
    )


def refusal(folder: Path, capture: Path) -> str:
    with pytest.raises(sandbox.ChildRefused) as refused:
        build(folder, capture)
    return str(refused.value)


def test_a_stepped_l_keeps_its_size_and_its_inner_corner(tmp_path: Path) -> None:
    import trimesh

    report = build(tmp_path, captured(tmp_path / "capture", STEPPED, grazing()), target_polycount=3000)

    width, height, depth = report["size_mm"]
    assert (width, depth) == pytest.approx((60, 80), abs=1.1)  # a pixel is 0.73 mm
    assert 30 * 0.98 < height < 40  # outlines leave a hill on a flat top
    assert report["frames_used"] == 16
    assert report["confidence"] > 0.5
    with Model(tmp_path / "out.glb") as model:
        validate(model)
    mesh = trimesh.load(tmp_path / "out.glb", force="mesh")
    assert mesh.bounds[0] == pytest.approx([-0.030, 0, -0.040], abs=0.0008)
    down = mesh.ray.intersects_any([[0.015, 0.1, -0.025], [-0.018, 0.1, -0.025]], [[0, -1, 0], [0, -1, 0]])
    assert down.tolist() == [False, True]  # beside the L's corner, and on its arm
    colours = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")).reshape(-1, 3)
    assert np.median(colours, axis=0) == pytest.approx([117, 123, 131], abs=12)


def test_a_sheet_without_a_part_is_told_from_one_with_a_part(tmp_path: Path) -> None:
    assert "No part can be seen on the sheet" in refusal(
        tmp_path, captured(tmp_path / "empty", (), grazing()[::2])
    )


def test_a_part_that_runs_out_of_the_pictures_is_refused(tmp_path: Path) -> None:
    tower = [((-30.0, -40.0, 0.0), (30.0, 40.0, 400.0))]

    assert "runs out of most pictures" in refusal(
        tmp_path, captured(tmp_path / "tower", tower, grazing()[::2])
    )


def test_a_textured_flat_top_is_cut_at_its_height() -> None:
    import cv2

    from acr3d.carving.visual_hull import VoxelGrid
    from acr3d.spin.hull import hull_depth, outline
    from acr3d.spin.top_height import cut_hill
    from acr3d.spin.views import View

    noise = np.random.default_rng(0).integers(40, 220, (40, 40, 1), np.uint8).repeat(3, 2)
    top = np.array([[-30.0, 30, 25], [30, 30, 25], [30, -30, 25], [-30, -30, 25]])
    views, masks = [], []
    for camera in grazing():
        pixels = camera.project(top)[0].astype(np.float32)
        corners = np.array([[0, 0], [39, 0], [39, 39], [0, 39]], np.float32)
        size = camera.lens.width, camera.lens.height
        picture = cv2.warpPerspective(noise, cv2.getPerspectiveTransform(corners, pixels), size)
        whole = camera.project(np.concatenate([top, top * [1, 1, 0]]))[0].astype(np.float32)
        mask = cv2.fillConvexPoly(np.zeros(size[::-1], np.uint8), cv2.convexHull(whole).astype(np.int32), 1)
        views.append(View("", picture, camera))
        masks.append(mask > 0)
    grid = VoxelGrid(np.array([-36.0, -36, -1]), 1.0, (73, 73, 50))
    depth = hull_depth([outline(mask, view.camera) for mask, view in zip(masks, views, strict=True)], grid)
    assert (depth > 0).any((0, 1)).nonzero()[0].max() - 1 > 27  # mm: the hill

    cut = cut_hill(depth, grid, views, masks)

    assert cut > 2
    assert (depth > 0).any((0, 1)).nonzero()[0].max() - 1 == pytest.approx(25, abs=1)

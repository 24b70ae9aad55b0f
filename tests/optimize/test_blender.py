"""What level `light` does with Blender, where it is installed, and without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acr3d import sandbox
from acr3d.optimize import pipeline
from acr3d.optimize.blender import bake
from acr3d.optimize.presets import LEVELS
from acr3d.optimize.steps import normal_bake
from tests.optimize.test_presets import pictures
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    encoded,
    sphere,
    textured_sphere,
    validator_errors,
)

Bakes = list[tuple[bake.BakeMesh, bake.BakeMesh]]

RINGS, SIDE = 130, 256
FLAT = (128, 128, 255)
BAKED = Image.new("RGB", (SIDE, SIDE), (140, 128, 254))


def grained() -> Builder:
    """A sphere whose normals are grained, finer than 30,000 triangles can hold, and a flat normal map."""
    mesh = sphere(rings=RINGS)
    normals = mesh["normals"] + np.random.default_rng(1).normal(0, 0.06, mesh["normals"].shape)
    mesh["normals"] = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)
    builder = textured_sphere()
    builder.data["meshes"][0]["primitives"] = []
    add_sphere(builder, mesh, material=0)
    builder.data["images"][2]["bufferView"] = builder.view(
        encoded(Image.new("RGB", (SIDE, SIDE), FLAT), "PNG")
    )
    return builder


def light(builder: Builder, folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "in.glb").write_bytes(builder.glb())
    return pipeline.optimize(folder / "in.glb", folder / "out.glb", "light", **more)


def normal_map(path: Path) -> np.ndarray:
    return np.asarray(pictures(path)[2].convert("RGB"), float)


@pytest.fixture
def baker(monkeypatch: pytest.MonkeyPatch) -> Bakes:
    """Stands in for Blender: what it was asked to bake."""
    asked: Bakes = []

    def fake(full: bake.BakeMesh, reduced: bake.BakeMesh, normals: Image.Image, threads: int) -> Image.Image:
        asked.append((full, reduced))
        return BAKED

    monkeypatch.setattr(bake, "why_unavailable", lambda: None)
    monkeypatch.setattr(bake, "bake_normal_map", fake)
    return asked


@pytest.mark.needs("blender")
def test_light_bakes_the_lost_grain_into_the_normal_map(tmp_path: Path) -> None:
    report = light(grained(), tmp_path)

    assert report["triangles"] <= LEVELS["light"].most_triangles
    assert "left_out" not in report["detail"]
    baked = normal_map(tmp_path / "out.glb")
    assert (baked.std(axis=(0, 1))[:2] > 1.5).all(), "the map tells nothing of the grain"
    assert baked.mean(axis=(0, 1)) == pytest.approx(FLAT, abs=4)
    assert sum(step["saved"] for step in report["steps"]) == report["bytes_in"] - report["bytes_out"]


@pytest.mark.needs("blender", "node")
def test_a_child_bakes_and_the_file_is_valid(tmp_path: Path) -> None:
    source, target = tmp_path / "in.glb", tmp_path / "out.glb"
    source.write_bytes(grained().glb())
    limits = sandbox.Limits(seconds=120, memory_mb=700)

    report = sandbox.run(
        "acr3d.optimize",
        ["--json", "--level", "light", str(source), str(target)],
        limits,
        reads=[source],
        folder=tmp_path,
        lock=tmp_path / "lock",
    )

    assert "left_out" not in report["detail"]
    assert validator_errors([target]) == []


def test_without_blender_light_works_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bake, "_HOME", tmp_path)

    report = light(grained(), tmp_path)

    assert report["triangles"] <= LEVELS["light"].most_triangles
    assert report["detail"] == {
        "left_out": "Blender is not installed on this server. `make blender` installs it."
    }
    assert report["warnings"] == []


def test_the_map_is_baked_from_the_full_mesh_for_the_reduced_one(tmp_path: Path, baker: Bakes) -> None:
    report = light(grained(), tmp_path)

    [(full, reduced)] = baker
    assert len(full.faces) == report["triangles_in"]
    assert len(reduced.faces) == report["triangles"]
    assert reduced.faces.max() + 1 == len(reduced.positions) == len(reduced.normals) == len(reduced.uv)
    assert normal_map(tmp_path / "out.glb")[..., 0].mean() == pytest.approx(140, abs=2)


def test_a_person_can_do_without(tmp_path: Path, baker: Bakes) -> None:
    report = light(grained(), tmp_path, may_bake=False)

    assert baker == []
    assert report["detail"] == {"left_out": "It was turned off."}


def test_a_failed_bake_leaves_the_plain_result_and_a_warning(
    tmp_path: Path, baker: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Image.Image:
        raise sandbox.ChildCrashed("The work took longer than 100 seconds and was ended.")

    monkeypatch.setattr(bake, "bake_normal_map", fail)

    report = light(grained(), tmp_path)

    assert report["triangles"] <= LEVELS["light"].most_triangles
    assert any("took longer than 100 seconds" in warning for warning in report["warnings"])
    assert normal_map(tmp_path / "out.glb")[..., 0].mean() == pytest.approx(128, abs=2)


def test_no_bake_is_begun_without_the_memory_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bake, "_free_mb", lambda: 600)
    mesh = bake.BakeMesh(*np.zeros((3, 3, 3), np.float32), np.zeros((1, 3), np.uint32))

    with pytest.raises(sandbox.ChildCrashed, match="needs 1400 MB of free memory"):
        bake.bake_normal_map(mesh, mesh, Image.new("RGB", (2048, 2048)), 1)


def _second_piece(data: dict[str, Any]) -> None:
    data["meshes"][0]["primitives"] *= 2


def _no_map(data: dict[str, Any]) -> None:
    del data["materials"][0]["normalTexture"]


def _scaled(data: dict[str, Any]) -> None:
    data["materials"][0]["normalTexture"]["scale"] = 0.5


def _shared(data: dict[str, Any]) -> None:
    data["materials"][0]["emissiveTexture"] = {"index": data["materials"][0]["normalTexture"]["index"]}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_second_piece, "more than one mesh"),
        (_no_map, "no normal map"),
        (_scaled, "transformed"),
        (_shared, "something else"),
    ],
)
def test_what_cannot_take_it_says_why(change: Any, why: str, tmp_path: Path, baker: Bakes) -> None:
    builder = grained()
    change(builder.data)

    report = light(builder, tmp_path)

    assert baker == []
    assert why in report["detail"]["left_out"]


def test_a_texture_that_repeats_is_left_alone(tmp_path: Path, baker: Bakes) -> None:
    builder = grained()
    mesh = sphere(rings=RINGS)
    mesh["uv"] *= 2
    builder.data["meshes"][0]["primitives"] = []
    add_sphere(builder, mesh, material=0)

    assert "repeats" in light(builder, tmp_path)["detail"]["left_out"]
    assert baker == []


def test_where_the_two_maps_are_far_apart_the_old_one_stays() -> None:
    old = Image.new("RGB", (32, 32), FLAT)
    baked = old.copy()
    baked.paste((150, 128, 250), (0, 0, 16, 32))
    baked.paste((255, 128, 128), (24, 8, 28, 12))

    merged, kept = normal_bake._merged(old, baked)

    assert merged.getpixel((4, 16)) == (150, 128, 250)
    assert merged.getpixel((26, 10)) == FLAT
    assert kept == pytest.approx(8 * 8 / 32**2, abs=0.001)

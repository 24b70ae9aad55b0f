"""What the report says of a model's soundness and of how true the result is, against known shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acr3d.optimize import deviation, pipeline
from acr3d.optimize.steps.real_size import RealSize
from tests.support.optimize_glbs import Builder, add_sphere, sphere, textured_sphere
from tests.support.placed_models import box_model


def box(size: float = 1.0, shift: float = 0.0, *, is_turned: bool = False) -> dict[str, np.ndarray]:
    """A closed box, its faces outwards."""
    corners = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32) - 0.5
    faces = np.array(
        [
            *([0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]),
            *([2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]),
        ],
        np.uint32,
    )
    return {
        "positions": size * corners + np.float32(shift),
        "normals": np.tile(np.array([[0, 1, 0]], np.float32), (8, 1)),
        "uv": np.zeros((8, 2), np.float32),
        "faces": faces[:, ::-1] if is_turned else faces,
    }


def condition(folder: Path, *meshes: dict[str, np.ndarray]) -> Any:
    builder = Builder()
    for mesh in meshes:
        add_sphere(builder, mesh)
    builder.view(bytes(20_000))
    (folder / "in.glb").write_bytes(builder.glb())
    return pipeline.optimize(folder / "in.glb", folder / "out.glb")["condition"]


def test_a_closed_box_is_sound(tmp_path: Path) -> None:
    assert condition(tmp_path, box()) == {"pieces": 1, "holes": 0, "inside_out": 0}


def test_a_seam_of_the_texture_is_no_hole(tmp_path: Path) -> None:
    whole = box()
    soup = {name: whole[name][whole["faces"].ravel()] for name in ("positions", "normals", "uv")}
    soup["faces"] = np.arange(36, dtype=np.uint32).reshape(-1, 3)

    assert condition(tmp_path, soup) == {"pieces": 1, "holes": 0, "inside_out": 0}


def test_each_hole_counts_once_however_large(tmp_path: Path) -> None:
    open_box = box()
    open_box["faces"] = open_box["faces"][[2, 3, 4, 5, 6, 7, 8, 9, 10]]  # a side, and half of another

    assert condition(tmp_path, open_box) == {"pieces": 1, "holes": 1, "inside_out": 0}
    mesh = sphere()  # open at both poles
    first, last = mesh["uv"][:, 0] == 0, mesh["uv"][:, 0] == 1
    mesh["positions"][last] = mesh["positions"][first]
    assert condition(tmp_path, mesh) == {"pieces": 1, "holes": 2, "inside_out": 0}


def test_pieces_that_do_not_touch_are_counted_over_all_materials(tmp_path: Path) -> None:
    assert condition(tmp_path, box(), box(shift=3), box(shift=6))["pieces"] == 3
    assert condition(tmp_path, box(), box())["pieces"] == 1


def test_a_piece_that_is_inside_out_is_told_from_a_hollow(tmp_path: Path) -> None:
    assert condition(tmp_path, box(), box(shift=3, is_turned=True))["inside_out"] == 1
    assert condition(tmp_path, box(), box(size=0.5, is_turned=True))["inside_out"] == 0


def test_a_result_is_as_true_as_its_grid(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=60))
    (tmp_path / "in.glb").write_bytes(builder.glb())

    found = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", size=RealSize(100, 100, 100))[
        "truth"
    ]

    step = 100 / 2**14
    assert 0.1 * step < found["position_mean_mm"] < found["position_max_mm"] < step
    assert found["position_max_percent"] == pytest.approx(found["position_max_mm"], rel=0.01)
    assert 0 < found["normal_mean_degrees"] < 0.2


def test_fewer_triangles_are_measurably_less_true(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=130, radius=0.5))
    (tmp_path / "in.glb").write_bytes(builder.glb())

    web, light = (
        pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", level)["truth"]
        for level in ("web", "light")
    )

    assert web["position_mean_mm"] < light["position_mean_mm"]
    assert light["position_max_percent"] < 0.1


@pytest.mark.parametrize("off", [0.001, 0.02])
def test_a_surface_that_moved_is_found_out(off: float, tmp_path: Path) -> None:
    for name, shift in (("was", 0.0), ("is", off)):
        builder, mesh = Builder(), sphere(rings=40, radius=0.5)
        mesh["positions"] = mesh["positions"] * np.float32(1 + 2 * shift)
        add_sphere(builder, mesh)
        (tmp_path / f"{name}.glb").write_bytes(builder.glb())

    found = deviation.measure_deviation(tmp_path / "was.glb", tmp_path / "is.glb", longest=1.0)

    assert found
    assert found.position_mean == pytest.approx(off, rel=0.15)
    assert found.position_max == pytest.approx(off, rel=0.15)


def test_a_file_that_is_given_out_as_it_came_is_wholly_true(tmp_path: Path) -> None:
    builder = textured_sphere()
    builder.data["extensionsUsed"] = ["ACME_points_anywhere"]
    for key in ("images", "textures", "materials"):
        del builder.data[key]
    del builder.data["meshes"][0]["primitives"][0]["material"]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    assert report["truth"]["position_max_mm"] == pytest.approx(0, abs=1e-4)
    assert report["truth"]["normal_mean_degrees"] == pytest.approx(0, abs=0.05)


def test_numbers_beyond_any_sense_are_measured_as_nothing(tmp_path: Path) -> None:
    builder = box_model(3e38, 1, 1)
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    numbers = list((report["truth"] or {}).values())
    assert all(np.isfinite(number) for number in numbers if number is not None)

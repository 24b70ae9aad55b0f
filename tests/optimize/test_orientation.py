"""Turning by whole right angles: every way to lay a part on its side, and everything in it goes along."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acr3d.gltf.orientation import Turn, rotation_matrix
from acr3d.optimize import pipeline
from acr3d.optimize.steps.real_size import RealSize
from tests.support.optimize_glbs import command, rich_model, unpack
from tests.support.placed_models import assert_stands, box_model, local, moving_model, vertices

STEPS = [f"{axis}{angle}" for axis in "xyz" for angle in (90, 180, 270)]


def turned(folder: Path, builder: Any, turn: str, size: RealSize | None = None) -> dict[str, Any]:
    (folder / "in.glb").write_bytes(builder.glb())
    return pipeline.optimize(
        folder / "in.glb", folder / "out.glb", size=size or RealSize(), turn=Turn.parse(turn)
    )


def test_every_turn_of_a_box_can_be_said_and_is_a_rotation() -> None:
    said = [Turn.parse(",".join(steps)) for steps in itertools.product(STEPS, repeat=2)]

    found = {turn.rows for turn in said if turn}

    assert len(found) == 23
    assert {round(np.linalg.det(rows)) for rows in found} == {1}
    for turn in filter(None, said):
        assert rotation_matrix(turn.quaternion) == pytest.approx(np.array(turn.rows), abs=1e-12)


def test_what_comes_to_nothing_is_no_turn() -> None:
    assert Turn.parse("") is None
    assert Turn.parse("x180,x180") is None
    assert Turn.parse("x90,y90,y270,x270") is None


def test_a_part_that_lies_on_its_back_stands_up_with_its_front_ahead(tmp_path: Path) -> None:
    # What pointed to -Y comes to the front, what pointed to +Z comes up.
    report = turned(tmp_path, box_model(1, 2, 3, translation=[5, 5, 5]), "x270")

    assert_stands(tmp_path / "out.glb", [1, 3, 2])
    was, is_ = vertices(tmp_path / "in.glb"), vertices(tmp_path / "out.glb")
    middle = np.array([5.5, 6, 6.5])
    expected = (was - middle)[:, [0, 2, 1]] * [1, 1, -1] + [0, 1.5, 0]
    assert {tuple(point) for point in np.round(is_, 3)} == {tuple(point) for point in np.round(expected, 3)}
    assert report["placed"]["turned"] == "x270"
    assert report["placed"]["scale"] == 1
    assert report["size_m"] == pytest.approx([1, 3, 2], abs=1e-3)
    assert report["warnings"] == []


def test_the_size_is_that_of_the_turned_part(tmp_path: Path) -> None:
    report = turned(tmp_path, box_model(1, 2, 3), "y90", RealSize(300, 200, 100))

    assert_stands(tmp_path / "out.glb", [0.3, 0.2, 0.1])
    assert report["placed"]["deviation_percent"] == pytest.approx(
        {"width": 0, "height": 0, "depth": 0}, abs=0.1
    )


def test_turns_are_taken_one_after_the_other_about_the_worlds_axes(tmp_path: Path) -> None:
    turned(tmp_path, box_model(1, 2, 3), "x90,z90")
    together = vertices(tmp_path / "out.glb")
    turned(tmp_path, box_model(1, 2, 3), "x90")
    (tmp_path / "out.glb").rename(tmp_path / "once.glb")

    report = pipeline.optimize(tmp_path / "once.glb", tmp_path / "twice.glb", turn=Turn.parse("z90"))

    assert np.sort(vertices(tmp_path / "twice.glb"), axis=0) == pytest.approx(
        np.sort(together, axis=0), abs=1e-3
    )
    data, _ = unpack(tmp_path / "twice.glb")
    assert len([node for node in data["nodes"] if "extras" in node]) == 1
    assert report["placed"]["turned"] == "z90"


@pytest.mark.parametrize("turn", ["x90", "y180", "z270,x180"])
def test_bones_morphs_and_animations_go_along(turn: str, tmp_path: Path) -> None:
    builder = moving_model()
    report = turned(tmp_path, builder, turn)

    was, is_ = unpack(tmp_path / "in.glb")[0], unpack(tmp_path / "out.glb")[0]
    assert is_["nodes"][: len(was["nodes"])] == was["nodes"]
    assert len(is_["animations"]) == len(was["animations"])
    rotation = local(is_["nodes"][-1])[:3, :3]
    parsed = Turn.parse(turn)
    assert parsed
    assert rotation == pytest.approx(np.array(parsed.rows), abs=1e-9)
    before = pipeline.check(tmp_path / "in.glb")["size_m"]
    assert report["size_m"] == pytest.approx(parsed_size(parsed, before), rel=1e-3)


def parsed_size(turn: Turn, size: list[float]) -> list[float]:
    return np.abs(np.array(turn.rows) @ np.array(size)).tolist()


def test_no_vertex_normal_or_tangent_is_rewritten(tmp_path: Path) -> None:
    plain, moved = rich_model(), rich_model()
    (tmp_path / "in.glb").write_bytes(plain.glb())
    pipeline.optimize(tmp_path / "in.glb", tmp_path / "never.glb")
    turned(tmp_path, moved, "x90")

    (was, binary), (is_, turned_binary) = unpack(tmp_path / "never.glb"), unpack(tmp_path / "out.glb")

    assert is_["meshes"] == was["meshes"]
    assert is_["accessors"] == was["accessors"]
    assert turned_binary == binary


def test_the_command_takes_a_turn_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(box_model(1, 2, 3).glb())

    told = command(tmp_path / "in.glb", tmp_path / "out.glb", "--turn", "x90,y180")
    asked = command(tmp_path / "in.glb", tmp_path / "out.glb", "--turn", "x90,y180", "--json")

    assert "placed: turned x90,y180, scaled by 1" in told.stdout
    report = json.loads(asked.stdout.splitlines()[-1])["report"]
    assert report["placed"]["turned"] == "x90,y180"


@pytest.mark.parametrize("turn", ["x45", "w90", "x", "90", "x90,", "x90;y90", ",".join(["x90"] * 25)])
def test_the_command_refuses_what_is_no_turn(turn: str, tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(box_model(1, 2, 3).glb())

    done = command(tmp_path / "in.glb", tmp_path / "out.glb", "--turn", turn)

    assert done.returncode == 2
    assert "--turn" in done.stderr
    assert not (tmp_path / "out.glb").exists()

"""Real size: what a model measures, where it stands, and that everything in it follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acr3d.optimize import pipeline
from acr3d.optimize.steps import real_size
from acr3d.optimize.steps.real_size import RealSize
from tests.support.optimize_glbs import (
    command,
    rich_model,
    textured_sphere,
    unpack,
    validator_errors,
)
from tests.support.placed_models import (
    DRACO,
    EIGHTH,
    HALF,
    assert_stands,
    box_model,
    moving_model,
    placed,
    vertices,
)
from tests.support.three import as_three_shows_it


def test_a_compressed_model_gets_the_parts_size_and_stands_on_the_ground(tmp_path: Path) -> None:
    builder = textured_sphere()
    builder.data["nodes"][0]["translation"] = [7, -3, 0.5]

    report = placed(builder, RealSize(250, 250, 250), tmp_path)

    data, _ = unpack(tmp_path / "out.glb")
    assert DRACO in data["extensionsRequired"]
    points = vertices(tmp_path / "in.glb")
    scale = 0.25 / np.median(np.ptp(points, axis=0))
    assert_stands(tmp_path / "out.glb", (scale * np.ptp(points, axis=0)).tolist())
    assert report["placed"]["scale"] == pytest.approx(scale)
    assert report["placed"]["requested_mm"] == {"width": 250, "height": 250, "depth": 250}
    assert report["placed"]["size_mm"] == pytest.approx([1000 * side for side in report["size_m"]], abs=1e-3)
    assert not report["is_unchanged"]
    assert report["warnings"] == []


def test_the_sides_that_agree_decide_and_the_other_is_named(tmp_path: Path) -> None:
    report = placed(box_model(2, 3, 4.48), RealSize(100, 150, 200), tmp_path)

    assert_stands(tmp_path / "out.glb", [0.1, 0.15, 0.224])
    assert report["placed"]["scale"] == pytest.approx(0.05, rel=1e-4)
    assert report["placed"]["deviation_percent"] == pytest.approx(
        {"width": 0, "height": 0, "depth": 12}, abs=0.1
    )
    assert [w for w in report["warnings"] if "%" in w] == [
        "The model's depth is 12 % more than the part's. Check the part's dimensions and the photos."
    ]


def test_two_sides_share_what_they_disagree_about(tmp_path: Path) -> None:
    report = placed(box_model(1, 1, 1), RealSize(width=100, height=121), tmp_path)

    assert_stands(tmp_path / "out.glb", [0.11, 0.11, 0.11])
    assert report["placed"]["requested_mm"] == {"width": 100, "height": 121, "depth": None}
    assert report["placed"]["deviation_percent"] == pytest.approx({"width": 10, "height": -9.09}, abs=0.1)
    assert [w for w in report["warnings"] if "%" in w] == [
        "The model's width is 10 % more than the part's. Check the part's dimensions and the photos.",
        "The model's height is 9 % less than the part's. Check the part's dimensions and the photos.",
    ]


def test_one_known_side_is_enough(tmp_path: Path) -> None:
    report = placed(box_model(1, 2, 3), RealSize(depth=60), tmp_path)

    assert_stands(tmp_path / "out.glb", [0.02, 0.04, 0.06])
    assert report["placed"]["deviation_percent"] == pytest.approx({"depth": 0}, abs=0.05)


def test_nothing_is_moved_while_no_side_is_known(tmp_path: Path) -> None:
    builder = rich_model()
    (tmp_path / "in.glb").write_bytes(builder.glb())
    pipeline.optimize(tmp_path / "in.glb", tmp_path / "never.glb")

    report = placed(builder, RealSize(), tmp_path)

    assert report["placed"] is None
    assert (tmp_path / "out.glb").read_bytes() == (tmp_path / "never.glb").read_bytes()
    assert not [warning for warning in report["warnings"] if "size" in warning]


@pytest.mark.parametrize(
    "node",
    [
        {"scale": [-2, 3, 0.5]},
        {"rotation": [HALF, 0, 0, HALF], "translation": [1, 2, 3]},
        {"rotation": EIGHTH, "scale": [1, -1, 2]},
        {"matrix": [0, -2, 0, 0, 1, 0, 0.5, 0, 0, 0, -3, 0, 9, 9, -9, 1]},
    ],
    ids=["mirrored", "upright", "turned by an eighth", "a sheared matrix"],
)
@pytest.mark.parametrize("is_nested", [False, True])
def test_what_stands_above_the_mesh_counts(node: dict[str, Any], is_nested: bool, tmp_path: Path) -> None:
    builder = textured_sphere() if is_nested else box_model(1, 2, 3, **node)
    if is_nested:
        inner = {"name": "inner", "mesh": 0, "rotation": EIGHTH, "scale": [1, 2, 3]}
        builder.data["nodes"] = [{"name": "outer", "children": [1], **node}, inner]
    (tmp_path / "in.glb").write_bytes(builder.glb())
    was = vertices(tmp_path / "in.glb")
    wide, high, deep = (1000 * np.ptp(was, axis=0) * 0.3).tolist()

    report = placed(builder, RealSize(wide, high, deep), tmp_path)

    assert report["placed"]["scale"] == pytest.approx(0.3, rel=1e-3)
    assert_stands(tmp_path / "out.glb", (0.3 * np.ptp(was, axis=0)).tolist(), within=5e-4)
    data, before = unpack(tmp_path / "out.glb")[0], unpack(tmp_path / "in.glb")[0]
    assert data["nodes"][: len(before["nodes"])] == before["nodes"]
    assert [w for w in report["warnings"] if "%" in w] == []


@pytest.mark.needs("node")
def test_skins_morphs_and_animations_are_placed_with_their_model(tmp_path: Path) -> None:
    builder = moving_model()
    (tmp_path / "in.glb").write_bytes(builder.glb())
    was = as_three_shows_it(tmp_path / "in.glb")
    low, high = np.array(was["rest"])
    wide, tall, deep = (20 * (high - low)).tolist()

    report = placed(builder, RealSize(wide, tall, deep), tmp_path)

    now = as_three_shows_it(tmp_path / "out.glb")
    scale = report["placed"]["scale"]
    assert scale == pytest.approx(0.02, rel=1e-5)
    shift = -scale * np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    # The skinned part is in a stream: some steps of its grid.
    np.testing.assert_allclose(now["rest"], scale * np.array(was["rest"]) + shift, atol=1e-5)
    np.testing.assert_allclose(now["end"], scale * np.array(was["end"]) + shift, atol=1e-5)
    assert DRACO in unpack(tmp_path / "out.glb")[0]["meshes"][1]["primitives"][0]["extensions"]
    assert np.abs(np.array(was["end"]) - was["rest"]).max() > 0.5
    assert not report["is_unchanged"]
    assert [w for w in report["warnings"] if "%" in w] == []


def test_scenes_that_share_a_root_keep_it(tmp_path: Path) -> None:
    builder = rich_model()

    placed(builder, RealSize(height=100), tmp_path)

    data, _ = unpack(tmp_path / "out.glb")
    first, second = ([data["nodes"][root] for root in scene["nodes"]] for scene in data["scenes"])
    assert sorted(child for node in first for child in node["children"]) == [0, 1, 2]
    assert [node["children"] for node in second] == [[0]]
    assert second[0] in first
    assert len({(*node["scale"], *node["translation"]) for node in first}) == 1
    assert [scene.get("name") for scene in data["scenes"]] == ["all", "one"]


def test_placing_again_changes_nothing_and_another_size_takes_the_same_node(tmp_path: Path) -> None:
    placed(box_model(2, 3, 4), RealSize(200, 300, 400), tmp_path)
    once, again, other = (tmp_path / name for name in ("out.glb", "again.glb", "other.glb"))

    same = pipeline.optimize(once, again, size=RealSize(200, 300, 400))
    changed = pipeline.optimize(once, other, size=RealSize(50, 75, 100))

    assert once.read_bytes() == again.read_bytes()
    assert same["is_unchanged"]
    assert same["placed"]["scale"] == 1
    assert same["placed"]["size_mm"] == pytest.approx([200, 300, 400], abs=0.1)
    assert_stands(other, [0.05, 0.075, 0.1])
    assert changed["placed"]["scale"] == pytest.approx(0.25, rel=1e-3)
    assert len(unpack(other)[0]["nodes"]) == len(unpack(once)[0]["nodes"]) == 2


def test_a_root_of_ours_that_somebody_animates_is_left_to_them(tmp_path: Path) -> None:
    builder = moving_model()
    builder.data["nodes"].append({"children": [0, 1, 2], "extras": {"acr3d": "true size"}})
    builder.data["scenes"] = [{"nodes": [4]}]
    builder.data["animations"][0]["channels"][1]["target"]["node"] = 4

    placed(builder, RealSize(height=100), tmp_path)

    data, _ = unpack(tmp_path / "out.glb")
    assert data["scenes"][0]["nodes"] == [5]
    assert data["nodes"][5]["children"] == [4]
    assert "scale" not in data["nodes"][4]


def test_a_small_file_takes_nothing_but_the_node(tmp_path: Path) -> None:
    (tmp_path / "raw.glb").write_bytes(textured_sphere().glb())
    small, target = tmp_path / "small.glb", tmp_path / "target.glb"
    pipeline.optimize(tmp_path / "raw.glb", small)

    report = pipeline.optimize(small, target, size=RealSize(50, 50, 50))

    assert_stands(target, [0.05, 0.05, 0.05], within=5e-3)
    assert unpack(target)[1] == unpack(small)[1]
    assert report["bytes_out"] == target.stat().st_size <= small.stat().st_size + 250
    assert not report["is_unchanged"]
    assert "The original file was kept except for its size and orientation" in " ".join(report["warnings"])
    assert sum(step["bytes_after"] for step in report["steps"]) == report["bytes_out"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scale": [1, 0, 1]}, "it is flat along the sides whose size is known"),
        ({"mesh": None}, "it shows nothing"),
        ({"scale": [1e12, 1e12, 1e12]}, "it is 1e+12 m long, which cannot be right"),
        ({"scale": [1e-30, 1e-30, 1e-30]}, "it is 1e-30 m long, which cannot be right"),
        ({"extensions": {"EXT_mesh_gpu_instancing": {"attributes": {}}}}, "it uses EXT_mesh_gpu_instancing"),
    ],
    ids=["flat", "empty", "vast", "minute", "instanced"],
)
def test_what_has_no_size_stays_as_it_is_and_says_so(
    change: dict[str, Any], why: str, tmp_path: Path
) -> None:
    builder = box_model(1, 1, 1, **change)
    builder.data["nodes"] = [{k: v for k, v in builder.data["nodes"][0].items() if v is not None}]
    before = json.loads(json.dumps(builder.data["nodes"]))

    report = placed(builder, RealSize(height=100), tmp_path)

    assert report["placed"] is None
    assert unpack(tmp_path / "out.glb")[0]["nodes"] == before
    assert f"could not be turned or scaled to the part's size, because {why}" in " ".join(report["warnings"])


@pytest.mark.parametrize("mistake", ["twice as large", "beside the ground", "one root forgotten"])
def test_a_wrong_placing_is_never_given_out(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = real_size.apply_placement

    def wrong(data: dict[str, Any], placement: real_size.Placement) -> None:
        right(data, placement)
        node = data["nodes"][-1]
        if mistake == "twice as large":
            node["scale"] = [2 * each for each in node["scale"]]
        elif mistake == "beside the ground":
            node["translation"][1] += 0.01
        else:
            node["children"] = node["children"][:-1]

    monkeypatch.setattr(real_size, "apply_placement", wrong)
    builder = moving_model()

    report = placed(builder, RealSize(height=500), tmp_path)

    assert report["placed"] is None
    assert report["is_unchanged"]
    assert (tmp_path / "out.glb").read_bytes() == builder.glb()
    assert "could not be turned or scaled to the part's size" in report["warnings"][-1]


def test_lamps_and_tinted_glass_look_as_before(tmp_path: Path) -> None:
    builder = box_model(1, 1, 1)
    builder.data["materials"] = [
        {"extensions": {"KHR_materials_volume": {"thicknessFactor": 0.2, "attenuationDistance": 0.5}}}
    ]
    builder.data["meshes"][0]["primitives"][0]["material"] = 0
    builder.data["nodes"][0]["extensions"] = {"KHR_lights_punctual": {"light": 0}}
    lights = [{"type": "point", "range": 4}, {"type": "spot", "intensity": 50}, {"type": "directional"}]
    builder.data["extensions"] = {"KHR_lights_punctual": {"lights": lights}}
    builder.data["extensionsUsed"] = ["KHR_lights_punctual", "KHR_materials_volume"]

    placed(builder, RealSize(100, 100, 100), tmp_path)

    data, _ = unpack(tmp_path / "out.glb")
    volume = data["materials"][0]["extensions"]["KHR_materials_volume"]
    assert volume == {"thicknessFactor": 0.2, "attenuationDistance": pytest.approx(0.05)}
    assert data["extensions"]["KHR_lights_punctual"]["lights"] == [
        {"type": "point", "range": pytest.approx(0.4), "intensity": pytest.approx(0.01)},
        {"type": "spot", "intensity": pytest.approx(0.5)},
        {"type": "directional"},
    ]


@pytest.mark.needs("node")
def test_the_khronos_validator_finds_no_error_in_placed_models(tmp_path: Path) -> None:
    paths = []
    builders = (textured_sphere(), rich_model(), moving_model(), box_model(1, 2, 3, scale=[-1, 1, 1]))
    for number, builder in enumerate(builders):
        report = placed(builder, RealSize(100, 200, None), tmp_path)
        assert report["placed"], report["warnings"]
        paths.append((tmp_path / "out.glb").rename(tmp_path / f"{number}.glb"))

    assert validator_errors(paths) == []


def test_the_command_takes_millimetres(tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(box_model(2, 3, 4.4).glb())

    told = command(tmp_path / "in.glb", tmp_path / "out.glb", "--size-mm", "20x30x40")
    asked = command(tmp_path / "in.glb", tmp_path / "out.glb", "--json", "--size-mm=-x-x44.00")

    assert "placed: scaled by 0.01, differs from the requested size by width +0.0 %, height" in told.stdout
    assert "Warning: The model's depth is 10 % more than the part's" in told.stdout
    report = json.loads(asked.stdout.splitlines()[-1])["report"]
    assert report["placed"]["requested_mm"] == {"width": None, "height": None, "depth": 44}
    assert report["placed"]["size_mm"] == pytest.approx([20, 30, 44], abs=0.02)


@pytest.mark.parametrize(
    "size", ["20x30", "20x30x0", "20x-5x3", "axbxc", "nanx1x1", "1x1xinf", "1x1x1e7", ""]
)
def test_the_command_refuses_what_is_no_size(size: str, tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(box_model(2, 3, 4).glb())

    done = command(tmp_path / "in.glb", tmp_path / "out.glb", f"--size-mm={size}")

    assert done.returncode == 2
    assert "--size-mm" in done.stderr
    assert not (tmp_path / "out.glb").exists()


def test_a_check_places_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(box_model(2, 3, 4).glb())

    done = command("--check", tmp_path / "in.glb", "--size-mm", "20x30x40")

    assert done.returncode == 2
    assert "changes nothing" in done.stderr


@pytest.mark.parametrize(("dtype", "component", "one"), [(np.int16, 5122, 32767), (np.int8, 5120, 127)])
def test_the_box_of_fractions_in_a_meshopt_stream_is_told_by_what_they_stand_for(
    dtype: type[np.integer], component: int, one: int, tmp_path: Path
) -> None:
    """Nobody here decodes meshopt; `min` and `max` are as stored, whole numbers."""
    builder = box_model(1, 1, 1, scale=[0.2, 0.2, 0.2])
    stride = 4 * np.dtype(dtype).itemsize
    packed = {"buffer": 0, "byteOffset": 0, "byteLength": 64, "byteStride": stride, "count": 8}
    view = {"buffer": 0, "byteOffset": 0, "byteLength": 8 * stride, "byteStride": stride}
    view["extensions"] = {"EXT_meshopt_compression": {**packed, "mode": "ATTRIBUTES"}}
    builder.data["bufferViews"].append(view)
    low, high = [-one, -(one // 2), 0], [one, one // 2, one]
    builder.data["accessors"][0] |= {
        "bufferView": len(builder.data["bufferViews"]) - 1,
        "componentType": component,
        "normalized": True,
        "min": low,
        "max": high,
    }
    builder.data["extensionsUsed"] = ["EXT_meshopt_compression", "KHR_mesh_quantization"]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.check(tmp_path / "in.glb")

    assert report["size_m"] == pytest.approx([0.4, 0.4 * (one // 2) / one, 0.2])

"""Assemblies of many parts: equal parts are stored once, small ones joined, and what is referred to stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import KDTree

from acr3d.gltf.bounds import scene_bounds
from acr3d.gltf.model import Model
from acr3d.gltf.primitive_mesh import PrimitiveMesh, read_primitive_mesh
from acr3d.gltf.scene_graph import mesh_instances
from acr3d.optimize import pipeline
from acr3d.optimize.deviation import measure_deviation
from acr3d.optimize.origins import Origins
from acr3d.optimize.steps.real_size import RealSize
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    encoded,
    picture,
    sphere,
    unpack,
    validator_errors,
)

TURNED = [0.5, 0.5, 0.5, 0.5]


def assembly(shapes: list[dict[str, np.ndarray]], **more: Any) -> Builder:
    """A mesh and a node for each shape, in a row, every other one turned and mirrored."""
    builder = Builder()
    builder.data |= {"meshes": [], "nodes": [], "scenes": [{"nodes": list(range(len(shapes)))}]}
    for at, shape in enumerate(shapes):
        builder.data["meshes"].append({"name": f"mesh {at}", "primitives": []})
        add_sphere(builder, shape, mesh_number=at, **more)
        node = {"mesh": at, "name": f"part {at}", "translation": [0.2 * at, 0.0, 0.0]}
        if at % 2:
            node |= {"rotation": TURNED, "scale": [1.5, -1.0, 1.0]}
        builder.data["nodes"].append(node)
    return builder


def different(count: int, rings: int = 8) -> list[dict[str, np.ndarray]]:
    return [sphere(rings, radius=0.05 + 0.001 * at) for at in range(count)]


def shown(path: Path) -> list[PrimitiveMesh]:
    """Everything that a file shows, in the world."""
    with Model(path) as model:
        found = []
        for each in mesh_instances(model):
            for primitive in model.json["meshes"][each.mesh]["primitives"]:
                mesh = read_primitive_mesh(model, primitive)
                assert mesh is not None
                assert mesh.normals is not None
                turn = each.matrix[:3, :3]
                normals = mesh.normals @ np.linalg.inv(turn)
                normals /= np.linalg.norm(normals, axis=1, keepdims=True)
                faces = mesh.faces if np.linalg.det(turn) > 0 else mesh.faces[:, ::-1]
                found.append(PrimitiveMesh(faces, mesh.positions @ turn.T + each.matrix[:3, 3], normals))
        return found


def middles(meshes: list[PrimitiveMesh]) -> np.ndarray:
    """Of every triangle its middle, where it faces and its mean normal, as one point in nine dimensions."""
    rows = []
    for mesh in meshes:
        corners = mesh.positions[mesh.faces].astype(float)
        facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        facing /= np.linalg.norm(facing, axis=1, keepdims=True)
        normals = mesh.normals[mesh.faces].mean(axis=1) if mesh.normals is not None else 0 * facing
        rows.append(np.hstack([corners.mean(axis=1), 0.01 * facing, 0.01 * normals]))
    return np.concatenate(rows)


def farthest(source: Path, result: Path, scale: float = 1.0) -> float:
    """How much the triangles of two files differ at most, whichever is compared with the other."""
    before, after = middles(shown(source)), middles(shown(result))
    before[:, :3] *= scale
    before[:, :3] += after[:, :3].min(axis=0) - before[:, :3].min(axis=0)
    there, back = KDTree(after).query(before)[0], KDTree(before).query(after)[0]
    return float(max(there.max(), back.max()))


def test_equal_parts_are_stored_once(tmp_path: Path) -> None:
    builder = assembly([sphere(rings=40) for _ in range(12)])
    base = [builder.image(encoded(picture(64, 64), "PNG"), "image/png", name=f"{at}") for at in range(12)]
    builder.data["materials"] = [
        {"name": f"steel {at}", "pbrMetallicRoughness": {"baseColorTexture": {"index": base[at]}}}
        for at in range(12)
    ]
    for at, mesh in enumerate(builder.data["meshes"]):
        mesh["primitives"][0]["material"] = at
    builder.data["materials"][3]["doubleSided"] = True
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", ar=tmp_path / "ar.glb")

    data, _ = unpack(tmp_path / "out.glb")
    assert (len(data["meshes"]), len(data["materials"]), len(data["images"])) == (2, 2, 1)
    assert [node["mesh"] for node in data["nodes"]] == [0, 0, 0, 1, *([0] * 8)]
    assert [node["name"] for node in data["nodes"]] == [f"part {at}" for at in range(12)]
    assert report["triangles"] == report["ar"]["triangles"] == report["triangles_in"] == 12 * 6162
    assert report["condition"]["pieces"] == 12
    assert report["bytes_out"] < 0.02 * report["bytes_in"]
    assert report["ar"]["bytes"] < 0.2 * report["bytes_in"]
    assert report["truth"]["position_max_percent"] < 0.01
    assert farthest(tmp_path / "in.glb", tmp_path / "out.glb") < 2e-3
    assert validator_errors([tmp_path / "out.glb", tmp_path / "ar.glb"]) == []


def test_small_parts_are_joined_and_look_the_same(tmp_path: Path) -> None:
    builder = assembly(different(24))
    builder.data["materials"] = [{"name": name} for name in ("red", "blue")]
    builder.data["materials"][1]["doubleSided"] = True
    for at, mesh in enumerate(builder.data["meshes"]):
        mesh["primitives"][0]["material"] = at % 3 % 2
    builder.data["nodes"].append({"name": "holder", "children": list(range(24)), "rotation": TURNED})
    builder.data["scenes"][0]["nodes"] = [24]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    size = RealSize(height=500)
    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", ar=tmp_path / "ar.glb", size=size)

    data, _ = unpack(tmp_path / "out.glb")
    assert [primitive["material"] for primitive in data["meshes"][0]["primitives"]] == [0, 1]
    assert report["draw_calls"] == report["ar"]["draw_calls"] == 2
    assert report["triangles"] == report["triangles_in"]
    assert report["bytes_out"] < 0.2 * report["bytes_in"]
    assert 0 < report["truth"]["position_max_percent"] < 0.01
    assert report["truth"]["normal_p95_degrees"] < 1
    assert report["placed"]["size_mm"][1] == pytest.approx(500, rel=1e-3)
    assert farthest(tmp_path / "in.glb", tmp_path / "out.glb", report["placed"]["scale"]) < 2e-3
    assert validator_errors([tmp_path / "out.glb", tmp_path / "ar.glb"]) == []


def test_parts_that_are_reduced_are_joined_afterwards(tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(assembly(different(20, rings=30)).glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", "light")

    assert report["triangles_in"] > 55_000
    assert 29_000 < report["triangles"] <= 30_000
    assert report["draw_calls"] == 1
    assert report["truth"]["position_max_percent"] < 0.5


def test_what_is_referred_to_or_sorted_by_distance_stays_by_itself(tmp_path: Path) -> None:
    builder = assembly(different(9))
    nodes = builder.data["nodes"]
    builder.data["materials"] = [{"name": "glass", "alphaMode": "BLEND"}]
    builder.data["meshes"][0]["primitives"][0]["material"] = 0
    builder.data["meshes"][1]["primitives"][0]["material"] = 0
    # Part 2 turns, with parts 3 and 4 on it.
    nodes[2]["children"] = [3, 4]
    builder.data["scenes"][0]["nodes"] = [0, 1, 2, 5, 6, 7, 8]
    times = builder.accessor(np.array([0, 1], np.float32), min=[0], max=[1])
    turns = builder.accessor(np.array([[0, 0, 0, 1], [0, 1, 0, 0]], np.float32))
    builder.data["animations"] = [
        {
            "samplers": [{"input": times, "output": turns}],
            "channels": [{"sampler": 0, "target": {"node": 2, "path": "rotation"}}],
        }
    ]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    data, _ = unpack(tmp_path / "out.glb")
    nodes = data["nodes"]
    assert [node.get("name") for node in nodes] == ["part 0", "part 1", "part 2", None, None]
    assert report["draw_calls"] == 5
    turning = data["animations"][0]["channels"][0]["target"]["node"]
    assert nodes[turning]["name"] == "part 2"
    assert [("name" in nodes[child]) for child in nodes[turning]["children"]] == [False]
    assert len(data["scenes"][0]["nodes"]) == 4
    assert farthest(tmp_path / "in.glb", tmp_path / "out.glb") < 2e-3
    assert validator_errors([tmp_path / "out.glb"]) == []


def test_a_part_that_only_moved_with_joined_ones_is_measured_where_it_is(tmp_path: Path) -> None:
    builder = assembly(different(3))
    # The third part shares no material with the others, but it is in one mesh with the second.
    third = builder.data["meshes"][2]["primitives"][0]
    builder.data["materials"] = [{}, {"doubleSided": True}]
    for at in range(2):
        builder.data["meshes"][at]["primitives"][0]["material"] = 0
    builder.data["meshes"][1]["primitives"].append(third | {"material": 1})
    builder.data["nodes"].pop()
    builder.data["scenes"] = [{"nodes": [0, 1]}]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", ar=tmp_path / "ar.glb")

    assert report["draw_calls"] == 2
    assert report["truth"]["position_max_percent"] < 0.02
    assert report["ar"]["truth"]["position_max_percent"] < 0.001


def test_a_joined_part_in_the_wrong_place_is_noticed(tmp_path: Path) -> None:
    builder = assembly(different(12))
    (tmp_path / "in.glb").write_bytes(builder.glb())
    pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")
    joined = Origins({(0, 0): [(at, 0) for at in range(12)]}, joined={0})

    right = measure_deviation(tmp_path / "in.glb", tmp_path / "out.glb", 2.2, joined)
    builder.data["nodes"][7]["translation"][1] = 0.01
    (tmp_path / "in.glb").write_bytes(builder.glb())
    wrong = measure_deviation(tmp_path / "in.glb", tmp_path / "out.glb", 2.2, joined)

    assert right is not None
    assert right.position_max < 1e-4
    assert wrong is not None
    assert wrong.position_max > 1e-3


def test_thousands_of_parts_are_taken(tmp_path: Path) -> None:
    """More JSON than would be read if it were made to exhaust a parser."""
    builder = assembly(different(2))
    names = [f"an assembly's part number {at} with a long name" for at in range(90_000)]
    builder.data["nodes"] += [{"name": name} for name in names]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    with Model(tmp_path / "in.glb") as model:
        assert len(model.json["nodes"]) == 90_002
        assert scene_bounds(model, mesh_instances(model))[0] is not None

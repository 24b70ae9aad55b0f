"""Parts that share arrays, strips and fans: each part gets its own and is compressed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acr3d.optimize import pipeline
from tests.support.optimize_glbs import Builder, add_sphere, sphere
from tests.support.optimized import distances, optimized_streams


def slices(mesh: dict[str, np.ndarray], count: int) -> Builder:
    """A mesh whose parts, from bottom to top, draw from the same arrays: three.js's groups."""
    builder = Builder()
    whole = add_sphere(builder, mesh)
    middles = mesh["positions"][mesh["faces"]].mean(axis=1)
    parts = np.array_split(mesh["faces"][np.argsort(middles[:, 1], kind="stable")], count)
    builder.data["meshes"][0]["primitives"] = [
        whole | {"indices": builder.accessor(part.ravel()), "material": at} for at, part in enumerate(parts)
    ]
    builder.data["materials"] = [
        {"name": f"band {at}", "pbrMetallicRoughness": {"roughnessFactor": at / count}} for at in range(count)
    ]
    return builder


def middles_and_sides(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Of every triangle its middle, and which way it faces: a centimetre for a right angle."""
    corners = np.asarray(points, float)[faces]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.hstack([corners.mean(axis=1), 0.01 * facing / np.linalg.norm(facing, axis=1, keepdims=True)])


def test_parts_that_share_vertices_get_their_own_and_are_packed(tmp_path: Path) -> None:
    mesh = sphere(rings=40)
    builder = slices(mesh, 3)

    report, data, meshes = optimized_streams(builder, tmp_path)

    assert report["bytes_out"] < 0.12 * report["bytes_in"]
    assert report["warnings"] == []
    assert [len(part.faces) for part in meshes] == [2054, 2054, 2054]
    assert [p["material"] for p in data["meshes"][0]["primitives"]] == [0, 1, 2]
    # Each has its own vertices only, and they meet on one grid.
    assert sum(len(part.points) for part in meshes) < 1.2 * len(mesh["positions"])
    places = [{tuple(point) for point in part.points.tolist()} for part in meshes]
    assert len(places[0] & places[1]) > 40
    before = middles_and_sides(mesh["positions"], mesh["faces"])
    after = np.concatenate([middles_and_sides(part.points, part.faces) for part in meshes])
    assert distances(before[::5], after).max() < 2e-4
    assert distances(after[::5], before).max() < 2e-4
    assert sum(step["saved"] for step in report["steps"]) == report["bytes_in"] - report["bytes_out"]


def test_parts_that_share_vertices_are_reduced_too(tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(slices(sphere(rings=130), 4).glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", "light", ar=tmp_path / "ar.glb")

    assert 29_000 < report["triangles"] <= 30_000
    assert 29_000 < report["ar"]["triangles"] <= 30_000
    assert report["truth"]["position_max_percent"] < 0.2
    assert report["warnings"] == []


def test_arrays_stay_shared_where_nothing_is_gained(tmp_path: Path) -> None:
    """The file for AR keeps its arrays plain; and parts of some triangles each are no smaller as streams."""
    (tmp_path / "in.glb").write_bytes(slices(sphere(rings=24), 3).glb())
    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", ar=tmp_path / "ar.glb")
    assert report["ar"]["bytes"] < report["bytes_in"] + 500

    report, _, meshes = optimized_streams(slices(sphere(rings=24), 180), tmp_path)
    assert meshes == [None] * 180
    assert any("shares its vertices" in warning for warning in report["warnings"])


@pytest.mark.parametrize("has_indices", [True, False])
@pytest.mark.parametrize("mode", [5, 6])
def test_strips_and_fans_are_packed_as_the_same_triangles(
    mode: int, has_indices: bool, tmp_path: Path
) -> None:
    """A band of quads as a strip; a disc around its first vertex as a fan."""
    turns = np.linspace(0, 2 * np.pi, 400)
    rim = np.stack([np.cos(turns), np.zeros(400), np.sin(turns)], 1)
    if mode == 5:
        points = np.stack([rim, rim + np.array([0, 0.3, 0])], 1).reshape(-1, 3)
        at = np.arange(len(points) - 2)
        odd = (at % 2)[:, None]
        faces = np.where(odd, np.stack([at, at + 2, at + 1], 1), np.stack([at, at + 1, at + 2], 1))
    else:
        points = np.concatenate([[[0, 0.2, 0]], rim])
        at = np.arange(1, len(points) - 1)
        faces = np.stack([at, at + 1, np.zeros_like(at)], 1)
    builder = Builder()
    primitive = {"attributes": {"POSITION": builder.positions(points.astype(np.float32))}, "mode": mode}
    if has_indices:
        primitive["indices"] = builder.accessor(np.arange(len(points), dtype=np.uint16))
    builder.data["meshes"][0]["primitives"].append(primitive)

    report, data, (decoded,) = optimized_streams(builder, tmp_path)

    assert "mode" not in data["meshes"][0]["primitives"][0]
    assert report["triangles"] == report["triangles_in"] == len(faces) == len(decoded.faces)
    before, after = middles_and_sides(points, faces), middles_and_sides(decoded.points, decoded.faces)
    assert distances(before, after).max() < 2e-3
    assert distances(after, before).max() < 2e-3

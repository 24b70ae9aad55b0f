"""Geometry: small streams that hold the very same surface, on one grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest

from acr3d.optimize import pipeline
from tests.optimize_glbs import Builder, add_sphere, sphere, textured_sphere, unpack

DRACO = "KHR_draco_mesh_compression"


def optimized(builder: Builder, folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """The report, the JSON and every primitive's decoded stream (None where it stayed plain)."""
    (folder / "in.glb").write_bytes(builder.glb())
    report = pipeline.optimize(folder / "in.glb", folder / "out.glb")
    data, binary = unpack(folder / "out.glb")
    meshes = []
    for primitive in (p for mesh in data["meshes"] for p in mesh["primitives"]):
        packed = primitive.get("extensions", {}).get(DRACO)
        view = data["bufferViews"][packed["bufferView"]] if packed else None
        stream = binary[view["byteOffset"] :][: view["byteLength"]] if view else None
        meshes.append(DracoPy.decode(stream) if stream else None)
    return report, data, meshes


def distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From each point to its nearest other."""
    return np.sqrt(((points[:, None] - others[None]) ** 2).sum(-1).min(1))


def test_every_triangle_normal_and_uv_is_where_it_was(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=16)
    primitive = add_sphere(builder, mesh)

    report, data, (decoded,) = optimized(builder, tmp_path)

    assert report["bytes_out"] < 0.25 * report["bytes_in"]
    assert len(decoded.faces) == len(mesh["faces"])
    ids = data["meshes"][0]["primitives"][0]["extensions"][DRACO]["attributes"]
    held = {attribute["unique_id"]: attribute["data"] for attribute in decoded.attributes}
    before = np.hstack([mesh["positions"], mesh["normals"] / 100, mesh["uv"] / 100])
    after = np.hstack([held[ids["POSITION"]], held[ids["NORMAL"]] / 100, held[ids["TEXCOORD_0"]] / 100])
    assert distances(before, after).max() < 2e-4
    assert distances(after, before).max() < 2e-4
    assert primitive["attributes"].keys() == ids.keys()


def test_the_json_tells_what_the_stream_holds(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder)

    _, data, (decoded,) = optimized(builder, tmp_path)

    primitive = data["meshes"][0]["primitives"][0]
    accessors = data["accessors"]
    position = accessors[primitive["attributes"]["POSITION"]]
    assert {accessors[at]["count"] for at in primitive["attributes"].values()} == {len(decoded.points)}
    assert accessors[primitive["indices"]]["count"] == decoded.faces.size
    assert all("bufferView" not in accessor for accessor in accessors)
    np.testing.assert_allclose(position["min"], decoded.points.min(0), atol=1e-7)
    np.testing.assert_allclose(position["max"], decoded.points.max(0), atol=1e-7)
    assert DRACO in data["extensionsRequired"]
    assert DRACO in data["extensionsUsed"]


def test_touching_parts_meet_on_one_grid(tmp_path: Path) -> None:
    """Two halves share a ragged edge; after rounding each on the common grid the edge is still shared."""
    rng = np.random.default_rng(4)
    edge = np.stack([np.zeros(40), np.linspace(0, 1, 40), rng.random(40) * 0.1], 1)
    builder = Builder()
    for side in (-0.7, 0.31):
        outer = edge + np.array([side, 0, 0])
        points = np.concatenate([edge, outer]).astype(np.float32)
        at = np.arange(39)
        faces = np.concatenate(
            [np.stack([at, at + 1, at + 40], 1), np.stack([at + 1, at + 41, at + 40], 1)]
        ).astype(np.uint32)
        builder.data["meshes"][0]["primitives"].append(
            {
                "attributes": {"POSITION": builder.positions(points)},
                "indices": builder.accessor(faces.ravel()),
            }
        )

    _, _, (left, right) = optimized(builder, tmp_path)

    shared = {tuple(p) for p in left.points} & {tuple(p) for p in right.points}
    assert len(shared) == 40


def test_a_thin_plate_keeps_its_thickness(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere()
    mesh["positions"] = mesh["positions"] * np.float32([1, 1, 0.01])
    add_sphere(builder, mesh)

    report, _, (decoded,) = optimized(builder, tmp_path)

    assert DRACO in unpack(tmp_path / "out.glb")[0]["extensionsUsed"]
    thickness = np.ptp(mesh["positions"][:, 2])
    assert np.ptp(decoded.points[:, 2]) == pytest.approx(thickness, rel=1e-3)
    assert report["size_m"][2] == pytest.approx(thickness, rel=1e-3)


def test_a_uv_set_that_repeats_a_map_keeps_its_sharpness(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=16)
    mesh["uv"] = mesh["uv"] * np.float32(20)
    add_sphere(builder, mesh)

    _, _, (decoded,) = optimized(builder, tmp_path)

    assert distances(mesh["uv"], np.asarray(decoded.tex_coord)).max() < 1 / 4096


def test_triangles_without_area_go_and_are_told_of(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=10)
    mesh["faces"] = np.concatenate([mesh["faces"], [[3, 3, 9], [5, 9, 5]]]).astype(np.uint32)
    add_sphere(builder, mesh)

    report, _, _ = optimized(builder, tmp_path)

    assert report["triangles"] == report["triangles_in"] - 2
    assert "2 triangles without any area were taken out." in report["warnings"]


def test_triangles_without_indices_are_compressed_too(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=10)
    corners = mesh["faces"].ravel()
    primitive = add_sphere(
        builder, {k: v[corners] for k, v in mesh.items() if k != "faces"} | {"faces": corners}
    )
    del primitive["indices"]

    report, data, (decoded,) = optimized(builder, tmp_path)

    assert len(decoded.faces) == len(mesh["faces"]) == report["triangles"]
    assert data["accessors"][data["meshes"][0]["primitives"][0]["indices"]]["count"] == len(corners)
    assert report["vertices"] < len(corners) / 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_uvs_stored_as_whole_numbers_become_fractions(
    dtype: type[np.unsignedinteger], tmp_path: Path
) -> None:
    builder, mesh = Builder(), sphere(rings=16)
    primitive = add_sphere(builder, mesh)
    whole = np.round(mesh["uv"] * np.iinfo(dtype).max).astype(dtype)
    primitive["attributes"]["TEXCOORD_0"] = builder.accessor(whole, normalized=True)

    _, data, (decoded,) = optimized(builder, tmp_path)

    accessor = data["accessors"][data["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_0"]]
    assert accessor["componentType"] == 5126
    assert "normalized" not in accessor
    assert distances(mesh["uv"], np.asarray(decoded.tex_coord)).max() < 1 / 256


def test_further_uvs_and_colours_survive_to_sixteen_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    builder, mesh = Builder(), sphere(rings=16)
    second = rng.random((len(mesh["uv"]), 2)).astype(np.float32)
    colours = rng.random((len(mesh["uv"]), 4)).astype(np.float32)
    primitive = add_sphere(builder, mesh)
    primitive["attributes"] |= {"TEXCOORD_1": builder.accessor(second), "COLOR_0": builder.accessor(colours)}

    _, data, (decoded,) = optimized(builder, tmp_path)

    ids = data["meshes"][0]["primitives"][0]["extensions"][DRACO]["attributes"]
    held = {attribute["unique_id"]: attribute["data"] for attribute in decoded.attributes}
    for name, before in (("TEXCOORD_1", second), ("COLOR_0", colours)):
        accessor = data["accessors"][data["meshes"][0]["primitives"][0]["attributes"][name]]
        assert (accessor["componentType"], accessor["normalized"]) == (5123, True)
        after = held[ids[name]] / 65535
        assert distances(before, after).max() < 2e-5


def test_equal_primitives_share_one_stream(tmp_path: Path) -> None:
    builder = Builder()
    primitive = add_sphere(builder, sphere(rings=16))
    builder.data["meshes"].append({"primitives": [dict(primitive)]})
    builder.data["nodes"].append({"mesh": 1})
    builder.data["scenes"][0]["nodes"].append(1)

    report, data, _ = optimized(builder, tmp_path)

    views = [m["primitives"][0]["extensions"][DRACO]["bufferView"] for m in data["meshes"]]
    assert views == [0, 0]
    assert len(data["bufferViews"]) == 1
    assert report["draw_calls"] == 2


def test_primitives_that_share_vertices_stay_plain_and_are_told_of(tmp_path: Path) -> None:
    builder = Builder()
    primitive = add_sphere(builder, sphere(rings=16))
    half = sphere(rings=16)["faces"][:100].ravel()
    builder.data["meshes"][0]["primitives"].append(primitive | {"indices": builder.accessor(half)})

    report, data, meshes = optimized(builder, tmp_path)

    assert meshes == [None, None]
    assert report["is_unchanged"] or "extensionsUsed" not in data
    assert any("shares its vertices" in warning for warning in report["warnings"])


def test_tangents_stay_where_a_normal_map_reads_them(tmp_path: Path) -> None:
    with_map, without = textured_sphere(), textured_sphere()
    del without.data["materials"][0]["normalTexture"]
    held = []
    for builder in (with_map, without):
        primitive = builder.data["meshes"][0]["primitives"][0]
        count = len(sphere()["positions"])
        tangents = np.tile(np.float32([1, 0, 0, 1]), (count, 1))
        primitive["attributes"]["TANGENT"] = builder.accessor(tangents)
        _, data, _ = optimized(builder, tmp_path)
        held.append("TANGENT" in data["meshes"][0]["primitives"][0]["attributes"])

    assert held == [True, False]


def test_a_file_that_cannot_get_smaller_is_given_out_as_it_came(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder)
    optimized(builder, tmp_path)
    (tmp_path / "out.glb").rename(tmp_path / "in.glb")

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    assert (tmp_path / "out.glb").read_bytes() == (tmp_path / "in.glb").read_bytes()
    assert report["is_unchanged"]
    assert report["bytes_out"] == report["bytes_in"]
    assert "given out as it came in" in report["warnings"][-1]

"""Draco: small streams that hold the same surface, on one grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acr3d.gltf.accessors import read_accessor
from acr3d.gltf.model import Model
from acr3d.optimize import pipeline
from acr3d.optimize.draco.attributes import DracoAttribute
from acr3d.optimize.draco.stream import (
    DracoOptions,
    EncodedStream,
    QuantizationGrid,
    common_grid,
    encode_stream,
)
from tests.support.optimize_glbs import Builder, add_sphere, pack, sphere, textured_sphere, unpack
from tests.support.optimized import DRACO, distances, optimized_streams


def test_every_triangle_normal_and_uv_is_where_it_was(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=16)
    primitive = add_sphere(builder, mesh)

    report, data, (decoded,) = optimized_streams(builder, tmp_path)

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

    _, data, (decoded,) = optimized_streams(builder, tmp_path)

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
    builder.data["materials"] = [{}, {"doubleSided": True}]
    for material, side in enumerate((-0.7, 0.31)):
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
                "material": material,
            }
        )

    _, _, (left, right) = optimized_streams(builder, tmp_path)

    shared = {tuple(p) for p in left.points} & {tuple(p) for p in right.points}
    assert len(shared) == 40


def test_a_thin_plate_keeps_its_thickness(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere()
    mesh["positions"] = mesh["positions"] * np.float32([1, 1, 0.01])
    add_sphere(builder, mesh)

    report, _, (decoded,) = optimized_streams(builder, tmp_path)

    assert DRACO in unpack(tmp_path / "out.glb")[0]["extensionsUsed"]
    thickness = np.ptp(mesh["positions"][:, 2])
    assert np.ptp(decoded.points[:, 2]) == pytest.approx(thickness, rel=1e-3)
    assert report["size_m"][2] == pytest.approx(thickness, rel=1e-3)


def test_a_uv_set_that_repeats_a_map_keeps_its_sharpness(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=16)
    mesh["uv"] = mesh["uv"] * np.float32(20)
    add_sphere(builder, mesh)

    _, _, (decoded,) = optimized_streams(builder, tmp_path)

    assert distances(mesh["uv"], np.asarray(decoded.tex_coord)).max() < 1 / 4096


def test_triangles_without_area_go_and_are_told_of(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=10)
    mesh["faces"] = np.concatenate([mesh["faces"], [[3, 3, 9], [5, 9, 5]]]).astype(np.uint32)
    add_sphere(builder, mesh)

    report, _, _ = optimized_streams(builder, tmp_path)

    assert report["triangles"] == report["triangles_in"] - 2
    assert "2 triangles without area were removed." in report["warnings"]


def test_triangles_without_indices_are_compressed_too(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=10)
    corners = mesh["faces"].ravel()
    primitive = add_sphere(
        builder, {k: v[corners] for k, v in mesh.items() if k != "faces"} | {"faces": corners}
    )
    del primitive["indices"]

    report, data, (decoded,) = optimized_streams(builder, tmp_path)

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

    _, data, (decoded,) = optimized_streams(builder, tmp_path)

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

    _, data, (decoded,) = optimized_streams(builder, tmp_path)

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
    builder.data["meshes"].append({"primitives": [primitive | {"material": 0}]})
    builder.data["materials"] = [{"doubleSided": True}]
    builder.data["nodes"].append({"mesh": 1})
    builder.data["scenes"][0]["nodes"].append(1)

    report, data, _ = optimized_streams(builder, tmp_path)

    views = [m["primitives"][0]["extensions"][DRACO]["bufferView"] for m in data["meshes"]]
    assert views == [0, 0]
    assert len(data["bufferViews"]) == 1
    assert report["draw_calls"] == 2


def test_tangents_stay_where_a_normal_map_or_anisotropy_reads_them(tmp_path: Path) -> None:
    with_map, without, brushed = textured_sphere(), textured_sphere(), textured_sphere()
    for builder in (without, brushed):
        del builder.data["materials"][0]["normalTexture"]
    brushed.data["materials"][0]["extensions"] = {"KHR_materials_anisotropy": {"anisotropyStrength": 0.7}}
    brushed.data["extensionsUsed"] = ["KHR_materials_anisotropy"]
    held = []
    for builder in (with_map, without, brushed):
        primitive = builder.data["meshes"][0]["primitives"][0]
        count = len(sphere()["positions"])
        tangents = np.tile(np.float32([1, 0, 0, 1]), (count, 1))
        primitive["attributes"]["TANGENT"] = builder.accessor(tangents)
        _, data, _ = optimized_streams(builder, tmp_path)
        held.append("TANGENT" in data["meshes"][0]["primitives"][0]["attributes"])

    assert held == [True, False, True]


def test_a_file_that_cannot_get_smaller_is_given_out_as_it_came(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder)
    optimized_streams(builder, tmp_path)
    (tmp_path / "out.glb").rename(tmp_path / "in.glb")

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    assert (tmp_path / "out.glb").read_bytes() == (tmp_path / "in.glb").read_bytes()
    assert report["is_unchanged"]
    assert report["bytes_out"] == report["bytes_in"]
    assert "The original file was kept" in report["warnings"][-1]


@pytest.mark.parametrize("size", [1e-42, 1e35])
def test_a_shape_beyond_any_sense_stays_plain_and_draco_alive(size: float, tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=40)
    mesh["positions"] = (mesh["positions"].astype(float) * size).astype(np.float32)
    add_sphere(builder, mesh)
    builder.view(bytes(20_000))
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    assert any("has sizes beyond the range of numbers" in warning for warning in report["warnings"])


def transformed(scale: float, channel: int = 0) -> Builder:
    """A sphere whose map is repeated by its material, not by its UVs; channel 1 reads the second set."""
    builder = textured_sphere()
    mesh = sphere(rings=16)
    builder.data["meshes"][0]["primitives"] = []
    primitive = add_sphere(builder, mesh, material=0)
    primitive["attributes"]["TEXCOORD_1"] = builder.accessor(mesh["uv"])
    colour = builder.data["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]
    colour |= {"texCoord": channel, "extensions": {"KHR_texture_transform": {"scale": [1, scale]}}}
    builder.data["extensionsUsed"] = ["KHR_texture_transform"]
    return builder


def test_a_map_that_its_material_repeats_keeps_its_place(tmp_path: Path) -> None:
    _, _, (decoded,) = optimized_streams(transformed(50.0), tmp_path)
    assert distances(sphere(rings=16)["uv"], np.asarray(decoded.tex_coord)).max() < 1 / 4096 / 50

    _, data, (decoded,) = optimized_streams(transformed(50.0, channel=1), tmp_path)
    primitive = data["meshes"][0]["primitives"][0]
    accessor = data["accessors"][primitive["attributes"]["TEXCOORD_1"]]
    held = {attribute["unique_id"]: attribute["data"] for attribute in decoded.attributes}
    second = held[primitive["extensions"][DRACO]["attributes"]["TEXCOORD_1"]]
    assert accessor["componentType"] == 5126
    assert {tuple(uv) for uv in second.tolist()} == {tuple(uv) for uv in sphere(rings=16)["uv"].tolist()}


def test_a_map_repeated_beyond_dracos_grid_keeps_plain_uvs(tmp_path: Path) -> None:
    report, _, meshes = optimized_streams(transformed(5000.0), tmp_path)

    assert meshes == [None]
    assert "repeats a texture too often" in " ".join(report["warnings"])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16])
@pytest.mark.parametrize("normalized", [True, False])
def test_quantized_geometry_is_packed_as_the_floats_that_it_stands_for(
    dtype: type[np.integer], normalized: bool, tmp_path: Path
) -> None:
    builder, mesh = Builder(), sphere(rings=40, radius=1.0)
    limits = np.iinfo(dtype)
    positions = mesh["positions"] if limits.min < 0 else mesh["positions"] / 2 + 0.5
    stored = np.round(positions * limits.max).astype(dtype)
    primitive = add_sphere(builder, mesh)
    primitive["attributes"]["POSITION"] = quantized(builder, stored, normalized)
    primitive["attributes"]["NORMAL"] = quantized(
        builder, np.round(mesh["normals"] * 127).astype(np.int8), True
    )
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = ["KHR_mesh_quantization"]

    report, data, (decoded,) = optimized_streams(builder, tmp_path)

    truth = stored / limits.max if normalized else stored.astype(float)
    assert data["extensionsUsed"] == data["extensionsRequired"] == [DRACO]
    attributes = data["meshes"][0]["primitives"][0]["attributes"]
    assert {data["accessors"][at]["componentType"] for at in attributes.values()} == {5126}
    assert distances(truth, np.asarray(decoded.points)).max() < 1e-4 * np.ptp(truth)
    assert np.linalg.norm(np.asarray(decoded.normals), axis=1) == pytest.approx(1, abs=0.02)
    assert report["size_m"] == pytest.approx(np.ptp(truth, axis=0).tolist(), rel=1e-3)
    assert report["bytes_out"] < 0.5 * report["bytes_in"]


def quantized(builder: Builder, values: np.ndarray, normalized: bool) -> int:
    """An accessor of KHR_mesh_quantization, each value at a multiple of four bytes."""
    padded = np.pad(values, ((0, 0), (0, 1)))
    builder.data["accessors"].append(
        {
            "bufferView": builder.view(padded.tobytes(), byteStride=padded.dtype.itemsize * 4),
            "componentType": {"int8": 5120, "int16": 5122, "uint16": 5123}[values.dtype.name],
            "normalized": normalized,
            "type": "VEC3",
            "count": len(values),
            "min": values.min(0).tolist(),
            "max": values.max(0).tolist(),
        }
    )
    return len(builder.data["accessors"]) - 1


def test_quantization_is_required_while_a_plain_part_needs_it(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=40, radius=1.0)
    for _ in range(2):
        primitive = add_sphere(builder, mesh)
        whole = np.round(mesh["positions"] * 32767).astype(np.int16)
        primitive["attributes"]["POSITION"] = quantized(builder, whole, True)
    primitive["targets"] = [{"POSITION": builder.positions(mesh["positions"])}]
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = ["KHR_mesh_quantization"]

    _, data, (packed, plain) = optimized_streams(builder, tmp_path)

    assert packed is not None
    assert plain is None
    assert data["extensionsRequired"] == [DRACO, "KHR_mesh_quantization"]


def test_one_accessor_under_two_names_is_stored_once_and_read_as_both(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=16)
    primitive = add_sphere(builder, mesh)
    primitive["attributes"]["TEXCOORD_1"] = primitive["attributes"]["TEXCOORD_0"]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    _, data, (decoded,) = optimized_streams(builder, tmp_path)
    report = pipeline.optimize(tmp_path / "out.glb", tmp_path / "again.glb", ar=tmp_path / "ar.glb")

    packed = data["meshes"][0]["primitives"][0]
    ids = packed["extensions"][DRACO]["attributes"]
    assert len(decoded.attributes) == 3
    assert ids["TEXCOORD_0"] == ids["TEXCOORD_1"]
    for name in ("TEXCOORD_0", "TEXCOORD_1"):
        accessor = data["accessors"][packed["attributes"][name]]
        assert (accessor["componentType"], "normalized" in accessor) == (5126, False)
    assert "left_out" not in report["ar"]
    with Model(tmp_path / "ar.glb") as model:
        attributes = model.json["meshes"][0]["primitives"][0]["attributes"]
        for name in ("TEXCOORD_0", "TEXCOORD_1"):
            assert distances(mesh["uv"], read_accessor(model, attributes[name])).max() < 1 / 4096


def test_floats_of_a_stream_become_the_fractions_that_its_accessor_promises(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=16)
    add_sphere(builder, mesh)
    _, data, _ = optimized_streams(builder, tmp_path)
    _, binary = unpack(tmp_path / "out.glb")
    accessor = data["accessors"][data["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_0"]]
    accessor |= {"componentType": 5123, "normalized": True}
    (tmp_path / "in.glb").write_bytes(pack(data, binary))

    pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", ar=tmp_path / "ar.glb")

    with Model(tmp_path / "ar.glb") as model:
        at = model.json["meshes"][0]["primitives"][0]["attributes"]["TEXCOORD_0"]
        assert model.json["accessors"][at]["normalized"] is True
        assert distances(mesh["uv"], read_accessor(model, at) / 65535).max() < 1 / 4096


def test_a_mesh_of_hard_edges_takes_the_smaller_of_two_levels() -> None:
    mesh = sphere(rings=24)
    faces = np.arange(mesh["faces"].size, dtype=np.uint32).reshape(-1, 3)  # every triangle on its own
    positions = mesh["positions"][mesh["faces"].ravel()]
    normals = np.tile(mesh["normals"][:1], (len(positions), 1))  # not what the surface says
    grid = common_grid([positions], DracoOptions())

    def length(level: int, grid: QuantizationGrid = grid) -> int:
        attributes = {"POSITION": DracoAttribute(positions), "NORMAL": DracoAttribute(normals)}
        found = encode_stream(faces, attributes, grid, DracoOptions(compression_level=level))
        assert isinstance(found, EncodedStream)
        return len(found.stream)

    assert length(10) <= length(6)

"""Files that are valid or nearly so, but unlike what most exporters write: they are optimized like others."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from acr3d.gltf.model import Model
from acr3d.gltf.write import write_glb
from acr3d.optimize import pipeline
from acr3d.optimize.steps.real_size import RealSize
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    encoded,
    pack,
    picture,
    sphere,
    textured_sphere,
    unpack,
)


def optimized(content: bytes, folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "in.glb").write_bytes(content)
    return pipeline.optimize(folder / "in.glb", folder / "out.glb", ar=folder / "ar.glb", **more)


def test_morph_targets_may_move_tangents(tmp_path: Path) -> None:
    builder = Builder()
    primitive = add_sphere(builder)
    count = len(sphere()["positions"])
    primitive["attributes"]["TANGENT"] = builder.accessor(np.tile(np.float32([1, 0, 0, 1]), (count, 1)))
    offsets = np.zeros((count, 3), np.float32)
    primitive["targets"] = [{"POSITION": builder.positions(offsets), "TANGENT": builder.accessor(offsets)}]

    assert optimized(builder.glb(), tmp_path)["triangles"] == 2162


def test_a_vertex_that_no_triangle_uses_does_not_count_for_the_size(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere()
    for name in ("positions", "normals", "uv"):
        mesh[name] = np.concatenate([mesh[name], np.full((1, mesh[name].shape[1]), 9, np.float32)])
    add_sphere(builder, mesh)

    report = optimized(builder.glb(), tmp_path, size=RealSize(width=142.0))

    assert not report["is_unchanged"]
    assert report["placed"]["size_mm"][0] == pytest.approx(142, rel=1e-3)
    assert report["placed"]["scale"] == pytest.approx(1.42, rel=1e-2)
    assert "left_out" not in report["ar"]


def test_a_copy_of_small_details_beside_large_faces_measures_nothing(tmp_path: Path) -> None:
    builder, small = Builder(), sphere(rings=20, radius=0.001)
    floor = np.float32([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) + np.float32([0, -0.01, 0])
    start = len(small["positions"])
    whole = {
        "positions": np.concatenate([small["positions"], floor]),
        "normals": np.concatenate([small["normals"], np.tile(np.float32([0, 1, 0]), (4, 1))]),
        "uv": np.concatenate([small["uv"], np.zeros((4, 2), np.float32)]),
        "faces": np.concatenate([small["faces"], np.uint32([[0, 1, 2], [0, 2, 3]]) + np.uint32(start)]),
    }
    add_sphere(builder, whole)

    report = optimized(builder.glb(), tmp_path)

    assert report["truth"]["position_max_mm"] < 0.2  # half a step of the grid, and its diagonal


def test_a_deep_chain_of_nodes_is_shown(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder)
    builder.data["nodes"] = [{"children": [at + 1]} for at in range(400)] + [{"mesh": 0}]

    assert optimized(builder.glb(), tmp_path)["triangles"] == 2162


def test_bytes_after_the_end_and_a_byte_order_mark_are_no_damage(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder)
    glb = builder.glb()
    length = struct.unpack_from("<I", glb, 12)[0]
    text = b"\xef\xbb\xbf" + glb[20 : 20 + length].rstrip()
    text += b" " * (-len(text) % 4)
    with_bom = struct.pack("<4sIII4s", b"glTF", 2, len(glb) - length + len(text), len(text), b"JSON")

    assert not optimized(glb + b"\0", tmp_path)["is_unchanged"]
    report = optimized(with_bom + text + glb[20 + length :], tmp_path)

    assert any("byte order mark" in warning for warning in report["warnings"])
    assert (tmp_path / "out.glb").read_bytes()[20:21] == b"{"


def test_a_lying_jpeg_is_turned_as_browsers_turn_it(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, material=0)
    lying = Image.new("RGB", (128, 64), "black")
    lying.paste("white", (0, 0, 32, 64))  # its left end is the top of the upright picture
    lying.putpixel((100, 10), (90, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    map_ = builder.image(encoded(lying, "JPEG", exif=exif, quality=100), "image/jpeg")
    builder.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": map_}}}]

    [report] = optimized(builder.glb(), tmp_path)["maps"]

    assert (report["after"]["width"], report["after"]["height"]) == (64, 128)
    data, _ = unpack(tmp_path / "out.glb")
    with Model(tmp_path / "out.glb") as model:
        (tmp_path / "map").write_bytes(model.image_bytes(0))
    with Image.open(tmp_path / "map") as found:
        upper, lower = (
            np.asarray(found.convert("L"))[rows].mean() for rows in (slice(0, 28), slice(36, 128))
        )
    assert upper > 200 > 50 > lower
    assert data["images"][0]["mimeType"] == "image/webp"


def test_a_map_is_not_turned_by_xmp_which_browsers_do_not_read(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, material=0)
    lying = Image.new("RGB", (128, 64), "black")
    lying.paste("white", (0, 0, 32, 64))
    xmp = b'<x xmlns:tiff="x" tiff:Orientation="6"/>'
    map_ = builder.image(encoded(lying, "JPEG", xmp=xmp, quality=100), "image/jpeg")
    builder.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": map_}}}]

    optimized(builder.glb(), tmp_path)

    with Model(tmp_path / "out.glb") as model, Image.open(io.BytesIO(model.image_bytes(0))) as found:
        shades = np.asarray(found.convert("L"))
    assert shades.shape == (64, 128)
    assert shades[:, :28].mean() > 200 > 50 > shades[:, 36:].mean()


def test_a_part_beside_a_tiny_one_is_compressed_with_its_texture_coordinates(tmp_path: Path) -> None:
    builder = Builder()
    for radius in (1.0, 0.0005):
        add_sphere(builder, sphere(rings=30, radius=radius))

    report = optimized(builder.glb(), tmp_path)

    assert not [each for each in report["warnings"] if each.startswith("Not compressed")]


def test_unused_tangents_of_a_compressed_file_are_no_hindrance(tmp_path: Path) -> None:
    builder = textured_sphere()
    count = len(sphere()["positions"])
    tangents = builder.accessor(np.tile(np.float32([1, 0, 0, 1]), (count, 1)))
    builder.data["meshes"][0]["primitives"][0]["attributes"]["TANGENT"] = tangents
    optimized(builder.glb(), tmp_path)
    del builder.data["materials"][0]["normalTexture"]
    packed, _ = unpack(tmp_path / "out.glb")
    assert "TANGENT" in packed["meshes"][0]["primitives"][0]["attributes"]
    with Model(tmp_path / "out.glb") as model:
        del model.json["materials"][0]["normalTexture"]
        png = model.add_view(encoded(picture(512, 512), "PNG"))
        model.json["images"] = [{"bufferView": png, "mimeType": "image/png"}]
        model.json["textures"] = [{"source": 0}]
        model.json["materials"][0]["pbrMetallicRoughness"] = {"baseColorTexture": {"index": 0}}
        write_glb(model, tmp_path / "again.glb")

    report = optimized((tmp_path / "again.glb").read_bytes(), tmp_path)

    assert not report["is_unchanged"]
    assert report["bytes_out"] < 0.5 * report["bytes_in"]


def test_the_file_for_ar_of_loose_triangles_is_no_larger(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=10)
    corners = mesh["faces"].ravel()
    flat = np.repeat(np.random.default_rng(0).normal(size=(len(corners) // 3, 3)), 3, axis=0)
    attributes = {
        "POSITION": builder.positions(mesh["positions"][corners]),
        "NORMAL": builder.accessor(flat.astype(np.float32)),
    }
    builder.data["meshes"][0]["primitives"] = [{"attributes": attributes}]

    report = optimized(builder.glb(), tmp_path)

    assert report["ar"]["bytes"] <= report["bytes_in"]


@pytest.mark.parametrize("size", [RealSize(), RealSize(width=142.0)])
def test_a_plain_source_is_the_file_for_ar_where_none_can_be_made(size: RealSize, tmp_path: Path) -> None:
    builder = textured_sphere("JPEG")
    builder.data["extensionsUsed"] = ["EXT_unheard_of"]

    report = optimized(builder.glb(), tmp_path, size=size)

    assert report["ar"]["bytes"] == (tmp_path / "ar.glb").stat().st_size
    assert report["ar"]["bytes"] <= report["bytes_in"] + (300 if size.width else 0)
    assert report["ar"]["size_m"] == pytest.approx(report["size_m"], rel=1e-3)


def test_the_last_column_of_a_matrix_needs_no_padding(tmp_path: Path) -> None:
    builder = textured_sphere()
    count = builder.data["accessors"][0]["count"]
    matrix = {"componentType": 5121, "type": "MAT3", "count": count}
    builder.data["accessors"].append(matrix | {"bufferView": builder.view(bytes(12 * count - 1))})
    builder.data["meshes"][0]["primitives"][0]["attributes"]["_M"] = len(builder.data["accessors"]) - 1

    assert not optimized(builder.glb(), tmp_path)["is_unchanged"]


def test_the_placeholder_of_a_meshopt_stream_needs_no_flag(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder)
    glb = builder.glb()
    data, binary = unpack_bytes(glb, tmp_path)
    view = data["bufferViews"][0]
    count = view["byteLength"] // 12
    stream = {"buffer": 0, "byteOffset": 0, "byteLength": 64, "byteStride": 12, "count": count}
    data["bufferViews"][0] = {
        "buffer": 1,
        "byteLength": view["byteLength"],
        "extensions": {"EXT_meshopt_compression": stream | {"mode": "ATTRIBUTES"}},
    }
    data["buffers"].append({"byteLength": view["byteLength"]})
    data |= {
        "extensionsUsed": ["EXT_meshopt_compression"],
        "extensionsRequired": ["EXT_meshopt_compression"],
    }
    assert optimized(pack(data, binary), tmp_path)["triangles"] == 2162


def unpack_bytes(glb: bytes, folder: Path) -> tuple[dict[str, Any], bytes]:
    (folder / "plain.glb").write_bytes(glb)
    return unpack(folder / "plain.glb")

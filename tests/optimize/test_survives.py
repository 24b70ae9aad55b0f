"""Everything other than plain geometry and PNG or JPEG images comes out as it went in."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pygltflib
import pytest

from acr3d.optimize import pipeline
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    encoded,
    picture,
    rich_model,
    sphere,
    textured_sphere,
    unpack,
    validator_errors,
)
from tests.support.optimized import DRACO, at_every_level, optimized


def values(path: Path, accessor: int) -> np.ndarray:
    """A plain accessor's values, read by another library than ours."""
    gltf = pygltflib.GLTF2().load(str(path))
    entry = gltf.accessors[accessor]
    view = gltf.bufferViews[entry.bufferView]
    dtype = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}[entry.componentType]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}[entry.type]
    start = view.byteOffset + (entry.byteOffset or 0)
    content = gltf.binary_blob()[start : start + entry.count * width * np.dtype(dtype).itemsize]
    return np.frombuffer(content, dtype).reshape(-1, width)


@at_every_level
def test_names_extras_extensions_and_scenes_survive(level: str, tmp_path: Path) -> None:
    builder = rich_model()
    before = json.loads(json.dumps(builder.data))

    _, after = optimized(builder, tmp_path, level)

    for key in ("asset", "scene", "scenes", "nodes", "extras"):
        assert after[key] == before[key]
    material, was = after["materials"][0], before["materials"][0]
    assert {k: material[k] for k in ("name", "extras", "extensions")} == {
        k: was[k] for k in ("name", "extras", "extensions")
    }
    assert after["meshes"][0]["primitives"][0]["extras"] == {"batch": 7}
    assert [mesh.get("name") for mesh in after["meshes"]] == [None, "morphed", "skinned"]
    assert set(after["meshes"][0]["primitives"][0]["attributes"]) == {
        "POSITION",
        "NORMAL",
        "TEXCOORD_0",
        "TEXCOORD_1",
        "COLOR_0",
    }
    assert "KHR_materials_clearcoat" in after["extensionsUsed"]
    assert "KHR_materials_clearcoat" not in after["extensionsRequired"]


@at_every_level
def test_morphs_and_animations_keep_their_very_values(level: str, tmp_path: Path) -> None:
    builder = rich_model()

    report, data = optimized(builder, tmp_path, level)

    before, after = tmp_path / "in.glb", tmp_path / "out.glb"
    was = unpack(before)[0]
    pairs = [
        (was["skins"][0]["inverseBindMatrices"], data["skins"][0]["inverseBindMatrices"]),
        *(
            (was["animations"][0]["samplers"][0][k], data["animations"][0]["samplers"][0][k])
            for k in ("input", "output")
        ),
    ]
    old, new = (each["meshes"][1]["primitives"][0] for each in (was, data))
    assert "extensions" not in new
    pairs += [(old["attributes"][name], new["attributes"][name]) for name in old["attributes"]]
    pairs.append((old["indices"], new["indices"]))
    pairs.append(tuple(each["meshes"][1]["primitives"][0]["targets"][0]["POSITION"] for each in (was, data)))
    for old, new in pairs:
        np.testing.assert_array_equal(values(before, old), values(after, new))
    assert DRACO in data["meshes"][0]["primitives"][0]["extensions"]
    assert [w for w in report["warnings"] if "morph targets" in w]


def test_a_lossless_webp_stays_byte_for_byte(tmp_path: Path) -> None:
    builder = rich_model()
    was = builder.data["bufferViews"][builder.data["images"][-1]["bufferView"]]
    content = builder.binary[was["byteOffset"] : was["byteOffset"] + was["byteLength"]]

    _, data = optimized(builder, tmp_path)

    assert content in (tmp_path / "out.glb").read_bytes()
    assert data["images"][-1]["name"] == "lossless"


@at_every_level
@pytest.mark.parametrize("missing", ["NORMAL", "TEXCOORD_0", "both", "textures"])
def test_models_without_normals_uvs_or_textures_work(missing: str, level: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    attributes = builder.data["meshes"][0]["primitives"][0]["attributes"]
    if missing == "textures":
        for key in ("images", "textures", "materials"):
            del builder.data[key]
        del builder.data["meshes"][0]["primitives"][0]["material"]
    for name in {"both": ["NORMAL", "TEXCOORD_0"], "textures": []}.get(missing, [missing]):
        del attributes[name]

    report, data = optimized(builder, tmp_path, level)

    assert data["meshes"][0]["primitives"][0]["attributes"].keys() == attributes.keys()
    assert report["triangles"] == report["triangles_in"] == 2162


@at_every_level
def test_ktx2_textures_stay_as_they_are(level: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    ktx2 = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<8I", 0, 1, 64, 32, 0, 0, 1, 1) + bytes(64)
    builder.data["images"][0] = {"bufferView": builder.view(ktx2), "mimeType": "image/ktx2"}
    builder.data["textures"][0] = {"extensions": {"KHR_texture_basisu": {"source": 0}}}
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = ["KHR_texture_basisu"]

    report, data = optimized(builder, tmp_path, level)

    assert ktx2 in (tmp_path / "out.glb").read_bytes()
    assert data["textures"][0] == {"extensions": {"KHR_texture_basisu": {"source": 0}}}
    assert report["maps"][0]["after"] == {"format": "ktx2", "width": 64, "height": 32, "bytes": len(ktx2)}


@at_every_level
def test_an_unknown_extension_keeps_its_numbers(level: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    secret = builder.view(b"something of ACME's")
    builder.data["extensionsUsed"] = ["ACME_notes"]
    builder.data["extensions"] = {"ACME_notes": {"view": secret}}

    report, data = optimized(builder, tmp_path, level)

    _, binary = unpack(tmp_path / "out.glb")
    view = data["bufferViews"][data["extensions"]["ACME_notes"]["view"]]
    assert binary[view["byteOffset"] :][: view["byteLength"]] == b"something of ACME's"
    assert {m["after"]["format"] for m in report["maps"]} == {"webp"}
    assert "unknown extension" in " ".join(report["warnings"])


def test_what_nothing_refers_to_is_dropped(tmp_path: Path) -> None:
    builder = textured_sphere()
    builder.view(bytes(50_000))
    builder.accessor(np.zeros((900, 3), np.float32))

    report, data = optimized(builder, tmp_path)

    rest = next(step for step in report["steps"] if step["step"] == "rest")
    assert rest["saved"] > 60_000
    assert len(data["accessors"]) == 4
    assert len(data["bufferViews"]) == 4


@at_every_level
def test_maps_that_no_material_reads_are_dropped(level: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    unread = encoded(picture(64, 64, seed=9), "PNG")
    texture = builder.image(unread, "image/png", name="unread")
    textures, images = builder.data["textures"], builder.data["images"]
    textures.insert(0, textures.pop(texture))
    for material in builder.data["materials"]:
        for info in (*material["pbrMetallicRoughness"].values(), material["normalTexture"]):
            info["index"] += 1

    report, data = optimized(builder, tmp_path, level)

    assert [image["name"] for image in data["images"]] == ["base", "orm", "normal"]
    assert [each["kinds"] for each in report["maps"]] == [
        ["base colour"],
        ["metal and roughness"],
        ["normal"],
    ]
    assert len(data["textures"]) == len(textures) - 1 == len(images) - 1
    assert sum(step["saved"] for step in report["steps"]) == report["bytes_in"] - report["bytes_out"]


def test_interleaved_vertices_are_read_right(tmp_path: Path) -> None:
    mesh = sphere(rings=16)
    builder = Builder()
    add_sphere(builder, mesh)
    joined = np.hstack([mesh["positions"], mesh["normals"], mesh["uv"]]).astype(np.float32)
    view = builder.view(joined.tobytes(), byteStride=32)
    for at, offset in ((0, 0), (1, 12), (2, 24)):
        builder.data["accessors"][at] |= {"bufferView": view, "byteOffset": offset}

    report, _ = optimized(builder, tmp_path)

    assert report["size_m"] == pytest.approx(np.ptp(mesh["positions"], axis=0).tolist(), rel=1e-3)
    assert report["triangles"] == len(mesh["faces"])


@pytest.mark.needs("node")
def test_the_khronos_validator_finds_no_error(tmp_path: Path) -> None:
    paths = []
    for name, builder in (
        ("png", textured_sphere()),
        ("jpeg", textured_sphere("JPEG")),
        ("rich", rich_model()),
    ):
        (tmp_path / "in.glb").write_bytes(builder.glb())
        pipeline.optimize(tmp_path / "in.glb", tmp_path / f"{name}.glb")
        paths.append(tmp_path / f"{name}.glb")

    assert validator_errors(paths) == []


@at_every_level
@pytest.mark.parametrize("name", ["KHR_node_visibility", "EXT_lights_ies", "MSFT_lod", "KHR_xmp_json_ld"])
def test_what_browsers_pass_over_is_kept_and_told_of(name: str, level: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    said = {"visible": True, "ids": []}
    builder.data["nodes"][0]["extensions"] = {name: said}
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = [name]

    report, data = optimized(builder, tmp_path, level)

    assert data["nodes"][0]["extensions"] == {name: said}
    assert name in data["extensionsRequired"]
    assert (
        f"The file requires {name}. Browsers do not support that and show the model without it."
        in report["warnings"]
    )


def test_a_foreign_extension_may_call_anything_a_texture(tmp_path: Path) -> None:
    builder = textured_sphere()
    foreign = {"ACME_paint": {"coatTexture": {"texture": 0}, "dirtTexture": {"index": 1}}}
    builder.data["materials"][0]["extensions"] = foreign
    builder.data["extensionsUsed"] = ["ACME_paint"]

    report, data = optimized(builder, tmp_path)

    assert data["materials"][0]["extensions"] == foreign
    assert report["maps"][1]["kinds"] == ["dirt", "metal and roughness"]


@pytest.mark.parametrize("form", ["percent", "base64", "percent in base64"])
def test_images_and_buffers_inside_the_json_are_read(form: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    was = builder.data["bufferViews"][builder.data["images"][0]["bufferView"]]
    content = builder.binary[was["byteOffset"] :][: was["byteLength"]]
    uri = "data:image/png;base64," + base64.b64encode(content).decode()
    if form == "percent":
        uri = "data:image/png," + quote(content)
    elif form == "percent in base64":
        uri = uri.replace("+", "%2B").replace("/", "%2F").replace("image%2Fpng", "image/png")
    builder.data["images"][0] = {"uri": uri, "name": "inside"}

    report, data = optimized(builder, tmp_path)

    assert report["maps"][0]["before"]["bytes"] == len(content)
    assert report["maps"][0]["before"]["format"] == "png"
    assert data["images"][0]["mimeType"] == "image/webp"

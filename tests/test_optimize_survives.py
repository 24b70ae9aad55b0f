"""Everything that is neither plain geometry nor a PNG or JPEG comes out as it went in."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest

from acr3d.optimize import pipeline
from tests.optimize_glbs import (
    Builder,
    add_sphere,
    pack,
    rich_model,
    sphere,
    textured_sphere,
    unpack,
    validator_errors,
)

DRACO = "KHR_draco_mesh_compression"


def optimized(builder: Builder, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    (folder / "in.glb").write_bytes(builder.glb())
    report = pipeline.optimize(folder / "in.glb", folder / "out.glb")
    assert not report["is_unchanged"], report["warnings"]
    return report, unpack(folder / "out.glb")[0]


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


def test_names_extras_extensions_and_scenes_survive(tmp_path: Path) -> None:
    builder = rich_model()
    before = json.loads(json.dumps(builder.data))

    _, after = optimized(builder, tmp_path)

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


def test_skins_morphs_and_animations_keep_their_very_values(tmp_path: Path) -> None:
    builder = rich_model()

    report, data = optimized(builder, tmp_path)

    before, after = tmp_path / "in.glb", tmp_path / "out.glb"
    was = unpack(before)[0]
    pairs = [
        (was["skins"][0]["inverseBindMatrices"], data["skins"][0]["inverseBindMatrices"]),
        *(
            (was["animations"][0]["samplers"][0][k], data["animations"][0]["samplers"][0][k])
            for k in ("input", "output")
        ),
    ]
    for mesh in (1, 2):
        old, new = (each["meshes"][mesh]["primitives"][0] for each in (was, data))
        assert "extensions" not in new
        pairs += [(old["attributes"][name], new["attributes"][name]) for name in old["attributes"]]
        pairs.append((old["indices"], new["indices"]))
    pairs.append(tuple(each["meshes"][1]["primitives"][0]["targets"][0]["POSITION"] for each in (was, data)))
    for old, new in pairs:
        np.testing.assert_array_equal(values(before, old), values(after, new))
    assert DRACO in data["meshes"][0]["primitives"][0]["extensions"]
    assert [w for w in report["warnings"] if "morph targets" in w]
    assert [w for w in report["warnings"] if "is skinned" in w]


def test_a_lossless_webp_stays_byte_for_byte(tmp_path: Path) -> None:
    builder = rich_model()
    was = builder.data["bufferViews"][builder.data["images"][-1]["bufferView"]]
    content = builder.binary[was["byteOffset"] : was["byteOffset"] + was["byteLength"]]

    _, data = optimized(builder, tmp_path)

    assert content in (tmp_path / "out.glb").read_bytes()
    assert data["images"][-1]["name"] == "lossless"


@pytest.mark.parametrize("missing", ["NORMAL", "TEXCOORD_0", "both", "textures"])
def test_models_without_normals_uvs_or_textures_work(missing: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    attributes = builder.data["meshes"][0]["primitives"][0]["attributes"]
    if missing == "textures":
        for key in ("images", "textures", "materials"):
            del builder.data[key]
        del builder.data["meshes"][0]["primitives"][0]["material"]
    for name in {"both": ["NORMAL", "TEXCOORD_0"], "textures": []}.get(missing, [missing]):
        del attributes[name]

    report, data = optimized(builder, tmp_path)

    assert data["meshes"][0]["primitives"][0]["attributes"].keys() == attributes.keys()
    assert report["triangles"] == report["triangles_in"] == 2162


def test_geometry_already_in_draco_stays_as_it_is(tmp_path: Path) -> None:
    plain, bare = textured_sphere(), textured_sphere()
    (tmp_path / "plain.glb").write_bytes(plain.glb())
    pipeline.optimize(tmp_path / "plain.glb", tmp_path / "draco.glb")
    data, binary = unpack(tmp_path / "draco.glb")
    view = data["bufferViews"][data["meshes"][0]["primitives"][0]["extensions"][DRACO]["bufferView"]]
    stream = binary[view["byteOffset"] :][: view["byteLength"]]
    # The same stream beside PNG maps: there is work for the textures only.
    bare.data["meshes"] = data["meshes"]
    bare.data["accessors"] = data["accessors"]
    packed = bare.data["meshes"][0]["primitives"][0]["extensions"][DRACO]
    packed["bufferView"] = bare.view(stream)
    bare.data["extensionsUsed"] = bare.data["extensionsRequired"] = [DRACO]

    report, data = optimized(bare, tmp_path)

    assert stream in (tmp_path / "out.glb").read_bytes()
    assert report["triangles"] == 2162
    assert {m["after"]["format"] for m in report["maps"]} == {"webp"}


def test_meshopt_streams_stay_as_they_are(tmp_path: Path) -> None:
    builder = textured_sphere()
    packed_bytes = bytes(range(200))
    view = builder.data["bufferViews"][0]
    packed = builder.view(packed_bytes)
    place = builder.data["bufferViews"].pop(packed)
    view |= {
        "buffer": 1,
        "byteOffset": 0,
        "extensions": {
            "EXT_meshopt_compression": {
                **{key: place[key] for key in ("buffer", "byteOffset", "byteLength")},
                "byteStride": 12,
                "count": view["byteLength"] // 12,
                "mode": "ATTRIBUTES",
            }
        },
    }
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = ["EXT_meshopt_compression"]
    fallback = {
        "byteLength": view["byteLength"],
        "extensions": {"EXT_meshopt_compression": {"fallback": True}},
    }
    glb_without = builder.glb
    builder.glb = lambda: _with_buffer(glb_without(), fallback)  # type: ignore[method-assign]

    report, data = optimized(builder, tmp_path)

    after = next(v for v in data["bufferViews"] if "extensions" in v)
    moved = after["extensions"]["EXT_meshopt_compression"]
    _, binary = unpack(tmp_path / "out.glb")
    assert binary[moved["byteOffset"] :][: moved["byteLength"]] == packed_bytes
    assert data["buffers"][after["buffer"]] == fallback
    assert "compressed already" in " ".join(report["warnings"])


def _with_buffer(glb: bytes, buffer: dict[str, Any]) -> bytes:
    length = struct.unpack_from("<I", glb, 12)[0]
    data = json.loads(glb[20 : 20 + length])
    data["buffers"].append(buffer)
    return pack(data, glb[28 + length :])


def test_ktx2_textures_stay_as_they_are(tmp_path: Path) -> None:
    builder = textured_sphere()
    ktx2 = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<8I", 0, 1, 64, 32, 0, 0, 1, 1) + bytes(64)
    builder.data["images"][0] = {"bufferView": builder.view(ktx2), "mimeType": "image/ktx2"}
    builder.data["textures"][0] = {"extensions": {"KHR_texture_basisu": {"source": 0}}}
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = ["KHR_texture_basisu"]

    report, data = optimized(builder, tmp_path)

    assert ktx2 in (tmp_path / "out.glb").read_bytes()
    assert data["textures"][0] == {"extensions": {"KHR_texture_basisu": {"source": 0}}}
    assert report["maps"][0]["after"] == {"format": "ktx2", "width": 64, "height": 32, "bytes": len(ktx2)}


def test_an_unknown_extension_keeps_its_numbers(tmp_path: Path) -> None:
    builder = textured_sphere()
    secret = builder.view(b"something of ACME's")
    builder.data["extensionsUsed"] = ["ACME_notes"]
    builder.data["extensions"] = {"ACME_notes": {"view": secret}}

    report, data = optimized(builder, tmp_path)

    _, binary = unpack(tmp_path / "out.glb")
    view = data["bufferViews"][data["extensions"]["ACME_notes"]["view"]]
    assert binary[view["byteOffset"] :][: view["byteLength"]] == b"something of ACME's"
    assert {m["after"]["format"] for m in report["maps"]} == {"webp"}
    assert "extension that we do not know" in " ".join(report["warnings"])


def test_what_nothing_refers_to_is_dropped(tmp_path: Path) -> None:
    builder = textured_sphere()
    builder.view(bytes(50_000))
    builder.accessor(np.zeros((900, 3), np.float32))

    report, data = optimized(builder, tmp_path)

    rest = next(step for step in report["steps"] if step["step"] == "rest")
    assert rest["saved"] > 60_000
    assert len(data["accessors"]) == 4
    assert len(data["bufferViews"]) == 4


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

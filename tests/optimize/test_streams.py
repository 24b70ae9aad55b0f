"""Models that come with Draco or meshopt streams: kept, or decoded and encoded again."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest

from acr3d.gltf.model import Model
from acr3d.optimize import pipeline
from acr3d.optimize.draco.stream import DracoOptions
from acr3d.optimize.geometry_steps import run_geometry_steps
from acr3d.optimize.steps import simplify
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    encoded,
    pack,
    picture,
    rich_model,
    sphere,
    textured_sphere,
    unpack,
)
from tests.support.optimized import DRACO, at_every_level, optimized


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


def test_a_draco_model_with_too_many_triangles_for_a_phone_is_unpacked_and_packed_again(
    tmp_path: Path,
) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=130))
    (tmp_path / "plain.glb").write_bytes(builder.glb())
    pipeline.optimize(tmp_path / "plain.glb", tmp_path / "in.glb")

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", "light")

    assert (report["triangles_in"], report["triangles"] <= 30_000) == (66_822, True)
    assert unpack(tmp_path / "out.glb")[0]["extensionsRequired"] == [DRACO]
    assert report["bytes_out"] < report["bytes_in"]
    assert sum(step["saved"] for step in report["steps"]) == report["bytes_in"] - report["bytes_out"]
    assert report["truth"]["position_max_percent"] < 0.2


def test_draco_geometry_within_a_phones_share_stays_the_very_stream_at_light(tmp_path: Path) -> None:
    """Only streams that must be reduced are unpacked; here the maps alone get smaller."""
    builder = rich_model(rings=20)
    (tmp_path / "plain.glb").write_bytes(builder.glb())
    pipeline.optimize(tmp_path / "plain.glb", tmp_path / "in.glb")

    web = pipeline.optimize(tmp_path / "in.glb", tmp_path / "web.glb")
    light = pipeline.optimize(tmp_path / "in.glb", tmp_path / "light.glb", "light")

    assert light["bytes_out"] <= web["bytes_out"] <= web["bytes_in"]
    source, binary = unpack(tmp_path / "in.glb")
    result = (tmp_path / "light.glb").read_bytes()
    for mesh in (0, 2):
        view = source["bufferViews"][
            source["meshes"][mesh]["primitives"][0]["extensions"][DRACO]["bufferView"]
        ]
        assert binary[view["byteOffset"] :][: view["byteLength"]] in result


def morphed_stream(rings: int) -> Builder:
    """A sphere in a stream, with a morph target that moves one of the vertices in the stream's order."""
    builder, mesh = Builder(), sphere(rings)
    primitive = add_sphere(builder, mesh, material=0)
    builder.binary, builder.data["bufferViews"] = b"", []
    maps = [builder.image(encoded(picture(64, 64, seed=seed), "PNG"), "image/png") for seed in range(3)]
    builder.data["materials"] = [
        {"normalTexture": {"index": maps[0]}, "occlusionTexture": {"index": maps[1]}},
        {"emissiveTexture": {"index": maps[2]}},
    ]
    stream = DracoPy.encode(
        mesh["positions"],
        mesh["faces"],
        quantization_bits=11,
        tex_coord=mesh["uv"].astype(float),
        normals=mesh["normals"].astype(float),
        tex_coord_quantization_bits=10,
        normal_quantization_bits=8,
    )
    decoded = DracoPy.decode(stream)
    ids = {a["attribute_type"]: a["unique_id"] for a in decoded.attributes}
    for at in (*primitive["attributes"].values(), primitive["indices"]):
        del builder.data["accessors"][at]["bufferView"]
        count = 3 * len(decoded.faces) if at == primitive["indices"] else len(decoded.points)
        builder.data["accessors"][at]["count"] = count
    position = builder.data["accessors"][primitive["attributes"]["POSITION"]]
    position |= {"min": decoded.points.min(0).tolist(), "max": decoded.points.max(0).tolist()}
    packed = {"POSITION": ids[0], "NORMAL": ids[1], "TEXCOORD_0": ids[3]}
    primitive["extensions"] = {DRACO: {"bufferView": builder.view(stream), "attributes": packed}}
    where, offset = builder.view(np.uint16([5]).tobytes()), builder.view(np.float32([0, 1, 0]).tobytes())
    builder.data["accessors"].append(
        {
            "componentType": 5126,
            "type": "VEC3",
            "count": len(decoded.points),
            "min": [0, 0, 0],
            "max": [0, 1, 0],
            "sparse": {
                "count": 1,
                "indices": {"bufferView": where, "componentType": 5123},
                "values": {"bufferView": offset},
            },
        }
    )
    primitive["targets"] = [{"POSITION": len(builder.data["accessors"]) - 1}]
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = [DRACO]
    return builder


def test_a_stream_that_nothing_was_taken_from_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simplify, "default_simplifier", lambda: lambda faces, *_: faces)
    builder = morphed_stream(rings=20)
    (tmp_path / "in.glb").write_bytes(builder.glb())

    with Model(tmp_path / "in.glb") as model:
        result = run_geometry_steps(model, 100, DracoOptions())

        assert model.json["meshes"] == builder.data["meshes"]
        assert model.json["accessors"][: len(builder.data["accessors"])] == builder.data["accessors"]
        assert model.json["extensionsRequired"] == [DRACO]
    assert result.draco.left_alone == []
    assert result.removed == 0


def test_light_keeps_all_triangles_where_fewer_would_take_more_bytes(tmp_path: Path) -> None:
    """What morphs cannot be packed again, so fewer triangles of it can be larger than all in a stream."""
    builder = morphed_stream(rings=130)

    report, data = optimized(builder, tmp_path, "light")

    packed = builder.data["meshes"][0]["primitives"][0]["extensions"][DRACO]["bufferView"]
    view = builder.data["bufferViews"][packed]
    stream = builder.binary[view["byteOffset"] :][: view["byteLength"]]
    assert stream in (tmp_path / "out.glb").read_bytes()
    assert report["triangles"] == report["triangles_in"] == 66_822
    assert report["bytes_out"] < report["bytes_in"]
    assert "Not simplified: the triangles, because the file would not get smaller." in report["warnings"]
    assert {image["mimeType"] for image in data["images"]} == {"image/webp"}


@at_every_level
def test_meshopt_streams_stay_as_they_are(level: str, tmp_path: Path) -> None:
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

    report, data = optimized(builder, tmp_path, level)

    after = next(v for v in data["bufferViews"] if "extensions" in v)
    moved = after["extensions"]["EXT_meshopt_compression"]
    _, binary = unpack(tmp_path / "out.glb")
    assert binary[moved["byteOffset"] :][: moved["byteLength"]] == packed_bytes
    assert data["buffers"][after["buffer"]] == fallback
    assert "already compressed" in " ".join(report["warnings"])


def _with_buffer(glb: bytes, buffer: dict[str, Any]) -> bytes:
    length = struct.unpack_from("<I", glb, 12)[0]
    data = json.loads(glb[20 : 20 + length])
    data["buffers"].append(buffer)
    return pack(data, glb[28 + length :])

"""Everything that is neither plain geometry nor a PNG or JPEG comes out as it went in."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any
from urllib.parse import quote

import DracoPy
import numpy as np
import pygltflib
import pytest

from acr3d.gltf import draco
from acr3d.gltf.model import Model
from acr3d.optimize import pipeline
from acr3d.optimize.draco.stream import DracoOptions
from acr3d.optimize.geometry_steps import run_geometry_steps
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
    validator_errors,
)

DRACO = "KHR_draco_mesh_compression"


at_every_level = pytest.mark.parametrize("level", ["web", "light", "full"])


def optimized(builder: Builder, folder: Path, level: str = "web") -> tuple[dict[str, Any], dict[str, Any]]:
    (folder / "in.glb").write_bytes(builder.glb())
    report = pipeline.optimize(folder / "in.glb", folder / "out.glb", level)
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


def bent_tube(weights: str = "float32", joints: str = "uint8") -> tuple[Builder, np.ndarray]:
    """A sphere whose vertices hang on four of six bones; every vertex's bones and shares (vertices, 6)."""
    builder, mesh = Builder(), sphere(rings=40)
    rng = np.random.default_rng(7)
    count = len(mesh["positions"])
    numbers = np.argsort(rng.random((count, 6)), axis=1)[:, :4].astype(joints)
    shares = rng.dirichlet([1, 1, 1, 0.2], count)
    if weights != "float32":
        one = np.iinfo(weights).max
        whole = np.floor(shares * one)
        whole[:, 0] += one - whole.sum(axis=1)
        shares = whole / one
    stored = shares.astype(np.float32) if weights == "float32" else whole.astype(weights)
    primitive = add_sphere(builder, mesh)
    primitive["attributes"] |= {
        "JOINTS_0": builder.accessor(numbers),
        "WEIGHTS_0": builder.accessor(stored, **({} if weights == "float32" else {"normalized": True})),
    }
    bones = list(range(2, 8))
    builder.data["nodes"] = [{"mesh": 0, "skin": 0}, {"children": bones}, *({} for _ in bones)]
    builder.data["scenes"][0]["nodes"] = [0, 1]
    builder.data["skins"] = [{"joints": bones}]
    full = np.zeros((count, 6))
    np.put_along_axis(full, numbers.astype(int), shares, axis=1)
    return builder, np.hstack([mesh["positions"], full])


@at_every_level
@pytest.mark.parametrize("weights", ["float32", "uint16", "uint8"])
@pytest.mark.parametrize("joints", ["uint8", "uint16"])
def test_bones_hold_every_vertex_of_a_stream_as_before(
    joints: str, weights: str, level: str, tmp_path: Path
) -> None:
    builder, before = bent_tube(weights, joints)

    report, data = optimized(builder, tmp_path, level)

    with Model(tmp_path / "out.glb") as model:
        [primitive] = data["meshes"][0]["primitives"]
        packed = primitive["extensions"][DRACO]
        mesh = draco.decode(model.view_bytes(packed["bufferView"]), "the stream")
    held = {name: mesh.attributes[at] for name, at in packed["attributes"].items()}
    told = data["accessors"][primitive["attributes"]["WEIGHTS_0"]]
    one = {"float32": 65535, "uint16": 65535, "uint8": 255}[weights]
    assert (told["componentType"], told["normalized"]) == ({65535: 5123, 255: 5121}[one], True)
    assert data["accessors"][primitive["attributes"]["JOINTS_0"]]["componentType"] == (
        5121 if joints == "uint8" else 5123
    )
    assert set(held["WEIGHTS_0"].sum(axis=1, dtype=int).tolist()) == {one}
    full = np.zeros((mesh.count, 6))
    for bone, share in zip(held["JOINTS_0"].T.astype(int), held["WEIGHTS_0"].T / one, strict=True):
        full[np.arange(mesh.count), bone] += share
    after = np.hstack([held["POSITION"], full])
    # Positions are in a grid of 6 µm; no weight is off by more than rounding and one sum's remainder.
    for some, others in ((before, after), (after, before)):
        away = np.abs(some[::17, None] - others[None]).max(axis=2).min(axis=1)
        assert away.max() < 3.1 / 65535
    assert report["triangles"] == report["triangles_in"]
    assert data["skins"] == builder.data["skins"]
    assert report["warnings"] == []


def test_weights_of_several_sets_make_one_together(tmp_path: Path) -> None:
    builder, _ = bent_tube()
    attributes = builder.data["meshes"][0]["primitives"][0]["attributes"]
    count = len(sphere(40)["positions"])
    eight = np.random.default_rng(8).dirichlet([1] * 8, count).astype(np.float32)
    for at in range(2):
        attributes[f"JOINTS_{at}"] = builder.accessor(np.tile(np.arange(4, dtype=np.uint8), (count, 1)))
        attributes[f"WEIGHTS_{at}"] = builder.accessor(eight[:, 4 * at : 4 * at + 4])

    _, data = optimized(builder, tmp_path)

    with Model(tmp_path / "out.glb") as model:
        packed = data["meshes"][0]["primitives"][0]["extensions"][DRACO]
        mesh = draco.decode(model.view_bytes(packed["bufferView"]), "the stream")
    sums = sum(
        mesh.attributes[packed["attributes"][f"WEIGHTS_{at}"]].sum(axis=1, dtype=int) for at in range(2)
    )
    assert set(sums.tolist()) == {65535}


def test_weights_that_do_not_sum_to_one_stay_the_floats_that_they_are(tmp_path: Path) -> None:
    builder, _ = bent_tube()
    attributes = builder.data["meshes"][0]["primitives"][0]["attributes"]
    odd = np.random.default_rng(9).random((len(sphere(40)["positions"]), 4)).astype(np.float32)
    attributes["WEIGHTS_0"] = builder.accessor(odd)

    _, data = optimized(builder, tmp_path)

    with Model(tmp_path / "out.glb") as model:
        packed = data["meshes"][0]["primitives"][0]["extensions"][DRACO]
        mesh = draco.decode(model.view_bytes(packed["bufferView"]), "the stream")
    held = mesh.attributes[packed["attributes"]["WEIGHTS_0"]]
    assert held.dtype == np.float32
    assert set(map(tuple, held.tolist())) == set(map(tuple, odd.tolist()))


def test_triangles_that_only_bones_open_are_not_given_to_draco(tmp_path: Path) -> None:
    """Two vertices at one place that different bones hold: Draco would take out the triangle between them."""
    builder, _ = bent_tube()
    mesh = sphere(rings=40)
    mesh["positions"][1] = mesh["positions"][0]
    primitive = builder.data["meshes"][0]["primitives"][0]
    primitive["attributes"]["POSITION"] = builder.positions(mesh["positions"])

    report, data = optimized(builder, tmp_path)

    assert report["triangles"] == report["triangles_in"]
    assert "extensions" not in data["meshes"][0]["primitives"][0]
    assert "has triangles that only its bones pull open" in " ".join(report["warnings"])


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


def test_a_stream_that_nothing_was_taken_from_is_put_back(tmp_path: Path) -> None:
    builder = morphed_stream(rings=20)
    (tmp_path / "in.glb").write_bytes(builder.glb())

    with Model(tmp_path / "in.glb") as model:
        result = run_geometry_steps(model, 100, DracoOptions(), lambda faces, attributes, wanted: faces)

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


@pytest.mark.needs("node")
@pytest.mark.parametrize("weights", ["float32", "uint8"])
def test_the_khronos_validator_finds_no_error_in_what_bones_move(weights: str, tmp_path: Path) -> None:
    """The file for AR is made of the packed one, so that its weights are those of the stream, plain."""
    (tmp_path / "in.glb").write_bytes(bent_tube(weights)[0].glb())
    pipeline.optimize(tmp_path / "in.glb", tmp_path / "packed.glb")

    report = pipeline.optimize(tmp_path / "packed.glb", tmp_path / "again.glb", ar=tmp_path / "ar.glb")

    assert "left_out" not in report["ar"]
    assert validator_errors([tmp_path / "packed.glb", tmp_path / "ar.glb"]) == []

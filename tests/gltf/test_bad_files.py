"""Files that nobody should believe: refused with a sentence that names the place, before memory is spent."""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acr3d.gltf.errors import BadModel
from acr3d.optimize import pipeline
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    encoded,
    mutated,
    pack,
    picture,
    sphere,
    textured_sphere,
    unpack,
)
from tests.support.proof import dose

MUTATIONS = dose(400, small=100)


def refusal(content: bytes, folder: Path) -> BadModel:
    """What the optimizer says to a file; nothing must be left of it afterwards."""
    source = folder / "in.glb"
    source.write_bytes(content)
    with pytest.raises(BadModel) as refused:
        pipeline.optimize(source, folder / "out.glb")
    assert sorted(path.name for path in folder.iterdir()) == ["in.glb"]
    return refused.value


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    builder = textured_sphere()
    change(builder.data)
    return builder.glb()


def at_once(*changes: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for each in changes:
            each(data)

    return change


def set_at(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        holder: Any = data
        for step in path[:-1]:
            holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
        holder[path[-1]] = value

    return change


STRUCTURE = {
    "count-past-end": (set_at("accessors", 0, "count", value=1200), "accessors[0].count is 1200", "damaged"),
    "huge-count": (set_at("accessors", 0, "count", value=2**32 - 1), "accessors[0].count", "too_large"),
    "huge-zeros": (
        set_at("accessors", 0, value={"count": 2**31, "componentType": 5126, "type": "VEC3"}),
        "accessors[0].count",
        "too_large",
    ),
    "negative-count": (set_at("accessors", 1, "count", value=-1), "accessors[1].count is -1", "damaged"),
    "unknown-type": (set_at("accessors", 1, "type", value=["VEC3"]), "accessors[1].type", "damaged"),
    "unknown-number": (set_at("accessors", 1, "componentType", value=5130), "accessors[1]", "damaged"),
    "uneven": (set_at("accessors", 1, "count", value=900), "attributes are not all", "damaged"),
    "misaligned": (set_at("accessors", 1, "byteOffset", value=2), "accessors[1]", "damaged"),
    "view-past-end": (set_at("bufferViews", 2, "byteLength", value=10**9), "bufferViews[2]", "damaged"),
    "no-such-view": (set_at("accessors", 0, "bufferView", value=77), "accessors[0].bufferView", "damaged"),
    "view-is-text": (set_at("accessors", 0, "bufferView", value="0"), "accessors[0].bufferView", "damaged"),
    "no-such-texture": (
        set_at("materials", 0, "normalTexture", value={"index": 9}),
        "materials[0].normalTexture.index is 9",
        "damaged",
    ),
    "no-such-material": (
        set_at("meshes", 0, "primitives", 0, "material", value=3),
        "meshes[0].primitives[0].material is 3",
        "damaged",
    ),
    "no-such-scene": (set_at("scene", value=4), "scene is 4", "damaged"),
    "cycle": (
        set_at("nodes", value=[{"children": [1]}, {"children": [0], "mesh": 0}]),
        "nodes[0]",
        "damaged",
    ),
    "two-parents": (
        set_at("nodes", value=[{"children": [2]}, {"children": [2]}, {"mesh": 0}]),
        "nodes[1].children",
        "damaged",
    ),
    "too-deep": (
        set_at("nodes", value=[{"children": [n + 1]} for n in range(5000)] + [{"mesh": 0}]),
        "nodes[4096]",
        "too_large",
    ),
    "odd-scale": (set_at("nodes", 0, "scale", value=[1, 10**400, 1]), "nodes[0].scale", "damaged"),
    "lists-as-objects": (set_at("meshes", value={"0": {}}), "meshes is not a list", "damaged"),
    "no-shape": (set_at("meshes", 0, "primitives", value=[]), "no shape", "empty"),
    "external-image": (
        set_at("images", 0, value={"uri": "https://example.invalid/steel.png"}),
        "images[0].uri",
        "external",
    ),
    "local-file": (set_at("images", 0, value={"uri": "../../secret.txt"}), "images[0].uri", "external"),
    **{
        f"unknown-storage-of-{where[0]}": (
            at_once(
                set_at("extensionsRequired", value=["ACME_secret_sauce"]),
                set_at(*where, "extensions", value={"ACME_secret_sauce": {}}),
            ),
            "'ACME_secret_sauce', which may store",
            "unsupported",
        )
        for where in (
            ("bufferViews", 0),
            ("accessors", 0),
            ("images", 0),
            ("textures", 0),
            ("meshes", 0, "primitives", 0),
        )
    },
    "odd-texture-scale": (
        set_at(
            *("materials", 0, "normalTexture", "extensions"),
            value={"KHR_texture_transform": {"scale": [1, "wide"]}},
        ),
        "KHR_texture_transform.scale",
        "damaged",
    ),
    "a-texture-without-a-number": (
        set_at(
            *("materials", 0, "extensions"),
            value={"KHR_materials_clearcoat": {"clearcoatTexture": {"texture": 0}}},
        ),
        "clearcoatTexture.index",
        "damaged",
    ),
    "a-variant-of-no-material": (
        set_at(
            *("meshes", 0, "primitives", 0, "extensions"),
            value={"KHR_materials_variants": {"mappings": [{"material": 7, "variants": [0]}]}},
        ),
        "KHR_materials_variants.material",
        "damaged",
    ),
    "meshopt-bomb": (
        set_at(
            "bufferViews",
            0,
            "extensions",
            value={
                "EXT_meshopt_compression": {
                    "buffer": 0,
                    "byteLength": 8,
                    "byteStride": 16,
                    "count": 2**30,
                    "mode": "ATTRIBUTES",
                }
            },
        ),
        "EXT_meshopt_compression.count",
        "damaged",
    ),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_a_broken_structure_is_refused_by_its_place(name: str, tmp_path: Path) -> None:
    change, place, code = STRUCTURE[name]

    error = refusal(changed(change), tmp_path)

    assert place in str(error)
    assert error.code == code


def test_an_external_buffer_is_refused_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(
        pack(
            {
                "asset": {"version": "2.0"},
                "buffers": [{"byteLength": 64, "uri": f"file://{tmp_path}/in.glb"}],
                "meshes": [],
            }
        )
    )

    error = refusal((tmp_path / "in.glb").read_bytes(), tmp_path)

    assert error.code == "external"
    assert "buffers[0].uri" in str(error)


@pytest.mark.parametrize(
    ("cut", "word"),
    [
        (lambda glb: glb[: len(glb) // 2], "the header's length"),
        (lambda glb: glb[:8] + struct.pack("<I", len(glb) * 7) + glb[12:], "the header's length"),
        (lambda glb: b"PK\3\4" + glb[4:], "not a GLB"),
        (lambda glb: b"", "not a GLB"),
        (lambda glb: glb[:4] + struct.pack("<I", 1) + glb[8:], "version 1"),
        (lambda glb: glb[:12] + struct.pack("<I", 2**31) + glb[16:], "the JSON chunk"),
        (lambda glb: glb[:20] + b"[" * 400 + glb[420:], "the JSON chunk"),
    ],
)
def test_a_broken_container_is_refused(cut: Callable[[bytes], bytes], word: str, tmp_path: Path) -> None:
    assert word in str(refusal(cut(textured_sphere().glb()), tmp_path))


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"asset":' * 100_000, "NaN", '{"asset": {"version": "2.0"}']
)
def test_json_made_to_exhaust_a_parser_is_refused(text: str, tmp_path: Path) -> None:
    body = text.encode() + b" " * (-len(text) % 4)
    header = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(body), len(body), b"JSON")

    assert "the JSON chunk" in str(refusal(header + body, tmp_path))


@pytest.mark.parametrize("key", ["positions", "normals", "uv"])
def test_a_value_that_is_no_number_is_refused(key: str, tmp_path: Path) -> None:
    mesh = sphere()
    mesh[key][7, 0] = np.nan
    builder = Builder()
    add_sphere(builder, mesh)
    # NaN is not allowed in JSON, and a generator that writes it would not state bounds.
    for accessor in builder.data["accessors"]:
        accessor.pop("min", None)
        accessor.pop("max", None)

    assert "not a number" in str(refusal(builder.glb(), tmp_path))


def test_an_index_past_the_last_vertex_is_refused(tmp_path: Path) -> None:
    mesh = sphere()
    mesh["faces"][5, 1] = 60_000
    builder = Builder()
    add_sphere(builder, mesh)

    assert "points at vertex 60000" in str(refusal(builder.glb(), tmp_path))


def test_a_part_of_a_million_shared_triangles_is_refused(tmp_path: Path) -> None:
    builder = Builder()
    primitive = add_sphere(builder)
    builder.data["meshes"][0]["primitives"] = [primitive] * 500

    error = refusal(builder.glb(), tmp_path)

    assert error.code == "too_large"
    assert "1081000 triangles" in str(error)


def bomb_png(side: int) -> bytes:
    """A PNG of side × side pixels in a few kilobytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + side * 3)) for _ in range(min(side, 64)))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = rows + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [60_000, 12_000])
def test_a_texture_bomb_is_refused_before_it_is_decoded(side: int, tmp_path: Path) -> None:
    builder = textured_sphere()
    builder.data["images"][0]["bufferView"] = builder.view(bomb_png(side))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    error = refusal(builder.glb(), tmp_path)

    assert error.code == "too_large"
    assert f"images[0] ('base') is {side} × {side} pixels" in str(error)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def draco_sphere(tmp_path: Path) -> tuple[dict[str, Any], bytes]:
    """The JSON and the stream of a small model that was compressed before."""
    builder = Builder()
    add_sphere(builder)
    (tmp_path / "plain.glb").write_bytes(builder.glb())
    pipeline.optimize(tmp_path / "plain.glb", tmp_path / "draco.glb")
    data, binary = unpack(tmp_path / "draco.glb")
    for name in ("plain.glb", "draco.glb"):
        (tmp_path / name).unlink()
    return data, binary[: data["buffers"][0]["byteLength"]]


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


@pytest.mark.parametrize("claims", [(2**31, 2**31), (2162, 2**30), (999, 1152)])
def test_a_draco_stream_that_claims_too_much_is_refused_undecoded(
    claims: tuple[int, int], tmp_path: Path
) -> None:
    data, stream = draco_sphere(tmp_path)
    faces, vertices = claims
    forged = stream[:12] + varint(vertices) + varint(faces) + stream[16:]
    data["bufferViews"][0]["byteLength"] = data["buffers"][0]["byteLength"] = len(forged)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    error = refusal(pack(data, forged), tmp_path)

    assert f"claims {faces} triangles and {vertices} points" in str(error)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_draco_stream_that_breaks_off_is_refused(tmp_path: Path) -> None:
    data, stream = draco_sphere(tmp_path)
    cut = stream[: len(stream) // 2]
    data["bufferViews"][0]["byteLength"] = data["buffers"][0]["byteLength"] = len(cut)

    assert "cannot be decoded" in str(refusal(pack(data, cut), tmp_path))


def test_a_draco_stream_must_hold_what_the_accessors_promise(tmp_path: Path) -> None:
    data, stream = draco_sphere(tmp_path)
    data["accessors"][0]["count"] += 1
    for accessor in data["accessors"][:3]:
        accessor["count"] = data["accessors"][0]["count"]

    assert "does not hold the triangles" in str(refusal(pack(data, stream), tmp_path))


def test_memory_runs_out_with_a_sentence(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=700))
    (tmp_path / "in.glb").write_bytes(builder.glb())

    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (120 << 20, 120 << 20));"
        "from acr3d.optimize.__main__ import main;"
        f"sys.exit(main([{str(tmp_path / 'in.glb')!r}, {str(tmp_path / 'out.glb')!r}, '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)

    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["code"] == "too_large"


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["plain", "draco"])
def test_seeded_mutations_are_refused_or_optimized_but_never_crash(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(20)
    builder = Builder()
    add_sphere(builder, sphere(rings=6), material=0)
    map_ = builder.image(encoded(picture(16, 16), "PNG"), "image/png")
    builder.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": map_}}}]
    good = builder.glb() if kind == "plain" else pack(*draco_sphere(tmp_path))
    source, target = tmp_path / "in.glb", tmp_path / "out.glb"
    outcomes = {"refused": 0, "optimized": 0}

    for _ in range(MUTATIONS):
        source.write_bytes(mutated(good, rng))
        try:
            report = pipeline.optimize(source, target)
        except BadModel:
            outcomes["refused"] += 1
            continue
        outcomes["optimized"] += 1
        assert report["bytes_out"] <= report["bytes_in"]
        pipeline.check(target)

    assert min(outcomes.values()) > MUTATIONS // 50

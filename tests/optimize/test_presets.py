"""What the levels promise: `web` all triangles, `light` a phone's share, `full` every pixel, `ar` beside."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from acr3d.optimize import pipeline
from acr3d.optimize.presets import LEVELS
from acr3d.optimize.steps.real_size import RealSize
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    command,
    encoded,
    picture,
    rich_model,
    sphere,
    textured_sphere,
    unpack,
    validator_errors,
)

TRIANGLES = 66_822


def detailed(format: str = "PNG", side: int = 256, mode: str = "RGB") -> Builder:
    """A sphere of more triangles than a phone's share, with three maps."""
    builder = textured_sphere()
    builder.data["meshes"][0]["primitives"] = []
    add_sphere(builder, sphere(rings=130), material=0)
    for number, image in enumerate(builder.data["images"]):
        content = encoded(picture(side, side, mode, seed=number), format)
        image["bufferView"], image["mimeType"] = builder.view(content), f"image/{format.lower()}"
    return builder


def run(builder: Builder, folder: Path, level: str, **more: Any) -> dict[str, Any]:
    (folder / "in.glb").write_bytes(builder.glb())
    return pipeline.optimize(folder / "in.glb", folder / "out.glb", level, ar=folder / "ar.glb", **more)


def pictures(path: Path) -> list[Image.Image]:
    data, binary = unpack(path)
    views = [data["bufferViews"][image["bufferView"]] for image in data["images"]]
    return [Image.open(io.BytesIO(binary[view["byteOffset"] :][: view["byteLength"]])) for view in views]


@pytest.mark.parametrize("level", ["web", "full"])
def test_web_and_full_keep_every_triangle(level: str, tmp_path: Path) -> None:
    report = run(detailed(), tmp_path, level)

    assert report["triangles"] == report["triangles_in"] == TRIANGLES
    assert report["level"] == level


def test_light_has_a_phones_share_and_the_same_size(tmp_path: Path) -> None:
    report = run(detailed(), tmp_path, "light")

    assert 29_000 < report["triangles"] <= 30_000
    assert report["triangles_in"] == TRIANGLES
    before = pipeline.check(tmp_path / "in.glb")["size_m"]
    assert report["size_m"] == pytest.approx(before, rel=1e-3)
    assert not report["is_unchanged"]
    saved = {step["step"]: step["saved"] for step in report["steps"]}
    assert saved["simplify"] > 0
    assert sum(saved.values()) == report["bytes_in"] - report["bytes_out"]
    assert report["warnings"] == []


def test_lights_maps_stay_within_a_phones_memory(tmp_path: Path) -> None:
    builder = textured_sphere()
    big = [encoded(Image.new("RGB", (2048, 2048), (90, 120, at)), "PNG") for at in range(5)]
    for image, content in zip(builder.data["images"], big, strict=False):
        image["bufferView"] = builder.view(content)
    for number in range(2):
        texture = builder.image(big[3 + number], "image/png")
        builder.data["materials"].append({"emissiveTexture": {"index": texture}, "name": f"{number}"})

    web, light = (run(builder, tmp_path, level) for level in ("web", "light"))

    assert {each["after"]["width"] for each in web["maps"]} == {2048}
    assert {each["after"]["width"] for each in light["maps"]} == {1024}


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_full_keeps_every_pixel_of_a_png(mode: str, tmp_path: Path) -> None:
    report = run(detailed(mode=mode), tmp_path, "full")

    for before, after in zip(pictures(tmp_path / "in.glb"), pictures(tmp_path / "out.glb"), strict=True):
        assert after.format == "WEBP"
        difference = ImageChops.difference(before.convert("RGBA"), after.convert("RGBA"))
        assert difference.getextrema() == ((0, 0),) * 4
    assert {each["psnr_db"] for each in report["maps"]} == {None}


def test_full_keeps_the_very_bytes_of_jpegs_and_of_sixteen_bits(tmp_path: Path) -> None:
    builder = detailed("JPEG")
    deep = Image.fromarray((np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64))
    builder.data["images"][1] |= {"bufferView": builder.view(encoded(deep, "PNG")), "mimeType": "image/png"}

    run(builder, tmp_path, "full")

    content = (tmp_path / "out.glb").read_bytes()
    assert encoded(deep, "PNG") in content
    assert encoded(picture(256, 256, seed=0), "JPEG") in content
    assert unpack(tmp_path / "out.glb")[0]["images"][1]["mimeType"] == "image/png"


def test_the_report_says_how_near_the_maps_come(tmp_path: Path) -> None:
    report = run(detailed(), tmp_path, "web")

    assert all(30 < each["psnr_db"] < 60 for each in report["maps"])


@pytest.mark.parametrize("level", sorted(LEVELS))
@pytest.mark.parametrize("source", ["plain", "draco and webp", "quantized"])
def test_the_file_for_ar_requires_nothing(level: str, source: str, tmp_path: Path) -> None:
    builder = detailed()
    if source == "quantized":
        mesh = sphere(rings=40)
        primitive = builder.data["meshes"][0]["primitives"][0]
        primitive["indices"] = builder.accessor(mesh["faces"].ravel())
        short = np.round(mesh["positions"] / 0.05 * 32767).astype(np.int16)
        padded = builder.view(np.pad(short, ((0, 0), (0, 1))).tobytes(), byteStride=8)
        builder.data["accessors"].append(
            {
                "bufferView": padded,
                "componentType": 5122,
                "normalized": True,
                "type": "VEC3",
                "count": len(short),
                "min": short.min(0).tolist(),
                "max": short.max(0).tolist(),
            }
        )
        primitive["attributes"] = {
            "POSITION": len(builder.data["accessors"]) - 1,
            "NORMAL": builder.accessor(mesh["normals"]),
            "TEXCOORD_0": builder.accessor(mesh["uv"]),
        }
        builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = ["KHR_mesh_quantization"]
    (tmp_path / "source.glb").write_bytes(builder.glb())
    if source == "draco and webp":
        pipeline.optimize(tmp_path / "source.glb", tmp_path / "web.glb")
        (tmp_path / "web.glb").rename(tmp_path / "source.glb")

    report = pipeline.optimize(tmp_path / "source.glb", tmp_path / "out.glb", level, ar=tmp_path / "ar.glb")

    data, _ = unpack(tmp_path / "ar.glb")
    assert "extensionsRequired" not in data
    assert "extensionsUsed" not in data
    assert {image["mimeType"] for image in data["images"]} == {"image/jpeg"}
    assert all("source" in texture for texture in data["textures"])
    for name, number in data["meshes"][0]["primitives"][0]["attributes"].items():
        assert data["accessors"][number]["componentType"] == 5126, name
    was = pipeline.check(tmp_path / "source.glb")
    assert report["ar"]["size_m"] == pytest.approx(was["size_m"], rel=1e-3)
    assert report["ar"]["bytes"] == (tmp_path / "ar.glb").stat().st_size
    assert report["ar"]["triangles"] <= LEVELS[level].ar.most_triangles


def test_a_map_to_see_through_stays_png_in_ar(tmp_path: Path) -> None:
    builder = detailed(mode="RGBA")
    builder.data["materials"][0]["alphaMode"] = "BLEND"

    run(builder, tmp_path, "web")

    data, _ = unpack(tmp_path / "ar.glb")
    assert [image["mimeType"] for image in data["images"]] == ["image/png", "image/jpeg", "image/jpeg"]
    assert pictures(tmp_path / "ar.glb")[0].mode == "RGBA"


def test_the_file_for_ar_stands_as_the_other(tmp_path: Path) -> None:
    report = run(textured_sphere(), tmp_path, "web", size=RealSize(50, 50, 50))

    assert report["ar"]["size_m"] == pytest.approx(report["size_m"], rel=1e-3)
    assert report["ar"]["size_m"] == pytest.approx([0.05] * 3, rel=0.01)


@pytest.mark.parametrize("why", ["KHR_materials_unlit", "KHR_texture_basisu"])
def test_what_core_gltf_cannot_say_gets_no_file_for_ar_and_a_reason(why: str, tmp_path: Path) -> None:
    builder = textured_sphere()
    if why == "KHR_texture_basisu":
        header = b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(8) + (16).to_bytes(4, "little") * 2 + bytes(60)
        builder.data["images"][0] = {"bufferView": builder.view(header), "mimeType": "image/ktx2"}
        builder.data["textures"][0] = {"extensions": {why: {"source": 0}}}
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = [why]

    report = run(builder, tmp_path, "web")

    reason = "requires KHR_materials_unlit" if "unlit" in why else "is not PNG, JPEG or WebP"
    assert reason in report["ar"]["left_out"]
    assert not (tmp_path / "ar.glb").exists()
    assert not report["is_unchanged"]


@pytest.mark.needs("node")
def test_the_khronos_validator_finds_no_error_at_any_level(tmp_path: Path) -> None:
    paths = []
    for name, builder in (("plain", textured_sphere()), ("rich", rich_model()), ("detailed", detailed())):
        for level in LEVELS:
            report = run(builder, tmp_path, level)
            paths.append((tmp_path / "out.glb").rename(tmp_path / f"{name}-{level}.glb"))
            assert "left_out" not in report["ar"]
            paths.append((tmp_path / "ar.glb").rename(tmp_path / f"{name}-{level}-ar.glb"))

    assert validator_errors(paths) == []


def test_the_command_takes_a_level_and_a_place_for_the_ar_file(tmp_path: Path) -> None:
    (tmp_path / "in.glb").write_bytes(textured_sphere().glb())

    told = command(tmp_path / "in.glb", tmp_path / "out.glb", "--level", "light", "--ar", tmp_path / "ar.glb")
    asked = command(
        tmp_path / "in.glb", tmp_path / "out.glb", "--level", "full", "--ar", tmp_path / "ar.glb", "--json"
    )

    assert f"for AR: {(tmp_path / 'ar.glb').stat().st_size:,} bytes" in told.stdout
    report = json.loads(asked.stdout.splitlines()[-1])["report"]
    assert report["level"] == "full"
    assert report["ar"]["triangles"] == 2162

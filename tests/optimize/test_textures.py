"""Textures: small, in the right format, and still the same picture."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from PIL import Image

from acr3d.gltf.errors import BadModel
from acr3d.gltf.image_header import ImageFacts
from acr3d.optimize import pipeline, recode_image
from acr3d.optimize.steps import texture_compress as textures
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    command,
    encoded,
    picture,
    sphere,
    textured_sphere,
    unpack,
)
from tests.support.optimized_maps import difference, optimized

WEBP = "EXT_texture_webp"


def with_base_colour(content: bytes, media_type: str, **material: Any) -> Builder:
    builder = Builder()
    add_sphere(builder, sphere(rings=8), material=0)
    texture = builder.image(content, media_type)
    builder.data["materials"] = [
        {"pbrMetallicRoughness": {"baseColorTexture": {"index": texture}}, **material}
    ]
    return builder


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_maps_become_webp_and_stay_the_same_picture(format: str, tmp_path: Path) -> None:
    report, data, pictures = optimized(textured_sphere(format), tmp_path)

    assert [p.format for p in pictures] == ["WEBP"] * 3
    assert [image["mimeType"] for image in data["images"]] == ["image/webp"] * 3
    assert all(texture["extensions"][WEBP] == {"source": at} for at, texture in enumerate(data["textures"]))
    assert not any("source" in texture for texture in data["textures"])
    assert {WEBP} <= set(data["extensionsRequired"]) <= set(data["extensionsUsed"])
    for seed, channels in ((0, "RGB"), (1, "GB"), (2, "RGB")):
        assert difference(pictures[seed], picture(seed=seed), channels) < 6
    assert [m["kinds"] for m in report["maps"]] == [["base colour"], ["metal and roughness"], ["normal"]]
    share = {"PNG": 0.5, "JPEG": 0.75}[format]  # a normal map is stored finer than the JPEG it was
    assert all(m["after"]["bytes"] < m["before"]["bytes"] * share for m in report["maps"])


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4096, 1024), (2048, 512)), ((2500, 2500), (2048, 2048)), ((300, 2048), (300, 2048))],
)
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_maps_are_fitted_into_2048_pixels(
    size: tuple[int, int], expected: tuple[int, int], format: str, tmp_path: Path
) -> None:
    source = picture(*size)

    report, _, (found,) = optimized(
        with_base_colour(encoded(source, format), f"image/{format.lower()}"), tmp_path
    )

    assert found.size == expected
    assert report["maps"][0]["after"]["width"] == expected[0]
    assert difference(found, source.resize(expected, Image.Resampling.LANCZOS)) < 6


@pytest.mark.parametrize(("mode", "kept"), [("BLEND", True), ("MASK", True), ("OPAQUE", False)])
def test_transparency_stays_where_the_material_reads_it(mode: str, kept: bool, tmp_path: Path) -> None:
    source = picture(mode="RGBA")
    builder = with_base_colour(encoded(source, "PNG"), "image/png", alphaMode=mode)

    _, _, (found,) = optimized(builder, tmp_path)

    assert (found.mode == "RGBA") is kept
    if kept:
        alpha = [np.asarray(each.getchannel("A"), float) for each in (found, source)]
        assert np.abs(alpha[0] - alpha[1]).mean() < 3


def half_clear(width: int) -> Image.Image:
    """Smooth colours, 64 pixels high, whose left half has alpha 0."""
    source = picture(width, 64).convert("RGBA")
    alpha = Image.new("L", source.size, 255)
    alpha.paste(0, (0, 0, width // 2, 64))
    source.putalpha(alpha)
    return source


DATA_IN_ALPHA = {
    "KHR_materials_specular": ("specularTexture", "specularColorTexture"),
    "KHR_materials_sheen": ("sheenColorTexture", "sheenRoughnessTexture"),
    "KHR_materials_pbrSpecularGlossiness": ("specularGlossinessTexture",),
}


@pytest.mark.parametrize("width", [256, 4096], ids=["as large", "shrunk"])
@pytest.mark.parametrize("extension", DATA_IN_ALPHA)
def test_colours_stay_where_alpha_is_data(extension: str, width: int, tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=8), material=0)
    map_ = builder.image(encoded(half_clear(width), "PNG"), "image/png")
    slots = {slot: {"index": map_} for slot in DATA_IN_ALPHA[extension]}
    builder.data |= {"materials": [{"extensions": {extension: slots}}], "extensionsUsed": [extension]}

    _, _, (found,) = optimized(builder, tmp_path)

    assert found.mode == "RGBA"
    like = half_clear(width).resize(found.size, Image.Resampling.NEAREST)
    clear = (0, 0, found.width // 2, found.height)
    assert difference(found.crop(clear), like.crop(clear), "RGB") < 6
    assert difference(found, like, "A") < 1


@pytest.mark.parametrize("slot", ["baseColorTexture", "metallicRoughnessTexture"])
def test_a_shrunk_map_keeps_the_colours_under_an_alpha_that_nobody_reads(slot: str, tmp_path: Path) -> None:
    builder = with_base_colour(encoded(half_clear(4096), "PNG"), "image/png")
    builder.data["materials"] = [{"pbrMetallicRoughness": {slot: {"index": 0}}}]

    report, _, (found,) = optimized(builder, tmp_path)

    like = half_clear(4096).resize((2048, 32), Image.Resampling.NEAREST)
    assert (found.size, found.mode) == (like.size, "RGB")
    assert difference(found, like, "GB") < 6
    assert report["maps"][0]["psnr_db"] > 30


def test_a_shrunk_map_is_compared_with_what_came_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recode_image, "_resized", lambda picture, size: Image.new(picture.mode, size))

    _, _, (found,) = optimized(with_base_colour(encoded(picture(4096, 64), "PNG"), "image/png"), tmp_path)

    assert found.size == (4096, 64)


def sixteen_bit(image: Image.Image) -> bytes:
    return encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG")


@pytest.mark.parametrize("kind", ["grey", "palette", "sixteen bits", "cmyk"])
def test_odd_kinds_of_pixels_keep_their_colours(kind: str, tmp_path: Path) -> None:
    like = picture(256, 256).quantize(64) if kind == "palette" else picture(256, 256)
    like = like.convert({"cmyk": "CMYK", "palette": "P"}.get(kind, "L"))
    content = {
        "grey": lambda: encoded(like, "PNG"),
        "palette": lambda: encoded(like, "PNG"),
        "sixteen bits": lambda: sixteen_bit(like),
        "cmyk": lambda: encoded(like, "JPEG", quality=95),
    }[kind]()

    _, _, (found,) = optimized(
        with_base_colour(content, "image/jpeg" if kind == "cmyk" else "image/png"), tmp_path
    )

    assert found.format == "WEBP"
    assert difference(found, like.convert("RGB")) < 6


def test_a_map_that_would_grow_stays_as_it_is(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
    content = encoded(noise, "JPEG", quality=5)

    _, data, (found,) = optimized(with_base_colour(content, "image/jpeg"), tmp_path)

    assert found.format == "JPEG"
    assert data["textures"] == [{"source": 0}]


def with_equal_maps() -> Builder:
    """Two materials whose base colours are two images of the same bytes."""
    builder = textured_sphere()
    steel = builder.data["materials"][0]
    del steel["pbrMetallicRoughness"]["metallicRoughnessTexture"]
    builder.data["materials"].append({"pbrMetallicRoughness": {"baseColorTexture": {"index": 1}}})
    for image in builder.data["images"][:2]:
        image["bufferView"] = builder.view(encoded(picture(seed=9), "PNG"))
    return builder


def test_equal_maps_of_two_materials_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worked_on: list[str] = []

    def watched(
        content: BinaryIO, facts: ImageFacts, plan: recode_image.RecodePlan, place: str
    ) -> recode_image.RecodedImage | None:
        worked_on.append(place)
        return recode_image.recode_image(content, facts, plan, place)

    monkeypatch.setattr(textures, "recode_image", watched)

    report, data, pictures = optimized(with_equal_maps(), tmp_path)

    assert sorted(worked_on) == ["images[0] ('base')", "images[1] ('normal')"]
    assert [texture["extensions"][WEBP]["source"] for texture in data["textures"]] == [0, 1]
    assert len(data["images"]) == len(report["maps"]) == 2
    assert len(data["bufferViews"]) == 3
    assert difference(pictures[0], picture(seed=9)) < 6


def test_equal_maps_read_in_two_ways_keep_all_that_is_read(tmp_path: Path) -> None:
    builder = textured_sphere()
    for image in builder.data["images"][:2]:
        image["bufferView"] = builder.view(encoded(picture(seed=9), "PNG"))

    report, _, pictures = optimized(builder, tmp_path)

    assert report["maps"][0]["kinds"] == ["base colour", "metal and roughness"]
    assert difference(pictures[0], picture(seed=9)) < 6


@pytest.mark.parametrize(
    "said", [{"extras": {"layer": 2}}, {"extensions": {"KHR_xmp_json_ld": {"packet": 0}}}]
)
def test_equal_maps_of_which_different_things_are_said_stay_two(said: dict[str, Any], tmp_path: Path) -> None:
    builder = with_equal_maps()
    builder.data["images"][1] |= said

    _, data, _ = optimized(builder, tmp_path)

    assert len(data["images"]) == 3
    assert data["images"][0]["bufferView"] == data["images"][1]["bufferView"]
    assert said.items() <= data["images"][1].items()


def test_two_images_in_one_view_stay_two_beside_an_unknown_extension(tmp_path: Path) -> None:
    builder = textured_sphere()
    builder.data["extensionsUsed"] = ["ACME_unknown"]
    builder.data["images"][1]["bufferView"] = builder.data["images"][0]["bufferView"]

    _, data, pictures = optimized(builder, tmp_path)

    assert len({image["bufferView"] for image in data["images"]}) == 3
    assert difference(pictures[0], picture(seed=0), "RGB") < 6
    assert difference(pictures[1], picture(seed=0), "GB") < 6
    # What is base colour keeps its red; in the other image nobody reads it.
    assert difference(pictures[1], picture(seed=0), "R") > 20


def with_dds(content: bytes) -> Builder:
    builder = textured_sphere()
    builder.data["images"].append({"bufferView": builder.view(content), "mimeType": "image/vnd-ms.dds"})
    builder.data["textures"][0]["extensions"] = {"MSFT_texture_dds": {"source": 3}}
    builder.data["extensionsUsed"] = ["MSFT_texture_dds"]
    return builder


def test_an_image_that_only_an_unknown_extension_shows_stays_as_it_is(tmp_path: Path) -> None:
    content = b"DDS |" + bytes(range(256)) * 8
    builder = with_dds(content)
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    data, binary = unpack(tmp_path / "out.glb")
    view = data["bufferViews"][data["images"][3]["bufferView"]]
    assert binary[view["byteOffset"] :][: view["byteLength"]] == content
    assert data["textures"][0]["extensions"] == {"MSFT_texture_dds": {"source": 3}, WEBP: {"source": 0}}
    assert [each["after"]["format"] for each in report["maps"]] == ["webp"] * 3 + ["unknown"]
    assert report["bytes_out"] < report["bytes_in"] / 3


@pytest.mark.parametrize("unseen", [True, False], ids=["named by no texture", "source of a texture"])
def test_an_image_of_no_known_format_is_refused_where_one_is_needed(unseen: bool, tmp_path: Path) -> None:
    builder = with_dds(b"DDS |" + bytes(2048))
    if unseen:
        del builder.data["textures"][0]["extensions"]
    else:
        builder.data["textures"][1]["source"] = 3
    (tmp_path / "in.glb").write_bytes(builder.glb())

    with pytest.raises(BadModel, match=r"images\[3\] is not a PNG"):
        pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")


def test_a_picture_in_a_data_uri_moves_into_the_file(tmp_path: Path) -> None:
    builder = textured_sphere()
    content = encoded(picture(seed=5), "PNG")
    builder.data["images"][0] = {"uri": "data:image/png;base64," + base64.b64encode(content).decode()}

    _, data, pictures = optimized(builder, tmp_path)

    assert "uri" not in data["images"][0]
    assert difference(pictures[0], picture(seed=5)) < 6


def test_a_large_webp_is_shrunk_and_a_small_one_left_alone(tmp_path: Path) -> None:
    builder = textured_sphere()
    large, small = encoded(picture(2400, 1200), "WEBP"), encoded(picture(100, 100), "WEBP", lossless=True)
    for at, content in enumerate((large, small)):
        builder.data["images"][at] = {"bufferView": builder.view(content), "mimeType": "image/webp"}
        builder.data["textures"][at] = {"extensions": {WEBP: {"source": at}}}
    builder.data["extensionsUsed"] = builder.data["extensionsRequired"] = [WEBP]

    report, _, pictures = optimized(builder, tmp_path)

    assert pictures[0].size == (2048, 1024)
    assert report["maps"][1]["after"]["bytes"] == len(small)
    assert difference(pictures[1], picture(100, 100)) == 0


def test_a_map_of_twice_the_size_becomes_the_copy_that_a_graphics_card_would_make(tmp_path: Path) -> None:
    source = picture(4096, 64)

    _, _, (found,) = optimized(with_base_colour(encoded(source, "PNG"), "image/png"), tmp_path)

    averaged = np.asarray(source, float).reshape(32, 2, 2048, 2, 3).mean((1, 3))
    ours = np.abs(np.asarray(found.convert("RGB"), float) - averaged)
    assert found.size == (2048, 32)
    assert ours.mean() < 4


def test_an_8192_map_is_taken_within_400_megabytes(tmp_path: Path) -> None:
    tile = picture(256, 256, "RGBA")
    whole = Image.new("RGBA", (8192, 8192))
    for at in range(0, 8192, 1024):
        whole.paste(tile.resize((1024, 1024)), (at, at))
    builder = with_base_colour(encoded(whole, "PNG", compress_level=1), "image/png")
    (tmp_path / "in.glb").write_bytes(builder.glb())

    done = command(tmp_path / "in.glb", tmp_path / "out.glb")

    assert done.returncode == 0, done.stderr
    assert "png 8192 × 8192" in done.stdout
    assert "webp 2048 × 2048" in done.stdout

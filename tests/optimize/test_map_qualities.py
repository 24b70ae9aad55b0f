"""Each kind of map in the quality that its content needs."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.optimize_glbs import (
    encoded,
    picture,
    textured_sphere,
)
from tests.support.optimized_maps import difference, optimized


def data_map(seed: int = 3) -> Image.Image:
    """Channels that have nothing to do with each other, as in a metal and roughness map."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 2, (32, 32, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1) * 200 + 20
    return Image.fromarray(patches.astype(np.uint8))


def test_a_metal_and_roughness_map_is_smaller_and_truer_than_plain_webp(tmp_path: Path) -> None:
    source = data_map()
    builder = textured_sphere()
    builder.data["images"][1]["bufferView"] = builder.view(encoded(source, "PNG"))
    plain = encoded(source, "WEBP", quality=80, method=4)

    report, _, pictures = optimized(builder, tmp_path)

    assert report["maps"][1]["after"]["bytes"] < 0.8 * len(plain)
    ours = difference(pictures[1], source, "GB")
    assert ours < 0.9 * difference(Image.open(io.BytesIO(plain)), source, "GB")


def test_a_map_that_also_holds_occlusion_keeps_its_red(tmp_path: Path) -> None:
    builder = textured_sphere()
    builder.data["materials"][0]["occlusionTexture"] = {"index": 1}

    report, _, pictures = optimized(builder, tmp_path)

    assert report["maps"][1]["kinds"] == ["metal and roughness", "occlusion"]
    assert difference(pictures[1], picture(seed=1), "RGB") < 6


def test_a_detailed_normal_map_is_truer_than_plain_webp(tmp_path: Path) -> None:
    bumps = np.random.default_rng(2).normal((128, 128, 240), (25, 25, 5), (107, 107, 3))
    small = Image.fromarray(bumps.clip(0, 255).astype(np.uint8))
    source = small.resize((323, 321), Image.Resampling.BICUBIC)
    builder = textured_sphere()
    builder.data["images"][2]["bufferView"] = builder.view(encoded(source, "PNG"))
    plain = encoded(source, "WEBP", quality=70, method=2)

    report, _, pictures = optimized(builder, tmp_path)

    assert report["maps"][2]["after"]["bytes"] == pytest.approx(len(plain), rel=0.15)
    ours = difference(pictures[2].reduce(2), source.reduce(2), "RGB")
    assert ours < 0.9 * difference(Image.open(io.BytesIO(plain)).reduce(2), source.reduce(2), "RGB")


def test_a_smooth_normal_map_gets_the_finer_quality(tmp_path: Path) -> None:
    ramp = np.linspace((100, 110, 240), (150, 140, 250), 320)[np.newaxis].repeat(320, axis=0)
    source = Image.fromarray(ramp.astype(np.uint8))
    builder = textured_sphere()
    builder.data["images"][2]["bufferView"] = builder.view(encoded(source, "PNG"))

    report, _, _ = optimized(builder, tmp_path)

    expected = encoded(source, "WEBP", quality=78, method=2)
    assert report["maps"][2]["after"]["bytes"] == pytest.approx(len(expected), rel=0.1)


def test_a_map_of_one_channel_becomes_grey(tmp_path: Path) -> None:
    builder = textured_sphere()
    del builder.data["materials"][0]["pbrMetallicRoughness"]["metallicRoughnessTexture"]
    builder.data["materials"][0]["occlusionTexture"] = {"index": 1}

    _, _, pictures = optimized(builder, tmp_path)

    red, green, blue = (np.asarray(pictures[1].convert("RGB"), float)[..., at] for at in range(3))
    assert np.abs(red - green).max() <= 2
    assert np.abs(red - blue).max() <= 2
    assert difference(pictures[1], picture(seed=1), "R") < 6


def test_a_data_map_of_much_detail_gets_the_finer_quality(tmp_path: Path) -> None:
    """As plain WebP of one channel with that quality, for the other channels take nothing."""
    grain = np.random.default_rng(1).normal(128, 40, (320, 320)).clip(0, 255).astype(np.uint8)
    builder = textured_sphere()
    builder.data["images"][1]["bufferView"] = builder.view(
        encoded(Image.merge("RGB", [Image.fromarray(grain)] * 3), "PNG")
    )

    report, _, _ = optimized(builder, tmp_path)

    sizes = {
        quality: len(encoded(Image.fromarray(grain), "WEBP", quality=quality, method=2))
        for quality in (40, 60)
    }
    assert report["maps"][1]["after"]["bytes"] == pytest.approx(sizes[60], rel=0.05)
    assert sizes[40] < 0.9 * sizes[60]

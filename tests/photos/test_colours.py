"""Every colour space, depth and transparency becomes opaque sRGB."""

from __future__ import annotations

import io
import struct

import pillow_heif
import pytest
from PIL import Image, ImageCms

from tests.support.pictures import (
    ADOBE_RGB,
    DISPLAY_P3,
    assert_colour,
    assert_quarters,
    chunk,
    cleaned,
    heic,
    png,
    quarters,
    saved,
)


@pytest.mark.parametrize(
    ("profile", "stored", "seen"),
    [
        # By the primaries' matrices and the two curves; a colour outside sRGB ends at its edge.
        (DISPLAY_P3, (150, 120, 100), (157, 119, 97)),
        (DISPLAY_P3, (255, 0, 0), (255, 0, 0)),
        (ADOBE_RGB, (150, 120, 100), (162, 121, 99)),
        (ADOBE_RGB, (0, 255, 0), (0, 255, 0)),
        (DISPLAY_P3, (128, 128, 128), (129, 129, 129)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_wide_colour_profile_becomes_srgb(
    kind: str, profile: bytes, stored: tuple[int, ...], seen: tuple[int, ...]
) -> None:
    picture = saved(Image.new("RGB", (300, 300), stored), kind, icc_profile=profile, quality=100)
    assert_colour(cleaned(picture), (0.5, 0.5), seen, tolerance=3)


def test_a_heic_photo_in_display_p3_becomes_srgb() -> None:
    image = Image.new("RGB", (300, 300), (150, 120, 100))
    image.info["icc_profile"] = DISPLAY_P3
    assert_colour(cleaned(heic(image)), (0.5, 0.5), (157, 119, 97), tolerance=4)


@pytest.mark.parametrize("profile", [b"no profile at all", DISPLAY_P3[:200], b"\0" * 300])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    assert_quarters(cleaned(saved(quarters(), "JPEG", icc_profile=profile, quality=95)))


def test_a_profile_of_another_colour_space_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert_quarters(cleaned(saved(quarters(), "JPEG", icc_profile=lab, quality=95)))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("inks", "seen"),
    [
        # As U.S. Web Coated (SWOP) v2 prints, roughly: inks are duller than the screen's pure colours.
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (0, 173, 236)),
        ((0, 255, 0, 0), (236, 0, 139)),
        ((0, 0, 255, 0), (255, 241, 0)),
        ((0, 0, 0, 255), (35, 31, 32)),
        ((0, 255, 255, 0), (237, 28, 36)),
    ],
    ids=["paper", "cyan", "magenta", "yellow", "black", "red"],
)
def test_cmyk_without_a_profile_looks_as_printed(
    kind: str, inks: tuple[int, ...], seen: tuple[int, ...]
) -> None:
    picture = saved(Image.new("CMYK", (300, 300), inks), kind, quality=100)
    assert_colour(cleaned(picture), (0.5, 0.5), seen, tolerance=12)


def test_a_grey_photo_with_a_profile_for_coloured_ones_keeps_its_greys() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = cleaned(saved(Image.new("L", (300, 300), 90), "JPEG", icc_profile=srgb))
    assert_colour(image, (0.5, 0.5), (90, 90, 90), tolerance=2)


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_two_tone_and_palette_pictures_become_rgb(mode: str) -> None:
    image = Image.new("L", (300, 300), 0)
    image.paste(255, (150, 0, 300, 300))
    stored = cleaned(saved(image.convert(mode), "PNG"))
    assert_colour(stored, (0.2, 0.5), (0, 0, 0), tolerance=2)
    assert_colour(stored, (0.8, 0.5), (255, 255, 255), tolerance=2)


@pytest.mark.parametrize(
    ("colour", "channels", "seen"),
    [
        (0, [0x4000], (64, 64, 64)),
        (2, [0xC800, 0x1E00, 0x40FF], (200, 30, 64)),
        (4, [0x4000, 0xFFFF], (64, 64, 64)),
        (6, [0xC800, 0x1E00, 0x40FF, 0xFFFF], (200, 30, 64)),
        (6, [0xC800, 0x1E00, 0x40FF, 0x0000], (255, 255, 255)),
    ],
    ids=["grey", "rgb", "grey+alpha", "rgb+alpha", "transparent"],
)
def test_sixteen_bits_are_scaled_to_eight(colour: int, channels: list[int], seen: tuple[int, ...]) -> None:
    row = struct.pack(f">{len(channels)}H", *channels) * 300
    assert_colour(cleaned(png((300, 300), 16, colour, row)), (0.5, 0.5), seen, tolerance=2)


def test_a_ten_bit_heic_photo_is_scaled_to_eight() -> None:
    data = struct.pack("<3H", 200 << 8, 30 << 8, 64 << 8) * (300 * 300)
    stream = io.BytesIO()
    pillow_heif.from_bytes(mode="RGB;16", size=(300, 300), data=data).save(stream, quality=95)
    assert_colour(cleaned(stream), (0.5, 0.5), (200, 30, 64))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    image = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    image.paste((40, 40, 40, 255), (0, 0, 150, 300))
    stored = cleaned(saved(image.convert(mode), "PNG"))
    assert_colour(stored, (0.2, 0.5), (40, 40, 40))
    assert_colour(stored, (0.8, 0.5), (255, 255, 255))


def test_half_transparency_is_mixed_with_white() -> None:
    for stream in (
        saved(Image.new("RGBA", (300, 300), (200, 0, 0, 128)), "PNG"),
        saved(Image.new("RGBA", (300, 300), (200, 0, 0, 128)), "WEBP", lossless=True),
        heic(Image.new("RGBA", (300, 300), (200, 0, 0, 128))),
    ):
        assert_colour(cleaned(stream), (0.5, 0.5), (227, 127, 127))


def test_a_colour_marked_as_transparent_becomes_white() -> None:
    key = chunk(b"tRNS", struct.pack(">3H", 10, 20, 30))
    assert_colour(cleaned(png((300, 300), 8, 2, bytes((10, 20, 30)) * 300, key)), (0.5, 0.5), (255, 255, 255))

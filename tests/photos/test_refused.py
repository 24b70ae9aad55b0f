"""What is refused, and what people are told."""

from __future__ import annotations

import io

import pillow_heif
import pytest
from PIL import Image

from acr3d.photos import formats, limits, sanitize
from tests.support.pictures import BLUE, GREEN, RED, cleaned, heic, png, quarters, refusal, saved


def test_an_empty_file_is_refused() -> None:
    assert refusal(io.BytesIO()).code == "photo.empty"


@pytest.mark.parametrize("content", [b"x", b"BM is not only the beginning of a bitmap" * 20])
def test_what_nobody_knows_is_refused_with_what_can_be_uploaded(content: bytes) -> None:
    refused = refusal(io.BytesIO(content))
    assert refused.code == "photo.not_a_photo"
    assert "not a JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF picture" in str(refused)


@pytest.mark.parametrize("kind", ["PNG", "WebP", "GIF", "AVIF"])
def test_an_animation_is_refused(kind: str) -> None:
    frames = [Image.new("RGB", (300, 300), colour) for colour in (RED, GREEN, BLUE)]
    refused = refusal(saved(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert refused.code == "photo.animated"
    assert f"This {kind} file is an animation" in str(refused)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "HEIC", "HEIC in tiles"])
def test_a_cut_off_file_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((400, 400), 80)] * 3)
    if kind == "HEIC in tiles":
        monkeypatch.setattr(pillow_heif.options, "GRID_TILE_SIZE", 256)
    whole = (heic(noise) if kind.startswith("HEIC") else saved(noise, kind)).getvalue()
    for share in (0.02, 0.5, 0.95):
        assert refusal(io.BytesIO(whole[: int(len(whole) * share)])).code == "photo.damaged", share


@pytest.mark.parametrize(
    "start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic"]
)
def test_a_right_beginning_with_rubbish_behind_is_refused(start: bytes) -> None:
    assert refusal(io.BytesIO(start + bytes(range(256)) * 20)).code == "photo.damaged"


def test_a_file_over_twenty_megabytes_is_refused_unread() -> None:
    stream = saved(quarters(), "JPEG")
    stream.seek(limits.MAX_FILE_BYTES)
    stream.write(b"\0")
    refused = refusal(stream)
    assert refused.code == "photo.file_too_large"
    assert "20 MB" in str(refused)


@pytest.mark.parametrize("size", [(1, 1), (255, 1000), (1000, 255)])
def test_a_picture_too_small_to_show_a_part_is_refused(size: tuple[int, int]) -> None:
    refused = refusal(saved(Image.new("RGB", size), "PNG"))
    assert refused.code == "photo.too_small"
    assert f"{size[0]} × {size[1]}" in str(refused)


def test_a_strip_is_refused_as_it_would_show_nothing() -> None:
    refused = refusal(saved(Image.new("L", (20000, 256)), "PNG"))
    assert refused.code == "photo.too_narrow"
    assert "20000 × 256" in str(refused)


def test_a_bomb_is_refused_from_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 89_478_485)  # Pillow's own; a test of models may lift it
    refused = refusal(png((30000, 30000), 1, 0, b"\0" * 3750))
    assert refused.code == "photo.size_unknown"
    assert "40 megapixels" in str(refused)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_too_where_pillow_only_warns() -> None:
    assert "10000 × 10000" in str(refusal(png((10000, 10000), 1, 0, b"\0" * 1250)))


@pytest.mark.parametrize(
    ("name", "megapixels"),
    [
        ("JPEG", 64),
        ("PNG", 40),
        ("WebP", 13),
        ("HEIC", 50),
        ("AVIF", 25),
        ("TIFF", 20),
        ("BMP", 40),
        ("GIF", 40),
    ],
)
def test_each_format_has_its_limit_in_words(name: str, megapixels: int) -> None:
    photo_format = next(one for one in formats.FORMATS if one.name == name)
    limits.check_size((8000, megapixels * 125), photo_format)
    with pytest.raises(sanitize.PhotoRefused, match=f"{megapixels} megapixels allowed for {name}"):
        limits.check_size((8001, megapixels * 125), photo_format)


def test_a_deep_heic_photo_may_hold_fewer_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECODER_BYTES", 400 * 400 * 5)
    assert cleaned(heic(quarters((400, 400)))).size == (400, 400)
    assert refusal(heic(quarters((400, 400)), chroma=444)).code == "photo.heic_too_many_pixels"
    assert refusal(heic(quarters((400, 400)).convert("RGBA"))).code == "photo.heic_too_many_pixels"


def test_an_avif_photo_in_full_colour_may_hold_fewer_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECODER_BYTES", 400 * 400 * 10)
    assert cleaned(saved(quarters((400, 400)), "AVIF")).size == (400, 400)
    refused = refusal(saved(quarters((400, 400)), "AVIF", subsampling="4:4:4"))
    assert refused.code == "photo.too_many_pixels"


def test_a_phone_with_too_many_pixels_can_be_switched() -> None:
    with pytest.raises(sanitize.PhotoRefused, match="Set the phone to fewer pixels or to JPEG"):
        limits.check_size((9000, 6000), next(one for one in formats.FORMATS if one.name == "HEIC"))

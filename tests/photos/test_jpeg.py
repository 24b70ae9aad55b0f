"""JPEG: how it may be encoded, and what is missing at its end."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from acr3d.photos.jpeg import MOST_SCANS
from acr3d.photos.jpeg_layout import is_plain_jpeg, jpeg_layout
from tests.support.pictures import assert_quarters, cleaned, in_scans, quarters, refusal, saved


@pytest.mark.parametrize("scans", [10, MOST_SCANS])
def test_a_progressive_photo_is_kept(scans: int) -> None:
    assert_quarters(cleaned(in_scans(scans)))


@pytest.mark.parametrize("scans", [MOST_SCANS + 1, 5000])
def test_a_progressive_photo_that_goes_over_its_picture_for_ever_is_refused(scans: int) -> None:
    refused = refusal(in_scans(scans))

    assert refused.code == "photo.too_many_scans"
    assert f"in {scans} scans, more than the {MOST_SCANS} allowed" in str(refused)


def test_scans_of_a_preview_or_behind_the_end_do_not_count() -> None:
    preview = in_scans(MOST_SCANS + 1).getvalue()
    stream = saved(quarters(), "JPEG", progressive=True, exif=b"Exif\0\0" + preview[:60000])
    stream.seek(0, io.SEEK_END)
    stream.write(preview)

    assert_quarters(cleaned(stream))


def test_a_large_progressive_jpeg_is_refused_where_a_plain_one_is_kept() -> None:
    grey = Image.new("RGB", (6800, 6800), (90, 90, 90))
    assert cleaned(saved(grey, "JPEG", subsampling=0)).size == (2048, 2048)
    refused = refusal(saved(grey, "JPEG", subsampling=0, progressive=True))
    assert refused.code == "photo.too_many_pixels"
    assert "progressive" in str(refused)


def test_a_jpeg_that_comes_component_by_component_counts_as_several_scans() -> None:
    frame = (
        b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 300, 300, 3) + bytes((1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1))
    )
    one_by_one = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 0, 63, 0)
    together = b"\xff\xda" + struct.pack(">HB", 12, 3) + bytes((1, 0, 2, 0x11, 3, 0x11, 0, 63, 0))
    apart = jpeg_layout(b"\xff\xd8" + frame + one_by_one)
    whole = jpeg_layout(b"\xff\xd8" + frame + together)
    assert (apart.samples_per_pixel, apart.several_scans) == (1.5, True)
    assert (whole.samples_per_pixel, whole.several_scans) == (1.5, False)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8" + b"\xff\xe0\0\2" * 100_000, b"\xff" * 9999]
)
def test_what_only_begins_like_a_jpeg_is_no_plain_one(content: bytes) -> None:
    assert not is_plain_jpeg(content)


@pytest.mark.parametrize(
    ("marker", "bits", "name"),
    [
        (0xC1, 12, "This JPEG is 12-bit"),
        (0xC2, 12, "This JPEG is 12-bit"),
        (0xC3, 8, "This JPEG is lossless"),
        (0xC5, 8, "This JPEG is hierarchical"),
        (0xC9, 8, "This JPEG is arithmetically coded"),
        (0xCA, 8, "This JPEG is arithmetically coded"),
    ],
)
def test_codings_that_nobody_reads_are_named(marker: int, bits: int, name: str) -> None:
    data = bytearray(saved(quarters(), "JPEG").getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 1], data[frame + 4] = marker, bits

    refused = refusal(io.BytesIO(data))

    assert refused.code == "photo.unusual_jpeg"
    assert name in str(refused)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", [(640, 480), (333, 271), (4200, 3000)])
def test_a_photo_without_its_end_marker_is_kept(size: tuple[int, int], progressive: bool) -> None:
    whole = saved(quarters(size), "JPEG", progressive=progressive).getvalue()
    assert whole.endswith(b"\xff\xd9")

    for missing in (1, 2):
        assert_quarters(cleaned(io.BytesIO(whole[:-missing])))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [4, 10, 100, 5000])
def test_a_photo_without_some_of_its_picture_is_refused(missing: int, progressive: bool) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((400, 400), 80)] * 3)
    whole = saved(noise, "JPEG", progressive=progressive).getvalue()

    assert refusal(io.BytesIO(whole[:-missing])).code == "photo.damaged"

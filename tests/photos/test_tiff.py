"""TIFF in its many kinds."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.photos.test_stored import LYING, with_orientation
from tests.support.pictures import assert_colour, assert_quarters, cleaned, quarters, refusal, saved

_NEW_SUBFILE_TYPE, _BIG_ENDIAN_GREY = 254, "I;16B"


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_every_usual_compression_is_read(compression: str) -> None:
    assert_quarters(cleaned(saved(quarters(), "TIFF", compression=compression)))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("orientation", LYING)
def test_a_turned_picture_is_stored_upright(orientation: int, compression: str) -> None:
    lying = quarters().transpose(LYING[orientation])
    image = cleaned(saved(lying, "TIFF", compression=compression, exif=with_orientation(orientation)))
    assert image.size == (640, 480)
    assert_quarters(image)


@pytest.mark.parametrize("mode", ["I;16", _BIG_ENDIAN_GREY])
def test_sixteen_bits_of_grey_are_scaled_to_eight(mode: str) -> None:
    order = "big" if mode == _BIG_ENDIAN_GREY else "little"
    grey = Image.frombytes(mode, (300, 300), 0x4010.to_bytes(2, order) * 90_000)
    assert_colour(cleaned(saved(grey, "TIFF")), (0.5, 0.5), (64, 64, 64), tolerance=2)


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (300, 300), (10, 10, 10, 0))
    assert_colour(cleaned(saved(clear, "TIFF")), (0.5, 0.5), (255, 255, 255))


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_what_is_no_picture_for_the_screen_is_refused(mode: str) -> None:
    assert refusal(saved(Image.new(mode, (300, 300)), "TIFF")).code == "photo.unusual_pixels"


def test_a_document_of_several_pages_is_refused() -> None:
    pages = [quarters(), quarters()]
    refused = refusal(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert refused.code == "photo.several_pages"


def test_a_photo_with_a_preview_as_its_second_page_is_kept() -> None:
    preview = quarters((160, 120))
    preview.encoderinfo = {"tiffinfo": {_NEW_SUBFILE_TYPE: 1}}
    assert_quarters(cleaned(saved(quarters(), "TIFF", save_all=True, append_images=[preview])))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # in a child process nobody sees it
def test_a_damaged_one_is_refused() -> None:
    whole = saved(quarters(), "TIFF", compression="tiff_lzw").getvalue()
    for length in (12, 200, len(whole) // 2):
        assert refusal(io.BytesIO(whole[:length])).code == "photo.damaged"

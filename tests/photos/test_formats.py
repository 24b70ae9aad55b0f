"""The table of photo formats: one line is enough for a new one, from the file dialog to the stored photo."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from acr3d.photos import formats, sanitize
from acr3d.photos.formats import PhotoFormat
from tests.support.accounts import browser
from tests.support.factories import make_part
from tests.support.pictures import assert_quarters, cleaned, heic, quarters, refusal, saved


@pytest.fixture
def ppm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A format that is added by one line in the table."""
    one_more = PhotoFormat(
        "PPM",
        lambda head: head.startswith(b"P6"),
        max_megapixels=1,
        mime_types=("image/x-portable-pixmap",),
        suffixes=(".ppm",),
        pillow_plugin="PpmImagePlugin",
    )
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, one_more))


@pytest.mark.parametrize("photo_format", formats.FORMATS, ids=lambda one: one.name)
def test_a_file_is_known_by_its_first_bytes(photo_format: PhotoFormat) -> None:
    is_heic = photo_format.name == "HEIC"
    file = heic(quarters()) if is_heic else saved(quarters(), photo_format.name)

    assert formats.format_of(file.getvalue()[: formats.SNIFFED_BYTES]) is photo_format


def test_the_forms_and_the_refusal_name_every_format(app: Flask) -> None:
    with app.app_context():
        part_id = make_part().id

    page = browser(app).get(f"/admin/parts/{part_id}").text

    offered = (
        "image/jpeg,.jpg,.jpeg,image/png,.png,image/webp,.webp,image/heic,image/heif,.heic,.heif,image/avif,"
        ".avif,image/tiff,.tif,.tiff,image/bmp,.bmp,image/gif,.gif"
    )
    assert f'multiple accept="{offered}"' in page
    named = "JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF"
    assert f"Up to six: {named}, 20 MB each (WebP up to 13 megapixels)." in page
    assert str(refusal(io.BytesIO(b"x"))).startswith(f"This is not a {named} picture")


def test_one_line_in_the_table_is_enough_for_a_new_format(app: Flask, ppm: None) -> None:
    with app.app_context():
        part_id = make_part().id

    page = browser(app).get(f"/admin/parts/{part_id}").text

    assert_quarters(cleaned(saved(quarters(), "PPM")))
    assert "image/gif,.gif,image/x-portable-pixmap,.ppm" in page
    assert "BMP, GIF or PPM, 20 MB each (PPM up to 1 megapixels)." in page
    assert "BMP, GIF or PPM picture" in str(refusal(io.BytesIO(b"x")))
    with pytest.raises(sanitize.PhotoRefused, match="1 megapixels allowed for PPM"):
        sanitize.clean(saved(quarters((1200, 1000)), "PPM"))

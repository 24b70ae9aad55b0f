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
def bmp(monkeypatch: pytest.MonkeyPatch) -> None:
    """A format that is added by one line in the table."""
    one_more = PhotoFormat(
        "BMP",
        lambda head: head.startswith(b"BM"),
        max_megapixels=1,
        mime_types=("image/bmp",),
        suffixes=(".bmp",),
        pillow_plugin="BmpImagePlugin",
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

    others = "image/jpeg,.jpg,.jpeg,image/png,.png,image/webp,.webp"
    assert f'multiple accept="{others},image/heic,image/heif,.heic,.heif"' in page
    assert "Up to six: JPEG, PNG, WebP or HEIC, 20 MB each (WebP up to 13 megapixels)." in page
    assert str(refusal(io.BytesIO(b"x"))).startswith("This is not a JPEG, PNG, WebP or HEIC picture")


def test_one_line_in_the_table_is_enough_for_a_new_format(app: Flask, bmp: None) -> None:
    with app.app_context():
        part_id = make_part().id

    page = browser(app).get(f"/admin/parts/{part_id}").text

    assert_quarters(cleaned(saved(quarters(), "BMP")))
    assert "image/heif,.heic,.heif,image/bmp,.bmp" in page
    assert "Up to six: JPEG, PNG, WebP, HEIC or BMP, 20 MB each (BMP up to 1 megapixels)." in page
    assert str(refusal(io.BytesIO(b"x"))).startswith("This is not a JPEG, PNG, WebP, HEIC or BMP picture")
    with pytest.raises(sanitize.PhotoRefused, match="1 megapixels allowed for BMP"):
        sanitize.clean(saved(quarters((1200, 1000)), "BMP"))

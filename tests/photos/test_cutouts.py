"""A picture whose background is transparent brings the part's outline with it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from flask import Flask
from PIL import Image, ImageDraw

from acr3d.db.models import PartImage
from acr3d.outlines.method import OWN_ALPHA
from acr3d.outlines.stored import outlines_of
from acr3d.parts.photos import add_photos, replace_photo
from acr3d.photos import sanitize
from acr3d.storage.blobs import storage
from tests.support.factories import make_part
from tests.support.pictures import saved


def cut_out(
    size: tuple[int, int] = (800, 600), box: tuple[int, int, int, int] = (200, 150, 600, 450)
) -> Image.Image:
    image = Image.new("RGBA", size, (0, 255, 0, 0))
    ImageDraw.Draw(image).ellipse(box, (180, 30, 30, 255))
    return image


def mask_of(photo: sanitize.Photo) -> np.ndarray:
    assert photo.outline is not None
    with Image.open(io.BytesIO(photo.outline)) as image:
        return np.asarray(image.convert("L")) > 127


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_alpha_is_the_outline_and_the_background_becomes_white(kind: str) -> None:
    photo = sanitize.clean(saved(cut_out(), kind, **({"lossless": True} if kind == "WEBP" else {})))

    mask = mask_of(photo)
    assert mask.shape == (600, 800)
    assert mask[300, 400]
    assert not mask[160, 210]
    assert mask.mean() == pytest.approx(np.pi * 200 * 150 / (800 * 600), abs=0.005)
    with Image.open(io.BytesIO(photo.jpeg)) as image:
        assert min(image.getpixel((5, 5))) > 250  # type: ignore[type-var]


def test_a_palette_with_one_transparent_colour_is_a_cut_out_too() -> None:
    image = Image.new("P", (400, 300), 0)
    image.putpalette([0, 0, 0, 200, 30, 30])
    ImageDraw.Draw(image).rectangle((100, 100, 300, 200), 1)

    mask = mask_of(sanitize.clean(saved(image, "PNG", transparency=0)))

    assert mask[150, 200]
    assert not mask[50, 50]


def test_a_part_trimmed_to_its_edges_gets_space_around_it() -> None:
    photo = sanitize.clean(saved(cut_out((400, 300), (0, 0, 399, 299)), "PNG"))

    mask = mask_of(photo)
    assert (photo.width_px, photo.height_px) == (464, 364)
    assert not np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).any()
    assert mask[182, 232]


def test_a_large_cut_out_stays_within_the_stored_size() -> None:
    photo = sanitize.clean(saved(cut_out((2048, 1024), (0, 0, 2047, 1023)), "PNG"))

    assert max(photo.width_px, photo.height_px) == 2048
    assert max(mask_of(photo).shape) == 1024


@pytest.mark.parametrize("what", ["opaque", "rounded corners", "empty"])
def test_other_pictures_with_an_alpha_channel_bring_no_outline(what: str) -> None:
    image = Image.new("RGBA", (600, 600), (180, 30, 30, 255))
    if what == "rounded corners":
        image.putalpha(Image.new("L", (600, 600), 0))
        ImageDraw.Draw(image).rounded_rectangle((0, 0, 599, 599), 40, (180, 30, 30, 255))
    if what == "empty":
        image.putalpha(0)

    assert sanitize.clean(saved(image, "PNG")).outline is None


def test_an_upload_keeps_the_outline_and_a_replacement_has_its_own(in_app: Flask) -> None:
    part = make_part()
    [image] = add_photos(part.id, [sanitize.clean(saved(cut_out(), "PNG"))])
    first = kept(image)
    again = replace_photo(image.id, sanitize.clean(saved(cut_out(box=(100, 100, 500, 400)), "PNG")))

    assert kept(again) != first
    with storage().open(kept(again)) as file, Image.open(file) as mask:
        assert mask.getpixel((120, 250))
    add_photos(part.id, [sanitize.clean(saved(cut_out(), "PNG"))])  # the first once more


def kept(image: PartImage) -> str:
    """The key of the outline that came with the photo."""
    row = outlines_of(image.part_id, [image.sha256 or ""])[image.sha256 or ""]
    assert row.method == OWN_ALPHA
    return row.storage_path or ""

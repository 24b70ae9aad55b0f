"""The same picture twice is told before anything is paid, also in another size and quality."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from PIL import Image

from acr3d.parts.bin import delete_part
from acr3d.parts.demo import FOLDER
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import add_photos, delete_photo, images_of, replace_photo
from acr3d.photo_checks.results import check_result
from acr3d.photos import sanitize
from acr3d.photos.photo import Photo
from acr3d.settings import Settings
from tests.support.factories import make_part

SIDES = ("front", "back", "left")


@pytest.fixture(scope="module")
def shots() -> dict[str, Photo]:
    return {side: clean((FOLDER / f"photos/alternator-{side}.jpg").read_bytes()) for side in SIDES}


def clean(file: bytes) -> Photo:
    return sanitize.clean(io.BytesIO(file))


def sent_by_chat(photo: Photo) -> Photo:
    """The photo as a messenger passes it on."""
    image = Image.open(io.BytesIO(photo.jpeg))
    image.thumbnail((500, 500))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=55)
    return clean(out.getvalue())


def told(part_id: str) -> list[tuple[str, str]]:
    found = check_result(part_by_id(part_id), images_of(part_id))
    return [(one.code, one.sentence) for one in found.advice]


def test_the_same_picture_is_told_in_one_part_and_in_two(in_app: Flask, shots: dict[str, Photo]) -> None:
    first, second = make_part("A-1", name="Alternator").id, make_part("A-2").id
    add_photos(first, [shots["front"], shots["back"]])
    assert told(first) == []

    add_photos(first, [sent_by_chat(shots["back"])])
    add_photos(second, [shots["left"], sent_by_chat(shots["front"]), sent_by_chat(shots["left"])])

    again = "is the same picture as Photo {}. A model needs different sides: replace one of them."
    assert told(first) == [("same_photo", f"Photo 3 {again.format(2)}")]
    assert told(second) == [
        (
            "photo_of_other_part",
            "Photo 2 is also a photo of the part “Alternator” (A-1). Check that it belongs to this part.",
        ),
        ("same_photo", f"Photo 3 {again.format(1)}"),
    ]

    delete_part(first)
    delete_photo(images_of(second)[2].id)
    assert told(second) == []


def test_a_replacement_is_compared_too(in_app: Flask, shots: dict[str, Photo]) -> None:
    part = make_part().id
    images = add_photos(part, [shots["front"], shots["back"]])

    replace_photo(images[1].id, shots["front"])
    assert [code for code, _sentence in told(part)] == ["same_photo"]
    replace_photo(images_of(part)[1].id, shots["left"])

    assert told(part) == []


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """On one database: what they do differently here is one query."""
    return sqlite_config

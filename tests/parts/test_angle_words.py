"""A file's name may tell which side its photo shows; what a person chose stays."""

from __future__ import annotations

import pytest
from flask import Flask

from acr3d.parts.angle_words import guessed_angle
from acr3d.parts.photos import add_photos
from tests.support.factories import make_part, photo


@pytest.mark.parametrize(
    ("name", "angle"),
    [
        ("bracket_front.jpg", "front"),
        ("OilFilterBack2.HEIC", "back"),
        ("IMG 0412 (left side).jpeg", "left"),
        ("Rückseite.png", "back"),
        ("Ansicht von unten.jpg", "bottom"),
        ("pièce-arrière.jpg", "back"),
        ("vue de droite.webp", "right"),
        ("foto_izquierda_01.jpg", "left"),
        ("vista-da-sopra.tif", "top"),
        ("peça baixo inferior.jpg", "bottom"),
        ("top", "top"),
        ("front-left.jpg", None),
        ("copyright.jpg", None),
        ("IMG_2041.jpg", None),
        ("", None),
    ],
)
def test_one_side_in_a_name_is_the_angle(name: str, angle: str | None) -> None:
    assert guessed_angle(name) == angle


def test_the_parts_own_name_says_nothing_about_a_photo() -> None:
    assert guessed_angle("front-brake-disc-left.jpg", "Front brake disc") == "left"
    assert guessed_angle("front-brake-disc-2.jpg", "Front brake disc") is None


def test_names_fill_in_what_no_person_chose_and_no_photo_has(in_app: Flask) -> None:
    part = make_part()
    names = ["a_front.jpg", "a_top.jpg", "b_front.jpg", "a_5.jpg"]

    guessed = add_photos(part.id, [photo() for _ in names], file_names=names)
    chosen = add_photos(part.id, [photo()], {"angle_label": "left"}, ["a_right.jpg"])
    unlabelled = add_photos(part.id, [photo()], {"angle_label": ""}, ["a_right.jpg"])

    assert [image.angle_label for image in guessed] == ["front", "top", None, None]
    assert [image.angle_label for image in chosen + unlabelled] == ["left", None]

"""Parts: what may be put in, what is found, what is refused."""

from __future__ import annotations

import pytest
from flask import Flask

from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.jobs.service import start
from acr3d.parts.bin import delete_part
from acr3d.parts.filters import EVERY_PART, PUBLISHED, Filters
from acr3d.parts.parts import create_part, part_by_id, update_part
from acr3d.parts.search import search
from acr3d.parts.sku_lookup import part_for_public
from tests.support.factories import by_angle, make_part, make_part_with_photos, make_user


def names(filters: Filters = EVERY_PART) -> list[str]:
    return [part.name for part in search("", filters).parts]


@pytest.mark.parametrize("sku", ["of-7", "OF-7", "  OF-7 ", "oF-7"])
def test_a_sku_is_unique_whatever_its_case(in_app: Flask, sku: str) -> None:
    make_part("Of-7")

    with pytest.raises(Conflict, match="in use"):
        create_part({"sku": sku, "name": "Another"})


def test_a_deleted_part_frees_its_sku_and_is_not_found(in_app: Flask) -> None:
    part = make_part("OF-7")

    delete_part(part.id)

    assert make_part("OF-7").id != part.id
    with pytest.raises(Missing):
        part_by_id(part.id)


def test_a_part_whose_model_is_being_made_is_not_deleted(in_app: Flask) -> None:
    part = make_part_with_photos()
    start(part.id, by_angle(part), "builtin", {}, make_user())

    with pytest.raises(Conflict, match="Cancel it first"):
        delete_part(part.id)

    assert part_by_id(part.id).deleted_at is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sku": ""}, "“Part number \\(SKU\\)” must not be empty"),
        ({"sku": "x" * 65}, "longer than 64"),
        ({"sku": "a\nb"}, "unprintable character"),
        ({"sku": ".."}, "web address"),
        ({"name": "   "}, "“Name” must not be empty"),
        ({"name": 7}, "plain text"),
        ({"description": "x" * 5001}, "longer than 5000"),
        ({"is_published": "yes"}, "true or false"),
        ({"width_mm": -3}, "“Width” must be a number from 0.1 to 100000 mm"),
        ({"width_mm": "nan"}, "“nan” cannot be read"),
        ({"width_mm": True}, "must be a number"),
        ({"colour": 3}, "Unknown field: colour"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_sentence(
    in_app: Flask, fields: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        create_part({"sku": "OF-7", "name": "Filter"} | fields)

    assert names() == []


def test_a_refused_change_changes_nothing(in_app: Flask) -> None:
    part = make_part("OF-7", width_mm=78.8)
    make_part("OF-8")

    with pytest.raises(Conflict):
        update_part(part.id, {"name": "Renamed", "sku": "of-8"})
    with pytest.raises(InvalidInput):
        update_part(part.id, {"name": "Renamed", "width_mm": 0})

    kept = part_by_id(part.id)
    assert (kept.sku, kept.name, kept.width_mm) == ("OF-7", "Bracket OF-7", 78.8)


def test_customers_find_published_parts_only_by_any_spelling_of_the_sku(in_app: Flask) -> None:
    create_part({"sku": "A/B 1", "name": "Shown"})
    create_part({"sku": "HID-1", "name": "Hidden", "is_published": False})

    assert part_for_public("a/b 1").name == "Shown"
    assert names(PUBLISHED) == ["Shown"]
    with pytest.raises(Missing):
        part_for_public("HID-1")

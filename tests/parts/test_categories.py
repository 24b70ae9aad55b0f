"""The tree of categories: made, renamed, deleted, counted, and what lists it limits."""

from __future__ import annotations

import pytest
from flask import Flask

from acr3d.errors import Conflict, InvalidInput
from acr3d.parts import categories
from acr3d.parts.filters import EVERY_PART, Filters
from acr3d.parts.parts import part_by_id, update_part
from acr3d.parts.search import search
from tests.support.factories import make_part


def tree(*, published_only: bool = False) -> dict[str, int]:
    return {node.category.path: node.count for node in categories.tree(published_only=published_only)}


def skus(path: str, text: str = "") -> list[str]:
    return [part.sku for part in search(text, Filters(category=categories.by_path(path))).parts]


def test_parts_are_counted_and_listed_with_the_levels_below(in_app: Flask) -> None:
    categories.create("Brakes / Discs/Vented")
    categories.create("Engine")
    make_part("A-1", category="brakes/DISCS/vented")
    make_part("A-2", category="Brakes", is_published=False)
    make_part("A-3")

    assert tree() == {"Brakes": 2, "Brakes/Discs": 1, "Brakes/Discs/Vented": 1, "Engine": 0}
    assert tree(published_only=True)["Brakes"] == 1
    assert (skus("Brakes"), skus("Brakes/Discs"), skus("Engine")) == (["A-1", "A-2"], ["A-1"], [])
    assert skus("Brakes", "bracket a2") == ["A-2"]


def test_a_renamed_category_keeps_its_parts_and_a_deleted_one_hands_them_up(in_app: Flask) -> None:
    discs = categories.create("Brakes/Discs").id
    part = make_part("A-1", category="Brakes/Discs")
    brakes = categories.by_path("Brakes").id

    categories.rename(brakes, "Bremsen 100%")
    assert part_by_id(part.id).category == "Bremsen 100%/Discs"
    assert skus("bremsen 100/discs") == ["A-1"]
    with pytest.raises(Conflict, match="Delete those first"):
        categories.delete(brakes)
    categories.delete(discs)

    assert part_by_id(part.id).category == "Bremsen 100%"
    assert tree() == {"Bremsen 100%": 1}
    categories.delete(brakes)
    assert part_by_id(part.id).category is None
    assert (tree(), search("", EVERY_PART).total) == ({}, 1)


def test_what_cannot_be_a_category_gets_a_sentence(in_app: Flask) -> None:
    categories.create("Brakes")
    other = categories.create("Engine").id

    for path in ("", "a//b", "/", "a/b/c/d", "x" * 81, "a\x00", "-"):
        with pytest.raises(InvalidInput):
            categories.create(path)
    with pytest.raises(Conflict, match="another category of this name"):
        categories.rename(other, "BRAKES")
    with pytest.raises(InvalidInput, match="There is no category “Wheels”"):
        update_part(make_part("A-1").id, {"category": "Wheels"})
    assert categories.create("brakes").path == "Brakes"
    assert tree() == {"Brakes": 0, "Engine": 0}

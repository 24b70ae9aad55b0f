"""One change of many parts: all of it or nothing, what is left out, and the way back."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from flask import Flask

from acr3d.db.models import Part, User
from acr3d.errors import Conflict, InvalidInput
from acr3d.jobs import service
from acr3d.parts import bulk, categories
from acr3d.parts.filters import EVERY_PART, Filters, facets
from acr3d.parts.parts import part_by_id, update_part
from acr3d.parts.photos import images_of, label_photo
from acr3d.parts.search import search
from tests.support.factories import by_angle, make_part, make_part_with_photos


def skus(filters: Filters = EVERY_PART) -> list[str]:
    return [part.sku for part in search("", filters, order="sku").parts]


def test_a_change_of_many_parts_is_found_counted_and_undone(in_app: Flask, user: User) -> None:
    wheels = categories.create("Wheels")
    parts = [make_part(f"P-{number}") for number in range(3)]
    update_part(parts[2].id, {"is_published": False})
    ids = [part.id for part in parts]

    hidden = bulk.change("unpublish", [*ids, "no-id"], user)
    placed = bulk.change("category", ids[:2], user, "wheels")
    nothing = bulk.change("unpublish", ids, user)
    counted = facets(None).count(Filters(is_published=False))
    in_wheels = skus(Filters(category=wheels))
    update_part(ids[0], {"category": ""})
    back = bulk.undo(placed.change_id)
    bulk.undo(hidden.change_id)

    assert (hidden.done, placed.done, nothing.done) == (2, 2, 0)
    assert (counted, in_wheels) == (3, ["P-0", "P-1"])
    assert (back.done, [part.sku for part, _reason in back.left_out]) == (1, ["P-0"])
    assert skus(Filters(category=wheels)) == []
    assert skus(Filters(is_published=True)) == ["P-0", "P-1"]
    with pytest.raises(Conflict, match="undone already"):
        bulk.undo(hidden.change_id)


def test_deleted_parts_come_back_and_one_in_work_stays(in_app: Flask, user: User) -> None:
    gone, taken, busy = make_part("P-1"), make_part("P-2"), make_part_with_photos("P-3")
    service.start(busy.id, by_angle(busy), "builtin", {}, user)

    deleted = bulk.change("delete", [gone.id, taken.id, busy.id], user)
    left = skus()
    make_part("P-2", name="Another")
    back = bulk.undo(deleted.change_id)

    assert (deleted.done, [part.sku for part, _reason in deleted.left_out]) == (2, ["P-3"])
    assert left == ["P-3"]
    assert (back.done, [reason for _part, reason in back.left_out]) == (
        1,
        ["The SKU “P-2” is in use by another part: “Another” (P-2)."],
    )
    assert part_by_id(gone.id).sku == "P-1"


def sides_of(part: Part) -> list[str | None]:
    return [image.angle_label for image in images_of(part.id)]


def test_photos_are_labelled_by_their_order_and_only_what_nobody_touched_is_taken_back(
    in_app: Flask, user: User
) -> None:
    parts = [make_part_with_photos(f"P-{n}", ("", "", "front")) for n in range(2)]
    labelled = make_part_with_photos("P-2")

    given = bulk.change("label", [part.id for part in (*parts, labelled, make_part("P-3"))], user)
    done = [sides_of(part) for part in parts]
    label_photo(images_of(parts[0].id)[1].id, {"angle_label": "top"})
    back = bulk.undo(given.change_id)

    assert (given.done, done) == (2, [["right", "back", "front"]] * 2)
    assert part_by_id(parts[1].id).check_due_at is not None
    assert (back.done, [part.sku for part, _reason in back.left_out]) == (1, ["P-0"])
    assert sides_of(parts[0]) == ["right", "top", "front"]
    assert sides_of(parts[1]) == [None, None, "front"]
    assert sides_of(labelled) == ["front", "right", "back"]


def test_an_undo_that_broke_off_can_be_done_again(
    in_app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [make_part("P-1"), make_part("P-2")]
    deleted = bulk.change("delete", [part.id for part in parts], user)
    with monkeypatch.context() as broken:
        broken.setattr(bulk.bin, "restore_part", Mock(side_effect=[parts[0], OSError("away")]))
        with pytest.raises(OSError, match="away"):
            bulk.undo(deleted.change_id)

    back = bulk.undo(deleted.change_id)

    assert (back.done, skus()) == (2, ["P-1", "P-2"])
    with pytest.raises(Conflict, match="undone already"):
        bulk.undo(deleted.change_id)


def test_what_cannot_be_done_changes_nothing(
    in_app: Flask, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 1)
    ids = [make_part(f"P-{number}").id for number in range(2)]

    for action, chosen, category in (
        *(("delete", ids, ""), ("delete", [], ""), ("explode", ids[:1], "")),
        ("category", ids[:1], "Nowhere"),
    ):
        with pytest.raises(InvalidInput):
            bulk.change(action, chosen, user, category)
    with pytest.raises(InvalidInput, match="Limit the list"):
        bulk.matching("", EVERY_PART)

    assert skus() == ["P-0", "P-1"]

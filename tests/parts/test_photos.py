"""A part's photos: order, places, labels, and what two people at once do to them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.errors import InvalidInput, Missing
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import (
    OrderChanged,
    add_photos,
    delete_photo,
    image_by_id,
    images_of,
    label_photo,
    reorder,
    replace_photo,
)
from acr3d.storage.blobs import storage
from tests.support.factories import make_part, order_of, photo, places_of


def at_once(app: Flask, calls: list[Callable[[], object]]) -> list[Exception]:
    """Run `calls` in threads that start together; returns what they raised."""
    raised: list[Exception] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        with app.app_context():
            gate.wait()
            try:
                call()
            except Exception as error:
                raised.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_photos_are_in_the_order_they_came_and_the_first_is_the_cover(in_app: Flask) -> None:
    part = make_part()

    first, second = add_photos(part.id, [photo("red"), photo("green")])
    [third] = add_photos(part.id, [photo("blue")])

    assert order_of(part) == [first.id, second.id, third.id]
    assert part_by_id(part.id).primary_image_url == first.image_url
    assert (first.width_px, first.height_px, first.mime_type) == (400, 300, "image/jpeg")
    with storage().open(first.storage_path or "") as file:
        assert len(file.read()) == first.file_size_bytes


def test_the_seventh_photo_is_refused_and_leaves_no_file(in_app: Flask) -> None:
    part = make_part()
    add_photos(part.id, [photo() for _ in range(5)])
    files = set(storage().keys())

    with pytest.raises(InvalidInput, match="room for 1 more"):
        add_photos(part.id, [photo("red"), photo("green")])

    assert len(order_of(part)) == 5
    assert set(storage().keys()) == files


def test_six_per_part_holds_under_uploads_at_once(in_app: Flask) -> None:
    part = make_part()
    pictures = [photo() for _ in range(9)]

    raised = at_once(in_app, [lambda one=one: add_photos(part.id, [one]) for one in pictures])  # type: ignore[misc]

    assert [type(error) for error in raised] == [InvalidInput] * 3
    assert places_of(images_of(part.id)) == [0, 1, 2, 3, 4, 5]
    assert len(set(storage().keys())) == 18  # each with its thumbnail and WebP; the refused ones left nothing


def test_a_new_order_is_kept(in_app: Flask) -> None:
    part = make_part()
    images = add_photos(part.id, [photo() for _ in range(4)])
    wanted = [images[2].id, images[0].id, images[3].id, images[1].id]

    reorder(part.id, wanted)

    assert order_of(part) == wanted
    assert places_of(images_of(part.id)) == [0, 1, 2, 3]
    assert part_by_id(part.id).primary_image_url == images[2].image_url


@pytest.mark.parametrize("spoil", ["missing", "foreign", "twice", "none"])
def test_an_order_that_does_not_list_exactly_the_photos_changes_nothing(in_app: Flask, spoil: str) -> None:
    part, other = make_part(), make_part("OTHER")
    images = add_photos(part.id, [photo() for _ in range(3)])
    [foreign] = add_photos(other.id, [photo()])
    before = order_of(part)
    wrong = {
        "missing": before[:2],
        "foreign": [*before[:2], foreign.id],
        "twice": [before[0], before[0], before[1]],
        "none": [None, 3, {}],
    }[spoil]

    with pytest.raises(OrderChanged) as refused:
        reorder(part.id, wrong)  # type: ignore[arg-type]

    assert [image.id for image in refused.value.images] == before
    assert order_of(part) == [image.id for image in images]


def test_after_a_deletion_the_rest_move_up_and_the_place_is_free(in_app: Flask) -> None:
    part = make_part()
    images = add_photos(part.id, [photo() for _ in range(6)])

    delete_photo(images[0].id)

    assert places_of(images_of(part.id)) == [0, 1, 2, 3, 4]
    assert part_by_id(part.id).primary_image_url == images[1].image_url
    add_photos(part.id, [photo()])
    assert places_of(images_of(part.id)) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(Missing):
        delete_photo(images[0].id)


def test_a_replaced_photo_keeps_place_and_labels_and_gets_a_new_address(in_app: Flask) -> None:
    part = make_part()
    images = add_photos(part.id, [photo() for _ in range(2)])
    label_photo(images[0].id, {"angle_label": "front", "alt_text": "The front", "caption": "Before"})

    new = replace_photo(images[0].id, photo("crimson"))

    assert order_of(part) == [new.id, images[1].id]
    assert (new.angle_label, new.alt_text, new.caption) == ("front", "The front", "Before")
    assert new.image_url != images[0].image_url
    assert part_by_id(part.id).primary_image_url == new.image_url


def test_labels_are_checked_and_an_empty_one_takes_the_label_away(in_app: Flask) -> None:
    part = make_part()
    [image] = add_photos(part.id, [photo()], {"angle_label": "top"})

    with pytest.raises(InvalidInput, match="one of: front"):
        label_photo(image.id, {"angle_label": "diagonal"})
    with pytest.raises(InvalidInput, match="Unknown field: display_order"):
        label_photo(image.id, {"display_order": 3})
    with pytest.raises(InvalidInput, match="at most 300"):
        label_photo(image.id, {"caption": "x" * 301})

    assert image_by_id(image.id).angle_label == "top"
    label_photo(image.id, {"angle_label": ""})
    assert image_by_id(image.id).angle_label is None


def test_people_who_sort_delete_and_add_at_once_leave_an_order_without_gap_or_collision(
    in_app: Flask,
) -> None:
    part = make_part()
    images = add_photos(part.id, [photo() for _ in range(6)])
    shuffle = random.Random(7)

    def sort() -> None:
        with in_app.app_context():
            wanted = order_of(part)
            shuffle.shuffle(wanted)
            reorder(part.id, wanted)

    calls: list[Callable[[], object]] = [sort] * 5
    calls += [lambda image=image: delete_photo(image.id) for image in images[:3]]  # type: ignore[misc]
    calls += [lambda: add_photos(part.id, [photo()])] * 3
    raised = at_once(in_app, calls)

    assert {type(error) for error in raised} <= {OrderChanged, InvalidInput}
    db.session.expire_all()
    found = places_of(images_of(part.id))
    assert found == list(range(len(found)))


def test_photos_whose_commit_lost_its_answer_keep_their_files(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = make_part()
    commit = Session.commit

    def commit_and_lose_the_answer(session: Session) -> None:
        writes = session.connection().get_execution_options().get("acr3d_writes")
        commit(session)
        if writes:
            raise OperationalError("COMMIT", None, Exception("cut"), connection_invalidated=True)

    with monkeypatch.context() as patched:
        patched.setattr(Session, "commit", commit_and_lose_the_answer)
        with pytest.raises(OperationalError):
            add_photos(part.id, [photo("red")])

    [kept] = images_of(part.id)
    with storage().open(kept.storage_path or "") as file:
        assert len(file.read()) == kept.file_size_bytes

"""Photos are checked by the poller after each change, once, and what it found is told."""

from __future__ import annotations

import io
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import update

from acr3d import sandbox
from acr3d.db.models import Part
from acr3d.db.session import transaction
from acr3d.engine_server import worker
from acr3d.jobs import silhouette_check
from acr3d.jobs.steps import optimize
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import add_photos, delete_photo, images_of, label_photo, reorder
from acr3d.photo_checks import queue, run
from acr3d.photo_checks.run import check_photos
from acr3d.photos import sanitize
from acr3d.storage.blobs import storage
from tests.support.accounts import browser
from tests.support.factories import make_part, make_part_with_photos, order_of, picture
from tests.support.photo_checks import GOOD, check, is_due, kept, settle, told
from tests.support.woken import Woken


def large_picture(box: tuple[int, int, int, int] = (200, 200, 800, 600)) -> sanitize.Photo:
    """A block on white, perhaps cut off by the picture's edge."""
    whole = Image.new("RGB", (1000, 800), "white")
    whole.paste("steelblue", box)
    buffer = io.BytesIO()
    whole.save(buffer, "PNG")
    return sanitize.clean(io.BytesIO(buffer.getvalue()))


def test_the_poller_checks_new_photos_and_the_api_tells_what_it_found(in_app: Flask) -> None:
    part = make_part()
    add_photos(part.id, [large_picture()], {"angle_label": "front"})
    add_photos(part.id, [large_picture((600, 200, 1000, 600))], {"angle_label": "right"})
    client = browser(in_app)
    assert told(client, part)["preflight"]["state"] == "waiting"

    check(part, in_app)

    front, right = told(client, part)["images"]
    answer = told(client, part)["preflight"]
    assert front["preflight"]["findings"] == []
    assert front["preflight"]["outline"]["path"].startswith("M")
    [finding] = right["preflight"]["findings"]
    assert (finding["code"], finding["images"]) == ("cropped", [right["id"]])
    assert finding["message"].startswith("Photo 2 (Right): the part runs out of the picture")
    assert answer["findings"] == [finding]
    assert (answer["state"], answer["best"]) == ("checked", [front["id"]])


def test_only_changes_that_matter_ask_for_a_check(in_app: Flask) -> None:
    part = make_part()
    first, second, _third = (add_photos(part.id, [large_picture()])[0].id for _ in range(3))
    assert is_due(part)

    for change, matters in [
        (lambda: reorder(part.id, order_of(part)[::-1]), False),
        (lambda: label_photo(first, {"alt_text": "A bracket"}), False),
        (lambda: label_photo(first, {"angle_label": "top"}), True),
        (lambda: delete_photo(second), True),
    ]:
        kept(part, {})
        change()
        assert is_due(part) is matters


def test_whoever_requests_a_check_wakes_the_poller(in_app: Flask) -> None:
    part, poller = make_part(), Woken()
    in_app.extensions["acr3d_poller"] = poller
    photo_id = add_photos(part.id, [large_picture()])[0].id
    assert poller.times == 1

    label_photo(photo_id, {"angle_label": "top"})
    assert poller.times == 2

    with transaction() as session:
        session.execute(update(Part).values(check_due_at=None))
    queue.request_check_if_missing(part_by_id(part.id), images_of(part.id))
    assert poller.times == 3

    delete_photo(photo_id)
    assert poller.times == 4


def test_a_change_waits_until_the_photos_are_left_alone(in_app: Flask) -> None:
    part = make_part_with_photos()

    assert queue.claim() is None
    assert queue.next_due() == part_by_id(part.id).check_due_at


def test_one_check_is_taken_by_one_poller_and_taken_again_when_it_was_killed(in_app: Flask) -> None:
    part = make_part_with_photos()
    settle(part)

    killed = queue.claim()
    assert killed is not None
    assert queue.claim() is None

    settle(part)  # its time ran out
    again = queue.claim()
    assert again is not None
    assert again.part_id == part.id
    queue.store(killed, {})  # it lived after all: the later one still ends the wait
    assert is_due(part)
    queue.store(again, {})
    assert not is_due(part)


def test_photos_that_changed_during_a_check_are_checked_again(in_app: Flask) -> None:
    part = make_part_with_photos()
    settle(part)
    claimed = queue.claim()
    assert claimed is not None

    delete_photo(order_of(part)[0])
    queue.store(claimed, {"photos": [GOOD] * 3, "findings": [], "best": []})

    assert is_due(part)
    assert told(browser(in_app), part)["preflight"]["state"] == "waiting"


def test_a_result_survives_reordering_and_is_not_made_twice(in_app: Flask) -> None:
    part = make_part()
    for colour in ("steelblue", "tomato"):
        add_photos(part.id, [sanitize.clean(io.BytesIO(picture(colour)))])
    blurred = GOOD | {"findings": [{"code": "blurred", "photos": [0]}]}
    kept(part, {"photos": [blurred, GOOD], "findings": [], "best": []})
    client = browser(in_app)
    [before] = told(client, part)["preflight"]["findings"]

    reorder(part.id, order_of(part)[::-1])

    [after] = told(client, part)["preflight"]["findings"]
    assert after["images"] == before["images"]
    assert {before["message"][:7], after["message"][:7]} == {"Photo 1", "Photo 2"}


def test_a_stopped_check_is_handed_back_and_a_broken_one_says_nothing(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = make_part_with_photos()

    def broken(*_args: object, **_more: object) -> dict[str, Any]:
        raise errors.pop(0)

    errors: list[Exception] = [sandbox.ChildStopped("stopping")]
    errors += [sandbox.ChildCrashed("too much memory")] * queue.MOST_TRIES
    monkeypatch.setattr(run.sandbox, "run", broken)
    for is_still_due in (True, True, True, False):
        settle(part)
        claimed = queue.claim()
        assert claimed is not None
        check_photos(claimed, Event())
        assert is_due(part) is is_still_due

    answer = told(browser(in_app), part)["preflight"]
    assert (answer["state"], answer["findings"], answer["best"]) == ("unknown", [], [])
    assert list(storage().incoming.iterdir()) == []


def test_a_check_that_broke_off_is_tried_again_and_then_holds(in_app: Flask) -> None:
    part = make_part_with_photos()
    settle(part)
    claimed = queue.claim()
    assert claimed is not None

    queue.mark_failed(claimed)

    assert queue.claim() is None  # not at once
    client = browser(in_app)
    assert told(client, part)["preflight"]["state"] == "waiting"
    kept(part, {"photos": [GOOD] * 3, "findings": [], "best": []})
    assert not is_due(part)
    assert told(client, part)["preflight"]["state"] == "checked"


def test_photos_that_changed_have_all_their_tries_again(in_app: Flask) -> None:
    part = make_part_with_photos()
    for _try in range(queue.MOST_TRIES):
        settle(part)
        claimed = queue.claim()
        assert claimed is not None
        queue.mark_failed(claimed)
    assert not is_due(part)

    label_photo(order_of(part)[0], {"angle_label": "top"})
    settle(part)
    claimed = queue.claim()
    assert claimed is not None
    queue.mark_failed(claimed)

    assert is_due(part)


def test_a_check_is_not_taken_twice_while_it_waits_for_other_heavy_work() -> None:
    others = (
        silhouette_check.LIMITS,
        optimize.OPTIMIZE_LIMITS,
        optimize.POSTER_LIMITS,
        worker.LIMITS,
        worker.SPIN_LIMITS,
    )

    longest = max(limits.seconds for limits in others)

    assert timedelta(seconds=longest + run.LIMITS.seconds) < queue.LEASE

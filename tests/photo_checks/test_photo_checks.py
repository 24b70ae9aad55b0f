"""Photos are checked by the poller after each change, once, and what it found is told."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import refresh
from PIL import Image
from sqlalchemy import update

from acr3d import sandbox
from acr3d.db.extensions import db
from acr3d.db.models import Part, PhotoCheck
from acr3d.db.session import end_read, transaction
from acr3d.db.types import utc_now
from acr3d.engine_server import worker
from acr3d.jobs import silhouette_check
from acr3d.jobs.steps import optimize
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import add_photos, delete_photo, images_of, label_photo, reorder
from acr3d.photo_checks import queue, run
from acr3d.photo_checks.run import check_photos
from acr3d.photos import sanitize
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller
from tests.support.accounts import browser, csrf_header
from tests.support.factories import make_part, make_part_with_photos, order_of, picture
from tests.support.woken import Woken

GOOD: dict[str, Any] = {
    "findings": [],
    "outline": "M1 1L9 1L9 9Z",
    "left_out": [],
    "marks": [],
    "size": [512, 384],
    "edge_width": 2.5,
}


def large_picture(box: tuple[int, int, int, int] = (200, 200, 800, 600)) -> sanitize.Photo:
    """A block on white, perhaps cut off by the picture's edge."""
    whole = Image.new("RGB", (1000, 800), "white")
    whole.paste("steelblue", box)
    buffer = io.BytesIO()
    whole.save(buffer, "PNG")
    return sanitize.clean(io.BytesIO(buffer.getvalue()))


def settle(part: Part) -> None:
    """Let the time pass that photos must have been left alone."""
    moment = utc_now() - timedelta(seconds=1)
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(check_due_at=moment))


def is_due(part: Part) -> bool:
    db.session.expire_all()
    due = part_by_id(part.id).check_due_at is not None
    end_read()
    return due


def check(part: Part, app: Flask) -> None:
    settle(part)
    JobPoller(app).run_once()
    assert not is_due(part)


def kept(part: Part, report: dict[str, Any]) -> None:
    """Keep `report` as what a check of the part's present photos found."""
    settle(part)
    claimed = queue.claim()
    assert claimed is not None
    assert claimed.part_id == part.id
    queue.store(claimed, report)


def told(client: FlaskClient, part: Part) -> Any:
    return client.get(f"/api/admin/parts/{part.id}").json


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
    )

    longest = max(limits.seconds for limits in others)

    assert timedelta(seconds=longest + run.LIMITS.seconds) < queue.LEASE


def test_the_form_ticks_what_the_check_found_best(in_app: Flask) -> None:
    part = make_part_with_photos(angles=("front", "right", "back", "left", "top"))
    client = browser(in_app)
    images = images_of(part.id)
    best = [queue.report_order(images)[place] for place in (2, 4)]
    end_read()
    assert ticked(client, part) == {image.id for image in images if image.angle_label != "left"}
    settle(part)

    kept(part, {"photos": [GOOD] * 5, "findings": [], "best": [2, 4]})

    assert ticked(client, part) == {image.id for image in best}


def ticked(client: FlaskClient, part: Part) -> set[str]:
    page = client.get(f"/admin/parts/{part.id}").text
    return set(re.findall(r'name="use" value="([^"]+)" checked', page))


def test_a_page_asks_for_the_check_of_photos_that_nobody_looked_at(in_app: Flask) -> None:
    part = make_part_with_photos()
    with transaction() as session:
        session.execute(update(Part).values(check_due_at=None))
    client, changed_at = browser(in_app), part_by_id(part.id).updated_at

    page = client.get(f"/admin/parts/{part.id}").text

    assert "Checking the photos" in page
    assert is_due(part)
    assert part_by_id(part.id).updated_at == changed_at
    kept(part, {})
    client.get(f"/admin/parts/{part.id}")
    assert not is_due(part)  # a check that broke off is not tried on each visit


REPORT: dict[str, Any] = {
    "findings": [
        {"code": "swapped", "photos": [0, 2]},
        {"code": "swapped", "photos": [0, 2], "or": [1, 2]},
        {"code": "exchanged", "photos": [0, 2]},
        {"code": "stranger", "photos": [1]},
        {"code": "unlike", "photos": [0, 1]},
        {"code": "contradicts", "photos": [0, 1, 2]},
        {"code": "turned", "photos": [1], "degrees": 90},
        {"code": "same_angle", "photos": [0, 1]},
    ],
    "best": [0, 2],
}
ABOUT_ONE: list[dict[str, Any]] = [
    {"code": "unreadable"},
    {"code": "small", "width": 300, "height": 200},
    {"code": "part_small", "pixels": 100},
    {"code": "blurred"},
    {"code": "cropped", "sides": ["top", "left"]},
    {"code": "several_parts"},
    {"code": "scattered"},
    {"code": "person"},
    {"code": "backdrop_busy"},
    {"code": "backdrop_uneven"},
    {"code": "no_part"},
]


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_finding_has_a_sentence_that_names_its_photos(in_app: Flask, language: str) -> None:
    part = make_part_with_photos()
    about = [one | {"photos": [0]} for one in ABOUT_ONE]
    shown = [GOOD | {"findings": about, "marks": [[0.25, 0.5, 0.75, 1.0]]}, GOOD, GOOD]
    kept(part, REPORT | {"photos": shown})

    client = browser(in_app)
    refresh()  # the context of this test outlives its requests, and with it their language
    answer = client.get(f"/api/admin/parts/{part.id}", headers={"Accept-Language": language}).json
    page = client.get(f"/admin/parts/{part.id}", headers={"Accept-Language": language}).text

    word = {"en": "Photo", "de": "Foto"}[language]
    assert len(answer["preflight"]["findings"]) == 19
    for finding in answer["preflight"]["findings"]:
        names = [f"{word} {1 + order_of(part).index(image)} (" for image in finding["images"]]
        assert all(name in finding["message"] for name in names)
        assert "%(" not in finding["message"]
    assert page.count('<rect x="128.0" y="192.0" width="256.0" height="192.0"/>') == 1  # where it is wrong
    assert page.count('<path d="M1 1L9 1L9 9Z"/>') == 3  # on the tiles


def test_photos_along_one_axis_say_which_sides_are_missing(in_app: Flask) -> None:
    part = make_part_with_photos(angles=("left", "right"))
    finding = {"code": "one_axis", "photos": [0, 1], "axis": "width"}
    kept(part, {"photos": [GOOD] * 2, "findings": [finding], "best": []})

    [advice] = told(browser(in_app), part)["preflight"]["findings"]

    assert "its width will be a guess. Add a photo from the front, back" in advice["message"]


def test_two_angles_are_exchanged_with_one_button_and_only_once(app: Flask) -> None:
    with app.app_context():
        part, other = make_part_with_photos(angles=("left", "right")), make_part_with_photos("BR-200")
        left, right = images_of(part.id)
        places = [queue.report_order([left, right]).index(image) for image in (left, right)]
        finding = {"code": "exchanged", "photos": places}
        kept(part, {"photos": [GOOD] * 2, "findings": [finding], "best": []})
        to_be = {order_of(part)[0]: "right", order_of(part)[1]: "left"}
        part_id, other_id = part.id, other.id
    admin = browser(app)
    page = admin.get(f"/admin/parts/{part_id}").text
    form = dict(re.findall(r'type="hidden" name="([^"]{36})" value="(left|right)"', page))
    assert form == to_be

    statuses = [
        admin.post(f"/admin/parts/{one}/photos/angles", data=form, headers=csrf_header(admin)).status_code
        for one in (other_id, part_id, part_id)  # not that of another part, and pressed twice by mistake
    ]

    assert statuses == [404, 200, 200]
    with app.app_context():
        assert [image.angle_label for image in images_of(part_id)] == ["right", "left"]
        assert part_by_id(part_id).check_due_at is not None


def test_customers_hear_nothing_of_it(in_app: Flask, client: FlaskClient) -> None:
    part = make_part_with_photos()
    kept(part, REPORT | {"photos": [GOOD] * 3})

    for address in (f"/parts/{part.sku}", f"/api/parts/{part.sku}"):
        assert "M1 1L9 1L9 9Z" not in client.get(address).text
    assert client.get(f"/api/admin/parts/{part.id}").status_code == 401


def test_a_deleted_part_and_missing_files_do_no_harm(in_app: Flask) -> None:
    part = make_part_with_photos(angles=("front",))
    for image in images_of(part.id):
        Path(storage().path(image.storage_path or "")).unlink()

    check(part, in_app)

    row = db.session.get_one(PhotoCheck, part.id)
    assert row.report["photos"][0]["findings"] == [{"code": "unreadable", "photos": [0]}]


@pytest.mark.parametrize(
    "report", [{"photos": 7}, {"photos": [{}] * 3}, {"photos": [GOOD] * 3}, {"photos": [GOOD]}, {"best": []}]
)
def test_a_report_of_odd_shape_says_nothing(in_app: Flask, report: dict[str, Any]) -> None:
    part = make_part_with_photos()
    kept(part, report)
    admin = browser(in_app)

    assert admin.get(f"/admin/parts/{part.id}").status_code == 200
    assert told(admin, part)["preflight"]["state"] in ("waiting", "unknown")

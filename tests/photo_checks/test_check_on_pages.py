"""What a check of photos found, as people read it on pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import refresh
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Part, PhotoCheck
from acr3d.db.session import end_read, transaction
from acr3d.parts.parts import part_by_id
from acr3d.parts.photos import images_of
from acr3d.photo_checks import queue
from acr3d.storage.blobs import storage
from tests.support.accounts import browser, csrf_header
from tests.support.factories import finished_job, make_part_with_photos, order_of
from tests.support.photo_checks import GOOD, check, is_due, kept, settle, told


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


def test_the_end_of_a_job_and_of_a_check_are_read_out_together(in_app: Flask) -> None:
    part = make_part_with_photos(angles=("front", "right"))
    kept(part, {"photos": [GOOD] * 2, "findings": [], "best": []})
    with transaction() as session:
        session.add(finished_job(part.id))

    news = browser(in_app).get(f"/admin/parts/{part.id}/live?rev=x").text

    [said] = re.findall(r'<div hx-swap-oob="innerHTML:#announce">(.*?)</div>', news)
    assert said == f"{part.name}: Complete. The photo check is finished. No problems found."


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


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_every_finding_has_a_sentence_that_names_its_photos(in_app: Flask, language: str) -> None:
    part = make_part_with_photos()
    about = [one | {"photos": [0]} for one in ABOUT_ONE]
    shown = [GOOD | {"findings": about, "marks": [[0.25, 0.5, 0.75, 1.0]]}, GOOD, GOOD]
    kept(part, REPORT | {"photos": shown})

    client = browser(in_app)
    refresh()  # the context of this test outlives its requests, and with it their language
    answer = client.get(f"/api/admin/parts/{part.id}", headers={"Accept-Language": language}).json
    page = client.get(f"/admin/parts/{part.id}", headers={"Accept-Language": language}).text

    word = {"en": "Photo", "de": "Foto", "es": "Foto"}[language]
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

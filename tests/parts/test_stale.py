"""Nobody overwrites anybody: two people change, delete and bring back one part."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.parts.parts import part_by_id, update_part
from acr3d.parts.photos import add_photos
from tests.support.accounts import bearer, browser, csrf_token
from tests.support.factories import make_part, photo

INPUT = re.compile(r"<(?:input|textarea)(?P<tag>[^>]*)>(?:(?P<text>[^<]*)</textarea>)?")


def form_of(page: str) -> dict[str, str]:
    """What a browser would send back of the part's form."""
    [form] = re.findall(
        r'<form class="fields" method="post" data-unsaved action="/admin/parts/[^/"]+"[^>]*>.*?</form>',
        page,
        re.DOTALL,
    )
    sent = {}
    for found in INPUT.finditer(form):
        tag = dict(re.findall(r'(\w+)="([^"]*)"', found["tag"]))
        is_box = tag.get("type") in ("checkbox", "radio")
        if "name" in tag and (not is_box or " checked" in found["tag"]):
            value = found["text"] if found["text"] is not None else tag.get("value", "on")
            sent[tag["name"]] = html.unescape(value)
    return dict(re.findall(r'name="(keep\.\w+)" value="(theirs)" checked', form)) | sent


@pytest.fixture
def part_id(app: Flask) -> str:
    with app.app_context():
        return make_part("BR-100", name="Bracket", width_mm=120).id


@pytest.fixture
def anna(app: Flask) -> FlaskClient:
    return browser(app)


def facts(app: Flask, part_id: str) -> tuple[Any, ...]:
    with app.app_context():
        part = part_by_id(part_id)
        return part.name, part.description, part.width_mm, part.is_published


def test_a_form_that_nobody_overtook_is_saved_whatever_else_moved(
    app: Flask, anna: FlaskClient, part_id: str
) -> None:
    typed = form_of(anna.get(f"/admin/parts/{part_id}").text)
    with app.app_context():
        add_photos(part_id, [photo()])

    saved = anna.post(f"/admin/parts/{part_id}", data=typed | {"name": "Bracket 2", "width_mm": "12,5 cm"})

    assert saved.status_code == 302
    assert facts(app, part_id) == ("Bracket 2", None, 125, True)


def test_a_stale_form_shows_both_values_and_keeps_the_others_unless_told(
    app: Flask, anna: FlaskClient, part_id: str
) -> None:
    page = f"/admin/parts/{part_id}"
    typed = form_of(anna.get(page).text) | {"name": "Anna's <b>", "description": "Anna's words"}
    with app.app_context():
        update_part(part_id, {"name": "Ben's", "width_mm": 99, "is_published": False})

    stale = anna.post(page, data=typed)

    assert stale.status_code == 409
    assert "Someone else has changed this part in the meantime" in stale.text
    for shown in ("Ben&#39;s", "Anna&#39;s &lt;b&gt;", "99 mm", "120 mm", ">no<", ">yes<"):
        assert shown in stale.text
    assert facts(app, part_id) == ("Ben's", None, 99, False)
    again = form_of(stale.text)
    assert {name for name in again if name.startswith("keep.")} == {
        "keep.name",
        "keep.width_mm",
        "keep.is_published",
    }

    saved = anna.post(page, data=again | {"keep.width_mm": "mine"})

    assert saved.status_code == 302
    assert facts(app, part_id) == ("Ben's", "Anna's words", 120, False)


def test_a_stale_choice_is_asked_once_more(app: Flask, anna: FlaskClient, part_id: str) -> None:
    page = f"/admin/parts/{part_id}"
    typed = form_of(anna.get(page).text) | {"name": "Anna's"}
    with app.app_context():
        update_part(part_id, {"name": "Ben's"})
    again = form_of(anna.post(page, data=typed).text) | {"keep.name": "mine"}
    with app.app_context():
        update_part(part_id, {"name": "Carl's"})

    assert anna.post(page, data=again).status_code == 409
    assert facts(app, part_id)[0] == "Carl's"


@pytest.mark.parametrize("seen", ["", "[]", "{", '{"name": 7}', "null"])
def test_a_stale_form_that_does_not_say_what_it_saw_changes_nothing(
    app: Flask, anna: FlaskClient, part_id: str, seen: str
) -> None:
    typed = form_of(anna.get(f"/admin/parts/{part_id}").text) | {"seen": seen, "name": "Anna's"}
    with app.app_context():
        update_part(part_id, {"description": "Ben's"})

    assert anna.post(f"/admin/parts/{part_id}", data=typed).status_code == 409
    assert facts(app, part_id)[:2] == ("Bracket", "Ben's")


def test_a_part_that_was_changed_is_not_deleted_by_a_stale_page_and_can_be_brought_back(
    app: Flask, anna: FlaskClient, part_id: str
) -> None:
    page = f"/admin/parts/{part_id}"
    typed = form_of(anna.get(page).text)
    with app.app_context():
        update_part(part_id, {"name": "Ben's"})

    assert anna.post(f"{page}/delete", data=typed).status_code == 409
    gone = anna.post(f"{page}/delete", data=form_of(anna.get(page).text))

    assert gone.status_code == 204
    listed = anna.get("/admin/parts").text
    assert f'action="{page}/restore"' in listed
    assert "BR-100" in anna.get("/admin/parts/bin").text
    lost = anna.post(page, data=typed | {"description": "Long words"})
    assert lost.status_code == 410
    assert "Long words" in lost.text
    assert f'action="{page}/restore"' in lost.text
    back = anna.post(f"{page}/restore", data={"csrf_token": csrf_token(anna)})
    assert back.location == page
    assert facts(app, part_id)[0] == "Ben's"
    assert anna.post(f"{page}/restore", data={"csrf_token": csrf_token(anna)}).status_code == 404


def test_the_api_changes_a_part_only_at_the_revision_that_was_seen(
    app: Flask, client: FlaskClient, part_id: str
) -> None:
    address, staff = f"/api/admin/parts/{part_id}", bearer(app)
    read = client.get(address, headers=staff)
    tag, revision = read.headers["ETag"], read.json["revision"]  # type: ignore[index]
    match = {"If-Match": tag}

    changed = client.patch(address, json={"name": "One"}, headers=staff | match)
    by_tag = client.patch(address, json={"name": "Two"}, headers=staff | match)
    by_body = client.patch(address, json={"name": "Two", "revision": revision}, headers=staff)
    deleted = client.delete(address, headers=staff | match)
    unclear = client.patch(address, json={"name": "Two"}, headers=staff | {"If-Match": '"x"'})

    assert (changed.status_code, changed.json["name"]) == (200, "One")  # type: ignore[index]
    for stale in (by_tag, by_body, deleted):
        assert (stale.status_code, stale.json["part"]) == (409, changed.json)  # type: ignore[index]
        assert "Someone else has changed this part" in stale.json["error"]  # type: ignore[index]
    assert unclear.status_code == 400
    present = {"If-Match": changed.headers["ETag"]}
    assert client.delete(address, headers=staff | present).status_code == 204
    assert client.patch(address, json={"name": "Two"}, headers=staff).status_code == 404

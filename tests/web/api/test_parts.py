"""The JSON API: parts, for staff and for everybody; and how strictly a body is read."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.parts import photos
from tests.support.accounts import browser
from tests.support.factories import make_part, photo

PARTS = "/api/admin/parts"
JSON = {"Content-Type": "application/json"}


def test_a_new_part_is_answered_and_can_be_read_back(client: FlaskClient, admin: dict[str, str]) -> None:
    fields = {"sku": "BR/100 ü", "name": "Bracket", "description": "Strong.", "width_mm": 12.5}

    made = client.post(PARTS, json=fields, headers=admin)

    assert made.status_code == 201
    assert made.json is not None
    assert {name: made.json[name] for name in fields} == fields
    assert made.json["is_published"] is True
    assert made.json["model_status"] == "none"
    read = client.get(f"{PARTS}/{made.json['id']}", headers=admin).json
    unseen = {"state": "none", "findings": [], "best": [], "checked_at": None}
    assert read == made.json | {"images": [], "jobs": [], "preflight": unseen}


def test_a_sku_in_use_is_a_conflict(client: FlaskClient, admin: dict[str, str]) -> None:
    client.post(PARTS, json={"sku": "BR-1", "name": "One"}, headers=admin)

    again = client.post(PARTS, json={"sku": "br-1", "name": "Two"}, headers=admin)

    assert again.status_code == 409
    assert again.json == {"error": "The SKU “br-1” is in use by another part: “One” (BR-1)."}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ('"text"', "must be a JSON object"),
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ('{"sku": "A"}', "“name” is missing"),
        ('{"sku": "A", "name": null}', "“name” has the wrong type"),
        ('{"sku": 7, "name": "x"}', "“sku” has the wrong type"),
        ('{"sku": " ", "name": "x"}', "must not be empty"),
        ('{"sku": "A", "name": "x", "id": "1"}', "Unknown field: id"),
        ('{"sku": "A", "sku": "B", "name": "x"}', "not valid JSON"),
        ('{"sku": "A", "name": "x", "is_published": 1}', "“is_published” has the wrong type"),
        ('{"sku": "A", "name": "x", "width_mm": true}', "“width_mm” has the wrong type"),
        ('{"sku": "A", "name": "x", "width_mm": "7"}', "“width_mm” has the wrong type"),
        ('{"sku": "A", "name": "x", "width_mm": NaN}', "not valid JSON"),
        ('{"sku": "A", "name": "x", "width_mm": 1e999}', "not valid JSON"),
        ('{"sku": "A", "name": "x", "width_mm": ' + "9" * 400 + "}", "not valid JSON"),
        ('{"sku": "A", "name": "x", "width_mm": -1}', "must be a number from 0.1 to 100000 mm"),
        ('{"sku": "A", "name": "half \\ud83d"}', "not valid JSON"),
        ('{"sku": "A", "name": "x", "description": "\\ud83d"}', "not valid JSON"),
        ('{"sku": "A", "name": "x", "description": "\\u0000"}', "must be plain text"),
        ('{"sku": "A\\u0000", "name": "x"}', "unprintable character"),
        ("[" * 100_000, "not valid JSON"),
        (b'{"sku": "A", "name": "\xff"}', "not valid JSON"),
    ],
)
def test_a_body_that_cannot_be_meant_is_refused_with_a_sentence(
    client: FlaskClient, admin: dict[str, str], body: str | bytes, sentence: str
) -> None:
    answer = client.post(PARTS, data=body, content_type="application/json", headers=admin)

    assert answer.status_code == 400
    assert answer.json is not None
    assert list(answer.json) == ["error"]
    assert sentence in answer.json["error"]
    assert client.get("/api/parts").json["total"] == 0  # type: ignore[index]


def test_every_kind_of_failure_is_json(client: FlaskClient, admin: dict[str, str]) -> None:
    failures = [
        (404, client.get("/api/nothing")),
        (404, client.get("/api/parts/nothing")),
        (404, client.get(f"{PARTS}/nothing", headers=admin)),
        (404, client.get(f"{PARTS}/00000000-0000-4000-8000-000000000000", headers=admin)),
        (405, client.delete("/api/parts")),
        (401, client.get(f"{PARTS}/nothing")),
        (413, client.post(PARTS, data=b" " * 300_000, content_type="application/json", headers=admin)),
        (415, client.post(PARTS, data={"sku": "A"}, headers=admin)),
    ]

    for status, answer in failures:
        assert answer.status_code == status
        assert answer.json is not None
        assert list(answer.json) == ["error"]
        assert answer.json["error"].endswith(".")
        assert answer.headers["Cache-Control"] == "no-store"
    assert failures[4][1].headers["Allow"]
    assert failures[5][1].headers["WWW-Authenticate"] == "Bearer"


def test_our_own_fault_is_json_too_and_says_nothing_of_our_insides(
    app: Flask, client: FlaskClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("insides")

    monkeypatch.setattr("acr3d.web.list_request.search", broken)

    answer = client.get("/api/parts")

    assert answer.status_code == 500
    assert answer.json == {"error": "Something went wrong on our side. Nothing was changed. Try again later."}


def test_everybody_reads_published_parts_and_only_those(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        shown = make_part("BR-1", description="Strong.", width_mm=10)
        photos.add_photos(shown.id, [photo()], {"angle_label": "front"})
        make_part("BR-2", is_published=False)

    listed = client.get("/api/parts").json
    assert listed is not None
    assert (listed["total"], listed["has_more_than_total"], listed["next"]) == (1, False, None)
    part = client.get("/api/parts/br-1").json
    assert part == listed["parts"][0]
    assert (part["sku"], part["name"], part["description"]) == ("BR-1", "Bracket BR-1", "Strong.")
    assert part["size_mm"] == {"width": 10, "height": None, "depth": None}
    assert part["model_3d_url"] is None
    assert part["photos"][0]["angle_label"] == "front"
    assert client.get(part["photos"][0]["url"], buffered=True).status_code == 200
    assert client.get("/api/parts/BR-2").status_code == 404
    assert client.get("/api/parts?q=strong").json["total"] == 1  # type: ignore[index]
    assert client.get("/api/parts?q=weak").json["total"] == 0  # type: ignore[index]


def test_lists_go_on_where_a_page_ends(app: Flask, client: FlaskClient, admin: dict[str, str]) -> None:
    with app.app_context():
        for number in range(3):
            make_part(f"P-{number}", is_published=number != 1)

    def listed(address: str) -> list[str]:
        first = client.get(address, headers=admin).json
        following = client.get(f"{address}&cursor={first['next']}", headers=admin).json  # type: ignore[index]
        assert following["next"] is None  # type: ignore[index]
        return [part["sku"] for part in first["parts"] + following["parts"]]  # type: ignore[index]

    assert listed("/api/parts?limit=1") == ["P-0", "P-2"]
    assert listed(f"{PARTS}?limit=2&sort=newest&q=bracket") == ["P-2", "P-1", "P-0"]
    hidden = client.get(f"{PARTS}?published=false", headers=admin).json
    assert [part["sku"] for part in hidden["parts"]] == ["P-1"]  # type: ignore[index]
    for wrong in ("limit=0", "limit=201", "limit=x", "sort=price", "cursor=x", "published=maybe"):
        refused = client.get(f"{PARTS}?{wrong}", headers=admin)
        assert refused.status_code == 400, wrong
        assert refused.json["error"].endswith(".")  # type: ignore[index]


def test_what_the_public_reads_names_no_id_or_draft(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part("BR-1")

    part = client.get("/api/parts/BR-1").json

    assert part is not None
    facts = {"brand", "category", "condition", "price", "currency", "price_unit", "availability", "weight_g"}
    facts |= {"sku", "name", "description", "size_mm", "numbers", "fitment", "attributes"}
    assert set(part) == facts | {"url", "photos", "model_3d_url"}


@pytest.mark.parametrize("sku", ["a/b", "/a", "a//b", "a/", "100%", "a?b#c", "ü+ö &", "..;", "%2F", "<b>"])
def test_any_printable_sku_has_an_address(app: Flask, client: FlaskClient, sku: str) -> None:
    with app.app_context():
        make_part(sku)

    part = client.get(f"/api/parts/{quote(sku, safe='')}").json

    assert part is not None
    assert part["sku"] == sku
    assert part["url"].endswith(f"/parts/{quote(sku, safe='')}")


def test_a_token_wins_over_a_cookie(app: Flask, admin: dict[str, str]) -> None:
    viewer = browser(app, "viewer")

    by_token = viewer.post(PARTS, data=json.dumps({"sku": "A", "name": "x"}), headers=admin | JSON)
    by_bad_token = viewer.get(f"{PARTS}/x", headers={"Authorization": "Bearer acr3d_wrong"})

    assert by_token.status_code == 201
    assert by_bad_token.status_code == 401

"""A page elsewhere cannot make the browser of somebody who is logged in change anything here."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.parts import parts
from acr3d.parts.photos import images_of
from tests.support.accounts import bearer, csrf_header, csrf_token
from tests.support.factories import make_part_with_photos, order_of
from tests.support.routes import routes

PART = {"sku": "NEW", "name": "New"}


@pytest.fixture
def known(app: Flask) -> dict[str, str]:
    with app.app_context():
        part = make_part_with_photos()
        return {"part_id": part.id, "image_id": order_of(part)[0]}


def test_nothing_is_changed_without_the_token(app: Flask, admin: FlaskClient, known: dict[str, str]) -> None:
    with app.app_context():
        before = (parts.part_by_id(known["part_id"]).revision, len(images_of(known["part_id"])))

    # Meshy has no session; what its webhook may do is in test_webhooks.
    changing = [route for route in routes(app, **known) if route.changes and "/webhooks/" not in route.rule]
    for route in changing:
        for headers in ({}, {"X-CSRFToken": "wrong"}, {"HX-Request": "true"}):
            answer = admin.open(route.path, method=route.method, headers=headers)
            assert answer.status_code == 400, route
            assert "form has expired" in answer.text, route
            assert answer.is_json is route.is_api, route

    assert len(changing) > 15
    with app.app_context():
        part = parts.part_by_id(known["part_id"])
        assert (part.revision, len(images_of(part.id))) == before
    assert admin.get("/admin/").status_code == 200


def test_a_token_of_another_session_is_no_good(app: Flask, admin: FlaskClient, client: FlaskClient) -> None:
    strangers = csrf_header(client)

    assert admin.post("/api/admin/parts", json=PART, headers=strangers).status_code == 400
    assert admin.post("/logout", headers=strangers).status_code == 400


def test_the_api_wants_the_token_in_the_header(admin: FlaskClient) -> None:
    token = csrf_token(admin)

    assert admin.post(f"/api/admin/parts?csrf_token={token}", json=PART).status_code == 400
    assert admin.post("/api/admin/parts", json=PART, headers={"X-CSRFToken": token}).status_code == 201


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "http://proxied.example", "Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_the_api_takes_changes_by_cookie_from_our_own_pages_only(
    admin: FlaskClient, headers: dict[str, str], status: int
) -> None:
    answer = admin.post("/api/admin/parts", json=PART, headers=csrf_header(admin) | headers)

    assert answer.status_code == status


def test_a_bearer_token_needs_no_csrf_token_and_may_come_from_anywhere(
    app: Flask, client: FlaskClient
) -> None:
    headers = bearer(app) | {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}

    assert client.post("/api/admin/parts", json=PART, headers=headers).status_code == 201


def test_a_cookie_beside_a_bearer_token_lends_it_no_rights(app: Flask, admin: FlaskClient) -> None:
    for authorization in (bearer(app, "viewer")["Authorization"], "Bearer acr3d_wrong"):
        headers = csrf_header(admin) | {"Authorization": authorization}
        assert admin.post("/api/admin/parts", json=PART, headers=headers).status_code in (401, 403)

"""Who may do what, asked of every address there is."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.accounts import tokens, users
from acr3d.db.models import Import, ModelVersion, UnmatchedTask
from acr3d.db.session import transaction
from tests.support.accounts import bearer, browser, csrf_header
from tests.support.factories import finished_job, make_part_with_photos, order_of
from tests.support.routes import Route, routes

FOR_ADMINS = "/admin/people"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def known(app: Flask) -> dict[str, str]:
    """A part with everything: what the places in the addresses can name."""
    with app.app_context():
        part = make_part_with_photos()
        job = finished_job(part.id)
        with transaction() as session:
            session.add(job)
            session.flush()
            key = f"parts/{part.id}/models/{job.id}.glb"
            version = ModelVersion(part_id=part.id, job_id=job.id, number=1, storage_path=key, report={})
            version.sha256, version.file_size_bytes = "0" * 64, 1
            unmatched = UnmatchedTask(account="", task_id="a task", status="SUCCEEDED", progress=100)
            unmatched.texture_prompt, unmatched.has_thumbnail = "", True
            table = Import(
                file_name="a.csv", storage_path="imports/a/table.bin", sha256="0" * 64, state="ready"
            )
            session.add_all([version, unmatched, table])
        return {
            "part_id": part.id,
            "image_id": order_of(part)[0],
            "job_id": job.id,
            "version_id": version.id,
            "unmatched_id": unmatched.id,
            "import_id": table.id,
            "table_format": "csv",
            "sku": part.sku,
            "filename": "favicon.svg",
            "key": key,
        }


def for_staff(app: Flask, known: dict[str, str]) -> list[Route]:
    found = [route for route in routes(app, **known) if route.is_for_staff]
    assert len(found) > 20
    return found


def test_a_current_page_that_is_no_address_is_ignored(client: FlaskClient) -> None:
    answer = client.get("/admin/", headers={"HX-Request": "true", "HX-Current-URL": "http://["})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


def test_strangers_are_refused_everywhere_behind_admin(
    app: Flask, client: FlaskClient, known: dict[str, str]
) -> None:
    token = csrf_header(client)
    for route in for_staff(app, known):
        answer = client.open(route.path, method=route.method, headers=token)
        if route.is_api:
            assert (answer.status_code, answer.is_json) == (401, True), route
        else:
            assert answer.status_code == 302, route
            assert answer.location.startswith("/login"), route
            corner = client.open(route.path, method=route.method, headers=token | HTMX)
            assert corner.status_code == 401, route
            assert corner.headers["HX-Redirect"].startswith("/login"), route
            assert corner.data == b"", route


def test_strangers_are_refused_without_a_csrf_token_too(
    app: Flask, client: FlaskClient, known: dict[str, str]
) -> None:
    for route in for_staff(app, known):
        answer = client.open(route.path, method=route.method)
        assert answer.status_code == (401 if route.is_api else 302), route


def test_viewers_read_everything_and_change_nothing(app: Flask, known: dict[str, str]) -> None:
    viewer = browser(app, "viewer")
    token = csrf_header(viewer)

    for route in for_staff(app, known):
        answer = viewer.open(route.path, method=route.method, headers=token)
        if route.changes:
            assert answer.status_code == 403, route
            assert "Ask an admin" in answer.text, route
        elif route.path.startswith(FOR_ADMINS):
            assert answer.status_code == 403, route
        else:
            assert answer.status_code in (200, 204, 301), route  # moved: the rule of the new address holds


def test_admins_are_refused_nowhere(app: Flask) -> None:
    admin = browser(app, "admin")
    token = csrf_header(admin)

    for route in routes(app):
        if route.is_for_staff and route.changes:
            answer = admin.open(route.path, method=route.method, headers=token)
            assert answer.status_code not in (401, 403), route
            assert answer.status_code < 500, route


def test_tokens_may_do_in_the_api_what_their_role_may(
    app: Flask, client: FlaskClient, known: dict[str, str]
) -> None:
    viewers, admins = bearer(app, "viewer"), bearer(app, "admin")

    for route in for_staff(app, known):
        by_viewer = client.open(route.path, method=route.method, headers=viewers)
        if not route.is_api:
            assert by_viewer.status_code == 302, route
        elif route.changes:
            assert by_viewer.status_code == 403, route
        else:
            assert by_viewer.status_code in (200, 204), route
    for route in routes(app):
        if route.is_for_staff and route.is_api:
            by_admin = client.open(route.path, method=route.method, headers=admins)
            assert by_admin.status_code in ((400, 404, 415) if route.names_something else (200, 400, 415)), (
                route
            )


def test_tokens_do_not_log_in_on_pages(app: Flask, client: FlaskClient, known: dict[str, str]) -> None:
    admins = bearer(app, "admin")

    for route in for_staff(app, known):
        if not route.is_api:
            answer = client.open(route.path, method=route.method, headers=admins)
            assert answer.status_code == 302, route
            assert answer.location.startswith("/login"), route


def test_dead_tokens_are_refused(app: Flask, client: FlaskClient, known: dict[str, str]) -> None:
    path = f"/api/admin/parts/{known['part_id']}"
    disabled, revoked = bearer(app, email="ben@example.com"), bearer(app, email="cleo@example.com")
    for headers in (disabled, revoked):
        assert client.get(path, headers=headers).status_code == 200

    with app.app_context():
        users.disable_user("ben@example.com")
        tokens.revoke_tokens("cleo@example.com")

    dead = (
        disabled["Authorization"],
        revoked["Authorization"],
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic eDp5",
    )
    for authorization in dead:
        answer = client.get(path, headers={"Authorization": authorization})
        assert (answer.status_code, answer.is_json) == (401, True), authorization


def test_a_disabled_user_is_a_stranger(app: Flask, known: dict[str, str]) -> None:
    admin = browser(app, "admin")
    token = csrf_header(admin)
    with app.app_context():
        users.disable_user("admin@example.com")

    for route in for_staff(app, known):
        answer = admin.open(route.path, method=route.method, headers=token)
        assert answer.status_code == (401 if route.is_api else 302), route


def test_a_session_signed_with_another_key_is_nobodys(app: Flask, known: dict[str, str]) -> None:
    admin = browser(app, "admin")
    cookie = admin.get_cookie("session")
    assert cookie is not None
    payload, rest = cookie.value.split(".", 1)
    admin.set_cookie("session", f"{payload}x.{rest}")

    assert admin.get("/admin/").status_code == 302

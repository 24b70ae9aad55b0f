"""Who may do what, asked of every address there is."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.accounts import tokens, users
from acr3d.batches import actions
from acr3d.captures.captures import files_of
from acr3d.db.models import Import, ModelVersion, UnmatchedTask
from acr3d.db.session import transaction
from acr3d.storage.blobs import storage
from tests.support.accounts import bearer, browser, csrf_header
from tests.support.captures import filmed
from tests.support.factories import box_glb, finished_job, make_part_with_photos, make_user, order_of
from tests.support.routes import Route, routes

CHANGED_BY_ADMINS = (
    *("/admin/people", "/admin/log", "/admin/settings", "/admin/unmatched-tasks", "/api/admin/orphans"),
    *("/adopt", "/order-anew", "/admin/notices/test-webhook", "/admin/notices/webhook"),
)
READ_BY_ADMINS = ("/admin/people", "/admin/log")
GENERATING = ("/admin/batches", "/generate", "/retry", "/cancel", "/optimize")
ROLES = ("viewer", "editor", "admin")
MAY = {
    "viewer": {"read"},
    "editor": {"read", "edit", "generate"},
    "admin": {"read", "edit", "generate", "manage"},
}
SCOPES = {"read": {"read"}, "write": {"edit"}, "generate": {"generate", "manage"}}
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
        capture = filmed(part.id, make_user("c@example.com"))
        batch = actions.prepare([part.id], make_user("b@example.com"), "en")
        storage().put(key, box_glb())
        return {
            "part_id": part.id,
            "image_id": order_of(part)[0],
            "job_id": job.id,
            "version_id": version.id,
            "unmatched_id": unmatched.id,
            "import_id": table.id,
            "batch_id": batch.id,
            "capture_id": capture.id,
            "file_id": files_of(capture.id)[0].id,
            "table_format": "csv",
            "word": "glb",
            "sku": part.sku,
            "filename": "favicon.svg",
            "key": key,
        }


def for_staff(app: Flask, known: dict[str, str]) -> list[Route]:
    found = [route for route in routes(app, **known) if route.is_for_staff]
    assert len(found) > 20
    return found


def needed(route: Route) -> str:
    """What the matrix of the page “People” asks for this address."""
    if not route.changes:
        if route.rule.startswith(READ_BY_ADMINS):
            return "manage"
        return "edit" if route.rule == "/admin/parts/new" else "read"
    if route.rule.startswith(CHANGED_BY_ADMINS) or route.rule.endswith(CHANGED_BY_ADMINS):
        return "manage"
    if route.rule.startswith("/admin/notices"):
        return "read"  # everybody's own
    is_generating = route.rule.startswith(GENERATING) or route.rule.endswith(GENERATING)
    return "generate" if is_generating else "edit"


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


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reads_what_it_may_and_is_refused_the_rest(
    app: Flask, known: dict[str, str], role: str
) -> None:
    person = browser(app, role)
    token = csrf_header(person)

    for route in for_staff(app, known):
        is_allowed = needed(route) in MAY[role]
        if is_allowed and route.changes:
            continue  # the next test: it would change what the others are asked about
        answer = person.open(route.path, method=route.method, headers=token, buffered=True)
        if is_allowed:
            assert answer.status_code in (200, 204, 301), route  # moved: the rule of the new address holds
        else:
            assert (answer.status_code, "Ask an admin" in answer.text) == (403, True), route


def test_a_refused_person_keeps_the_menu_and_a_stranger_sees_none(app: Flask, client: FlaskClient) -> None:
    viewer = browser(app, "viewer")

    for path in ("/admin/people", "/admin/parts/00000000-0000-4000-8000-000000000000"):
        assert 'href="/admin/parts"' in viewer.get(path).text
    assert 'href="/admin/parts"' not in viewer.get("/parts/none").text
    assert 'href="/admin/parts"' not in client.get("/parts/none").text


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_change_what_the_matrix_says(app: Flask, role: str) -> None:
    person = browser(app, role)
    token = csrf_header(person)

    for route in routes(app):  # they name nothing, so nothing is changed
        if route.is_for_staff and route.changes and needed(route) in MAY[role]:
            answer = person.open(route.path, method=route.method, headers=token, buffered=True)
            assert answer.status_code not in (401, 403), route
            assert answer.status_code < 500, route


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", ROLES)
def test_tokens_may_do_what_their_scope_and_their_accounts_role_allow(
    app: Flask, client: FlaskClient, known: dict[str, str], role: str, scope: str
) -> None:
    headers = bearer(app, "admin", "program@example.com", (scope,))
    with app.app_context(), transaction():
        users.user_by_email("program@example.com").role = role  # the token was issued before

    for route in [route for route in for_staff(app, known) if route.is_api]:
        is_allowed = needed(route) in MAY[role] & SCOPES[scope]
        if is_allowed and route.changes:
            continue
        answer = client.open(route.path, method=route.method, headers=headers, buffered=True)
        assert answer.status_code in ((200, 204) if is_allowed else (403,)), route
        if not is_allowed and needed(route) in MAY[role]:
            assert "The token lacks the scope" in answer.json["error"], route
    allowed = MAY[role] & SCOPES[scope]
    for route in [route for route in routes(app) if route.is_for_staff and route.is_api]:
        if route.changes and needed(route) in allowed:
            answer = client.open(route.path, method=route.method, headers=headers)
            done = () if route.names_something else (200,)
            assert answer.status_code in (400, 404, 415, *done), route


def test_a_token_that_may_not_read_gets_no_unpublished_photo(
    app: Flask, client: FlaskClient, known: dict[str, str]
) -> None:
    reads, writes = bearer(app, scopes=("read",)), bearer(app, "editor", scopes=("write",))

    assert client.get(f"/media/{known['key']}", headers=reads, buffered=True).status_code == 200
    assert client.get(f"/media/{known['key']}", headers=writes).status_code == 404


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
        answer = admin.open(route.path, method=route.method, headers=token, buffered=True)
        assert answer.status_code == (401 if route.is_api else 302), route


def test_a_session_signed_with_another_key_is_nobodys(app: Flask, known: dict[str, str]) -> None:
    admin = browser(app, "admin")
    cookie = admin.get_cookie("session")
    assert cookie is not None
    payload, rest = cookie.value.split(".", 1)
    admin.set_cookie("session", f"{payload}x.{rest}")

    assert admin.get("/admin/").status_code == 302

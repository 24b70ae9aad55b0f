"""The second step at login: codes of an app, recovery codes, and admins who need it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from werkzeug.test import TestResponse

from acr3d.accounts import links, second_factor, totp, users
from acr3d.db.session import transaction
from tests.support.accounts import PASSWORD, bearer, browser, csrf_token, log_in, make_account

EMAIL = "admin@example.com"
PAGE = "/account/second-factor"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """The present time step; it does not end in the middle of a test."""
    now = time.time()
    monkeypatch.setattr(second_factor, "now", lambda: now)
    return lambda: int(now) // totp.SECONDS


def send(client: FlaskClient, address: str, **form: str) -> TestResponse:
    return client.post(address, data=form | {"csrf_token": csrf_token(client)})


def send_code(client: FlaskClient, code: str) -> TestResponse:
    page = client.get("/login/code").text
    [token] = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    return client.post("/login/code", data={"code": code, "csrf_token": token})


def set_up(client: FlaskClient, step: int) -> tuple[str, list[str]]:
    """Turn it on as the page asks; the secret and the recovery codes."""
    [secret] = re.findall(r'<code class="sku">([A-Z2-7]{32})</code>', client.get(PAGE).text)
    shown = send(client, PAGE, code=totp.code_at(secret, step), password=PASSWORD).text
    [codes] = re.findall(r"<textarea[^>]*>([^<]+)</textarea>", shown)
    return secret, codes.split()


def test_a_password_alone_lets_nobody_in_and_each_code_does_once(
    app: Flask, clock: Callable[[], int]
) -> None:
    secret, codes = set_up(browser(app), clock() - 1)
    assert len(codes) == 10
    stranger = app.test_client()

    asked = log_in(stranger, EMAIL, next="/admin/parts")
    assert asked.location == "/login/code"
    assert stranger.get("/admin/").status_code == 302
    assert send_code(stranger, "000000").status_code == 401
    code = totp.code_at(secret, clock())
    assert send_code(stranger, f"{code[:3]} {code[3:]}").location == "/admin/parts"
    assert stranger.get("/admin/").status_code == 200

    for used, again in ((code, codes[0].upper()), (codes[0], codes[1])):
        other = app.test_client()
        log_in(other, EMAIL)
        assert send_code(other, used).status_code == 401
        assert send_code(other, again).status_code == 302


def test_it_is_set_up_with_the_password_and_the_apps_code_only(
    app: Flask, admin: FlaskClient, clock: Callable[[], int]
) -> None:
    [secret] = re.findall(r'<code class="sku">([A-Z2-7]{32})</code>', admin.get(PAGE).text)
    assert secret in admin.get(PAGE).text  # the same until it is confirmed
    right = totp.code_at(secret, clock())

    wrong_code = send(admin, PAGE, code="000000", password=PASSWORD)
    wrong_password = send(admin, PAGE, code=right, password="something else")

    assert "not the app&#39;s present code" in wrong_code.text
    assert "current password is wrong" in wrong_password.text
    assert log_in(app.test_client(), EMAIL).location == "/admin/"


def test_it_is_turned_off_and_codes_are_renewed_with_a_code_only(
    app: Flask, admin: FlaskClient, clock: Callable[[], int]
) -> None:
    secret, codes = set_up(admin, clock() - 1)

    assert send(admin, PAGE, code="000000", action="remove").status_code == 400
    fresh = send(admin, PAGE, code=totp.code_at(secret, clock()), action="codes").text
    assert codes[0] not in fresh
    [renewed] = re.findall(r"<textarea[^>]*>([^<]+)</textarea>", fresh)
    assert send(admin, PAGE, code=codes[0], action="remove").status_code == 400
    assert send(admin, PAGE, code=renewed.split()[0], action="remove").status_code == 303

    assert log_in(app.test_client(), EMAIL).location == "/admin/"
    assert "Second step at login: Yes → <strong>No</strong>" in admin.get("/admin/log?kind=account").text


def test_codes_are_not_guessed(app: Flask, clock: Callable[[], int]) -> None:
    secret, _codes = set_up(browser(app), clock() - 1)
    guesser = app.test_client()
    log_in(guesser, EMAIL)

    answers = [send_code(guesser, f"{guess:06d}").status_code for guess in range(7)]
    assert answers[-1] == 429
    log_in(guesser, EMAIL)  # the right password gives no new guesses
    held = send_code(guesser, totp.code_at(secret, clock()))
    assert (held.status_code, int(held.headers["Retry-After"]) > 0) == (429, True)


def test_the_question_ends_with_the_password_and_by_itself(
    app: Flask, clock: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _codes = set_up(browser(app), clock() - 1)
    late, changed = app.test_client(), app.test_client()
    for client in (late, changed):
        log_in(client, EMAIL)
    with app.app_context():
        users.log_out_everywhere(users.user_by_email(EMAIL))

    assert changed.get("/login/code").location == "/login"
    log_in(late, EMAIL)
    present = time.time()
    monkeypatch.setattr("acr3d.web.auth.now", lambda: present + 601)
    assert late.get("/login/code").location == "/login"
    assert secret


def test_admins_who_need_it_set_it_up_before_anything_else(
    make_app: Callable[..., Flask], clock: Callable[[], int]
) -> None:
    app = make_app(admins_need_code=True)
    admin, editor, program = browser(app), browser(app, "editor"), bearer(app)

    for path in ("/admin/", "/admin/people"):
        assert admin.get(path).location == PAGE
    assert admin.get("/api/admin/parts").status_code == 403
    assert editor.get("/admin/").status_code == 200
    assert app.test_client().get("/api/admin/parts", headers=program).status_code == 200
    assert "Set it up to continue." in admin.get(PAGE).text
    set_up(admin, clock())
    assert admin.get("/admin/").status_code == 200


def test_a_link_for_a_new_password_asks_for_the_code(app: Flask, clock: Callable[[], int]) -> None:
    set_up(browser(app), clock() - 1)
    with app.app_context():
        token = links.issue(users.user_by_email(EMAIL))
    client = app.test_client()
    form = {"new_password": "seven quiet herons", "repeated_password": "seven quiet herons"}

    assert send(client, f"/account/invitation/{token}", **form).location == "/login/code"
    assert client.get("/admin/").status_code == 302


def test_another_admin_or_the_server_turns_it_off(
    app: Flask, admin: FlaskClient, runner: FlaskCliRunner, clock: Callable[[], int]
) -> None:
    make_account(app, "admin", "bob@example.com")
    with app.app_context():
        bob = users.user_by_email("bob@example.com")
        secret = totp.made_secret()
        second_factor.enable(bob, secret, totp.code_at(secret, clock()))
        bob_id = bob.id
    assert "with a second step" in admin.get("/admin/people").text

    said = send(admin, f"/admin/people/{bob_id}/second-factor/remove")
    assert said.status_code == 303
    assert log_in(app.test_client(), "bob@example.com").location == "/admin/"

    with app.app_context(), transaction():
        users.user_by_email("bob@example.com").totp_secret = totp.made_secret()
    assert runner.invoke(args=["users", "code-off", "bob@example.com"]).exit_code == 0
    assert log_in(app.test_client(), "bob@example.com").location == "/admin/"

"""Logging in and out and changing one's password, as seen in a browser."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from acr3d.accounts import users
from acr3d.db.models import User
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.web.access import safe_next
from tests.support.accounts import PASSWORD, browser, csrf_token, log_in, make_account

NEW = "another good password"


def test_a_stranger_is_sent_to_the_login_and_then_where_they_wanted(app: Flask, client: FlaskClient) -> None:
    email = make_account(app)

    asked = client.get("/admin/?q=gear")
    assert asked.status_code == 302
    assert asked.location == "/login?next=/admin/?q%3Dgear"
    page = client.get(asked.location).text
    wanted = re.search(r'name="next" value="([^"]+)"', page)
    assert wanted
    answer = log_in(client, email, next=wanted[1])

    assert answer.status_code == 302
    assert answer.location == "/admin/?q=gear"
    assert client.get("/admin/").status_code == 200


def test_a_wrong_password_says_so_and_keeps_the_address(app: Flask, client: FlaskClient) -> None:
    make_account(app, email="anna@example.com")

    for email in ("anna@example.com", "nobody@example.com"):
        answer = log_in(client, email, "wrong horse battery")
        assert answer.status_code == 401
        assert "Wrong email address or password" in answer.text
        assert f'value="{email}"' in answer.text
        assert "wrong horse" not in answer.text
    assert client.get("/admin/").status_code == 302


def test_login_begins_a_new_session(app: Flask, client: FlaskClient) -> None:
    email = make_account(app)
    before = csrf_token(client)
    strangers_cookie = client.get_cookie("session")
    with client.session_transaction() as session:
        session["planted"] = "by a stranger"

    log_in(client, email)

    assert strangers_cookie is not None
    assert client.get_cookie("session") != strangers_cookie
    assert csrf_token(client) != before
    with client.session_transaction() as session:
        assert "planted" not in session


def test_logout_ends_the_session(app: Flask) -> None:
    admin = browser(app)

    answer = admin.post("/logout", data={"csrf_token": csrf_token(admin)})

    assert answer.location == "/login"
    assert admin.get("/admin/").status_code == 302


def test_a_copied_cookie_is_worth_nothing_after_the_logout(app: Flask) -> None:
    admin, elsewhere, thief = browser(app), app.test_client(), app.test_client()
    log_in(elsewhere, "admin@example.com")
    cookie = admin.get_cookie("session")
    assert cookie is not None
    thief.set_cookie("session", cookie.value)
    assert thief.get("/admin/").status_code == 200

    admin.post("/logout", data={"csrf_token": csrf_token(admin)})

    assert thief.get("/admin/").status_code == 302
    assert elsewhere.get("/admin/").status_code == 200


def test_all_sessions_can_be_ended_from_one_of_them(app: Flask) -> None:
    here, elsewhere = browser(app), app.test_client()
    log_in(elsewhere, "admin@example.com")

    answer = here.post("/account/logout-everywhere", data={"csrf_token": csrf_token(here)})

    assert answer.location == "/login"
    assert [client.get("/admin/").status_code for client in (here, elsewhere)] == [302, 302]


def test_an_expired_one_time_password_says_so(app: Flask, client: FlaskClient) -> None:
    email = make_account(app, one_time=True)
    with app.app_context(), transaction() as session:
        session.execute(update(User).values(password_expires_at=utc_now()))

    answer = log_in(client, email)

    assert (answer.status_code, "has expired" in answer.text) == (400, True)
    assert client.get("/admin/").status_code == 302


def test_logins_are_logged_with_their_address_and_without_the_password(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "acr3d.security")
    email = make_account(app)
    log_in(client, email, "wrong horse battery")
    log_in(client, "my password is hunter2", "wrong horse battery")
    log_in(client, email)
    client.post("/logout", data={"csrf_token": csrf_token(client)})
    client.get("/api/admin/parts/x", headers={"Authorization": "Bearer acr3d_nonsense"})

    lines = [entry.getMessage() for entry in caplog.records if entry.name == "acr3d.security"]
    assert lines[1:] == [
        f"security.login_failed user={email} address=127.0.0.1",
        "security.login_failed user= address=127.0.0.1",
        f"security.login user={email} address=127.0.0.1",
        f"security.logout user={email} address=127.0.0.1",
        "security.token_refused address=127.0.0.1",
    ]
    assert "hunter2" not in caplog.text


def test_who_is_logged_in_needs_no_login_page(app: Flask) -> None:
    admin = browser(app)

    assert admin.get("/login?next=/admin/jobs").location == "/admin/jobs"


def test_a_one_time_password_must_be_changed_before_anything_else(app: Flask, client: FlaskClient) -> None:
    email = make_account(app, one_time=True)
    log_in(client, email)

    for path in ("/admin/", "/admin/parts"):
        assert client.get(path).location == "/account/password", path
    assert client.get("/admin/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/account/password"
    assert client.post("/admin/", data={"csrf_token": csrf_token(client)}).status_code in (302, 405)
    refused = client.get("/api/admin/parts/x")
    assert (refused.status_code, refused.is_json) == (403, True)
    assert "one-time password" in client.get("/account/password").text

    answer = change_password(client, PASSWORD, NEW)

    assert answer == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    assert client.get("/").status_code == 200


def test_changing_the_password_ends_the_other_sessions_but_not_this_one(app: Flask) -> None:
    here = browser(app)
    elsewhere = app.test_client()
    log_in(elsewhere, "admin@example.com")
    assert elsewhere.get("/admin/").status_code == 200

    assert change_password(here, PASSWORD, NEW) == (302, "/admin/")

    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
    assert log_in(app.test_client(), "admin@example.com", PASSWORD).status_code == 401
    assert log_in(app.test_client(), "admin@example.com", NEW).status_code == 302


def test_a_change_of_password_that_cannot_be_says_why(app: Flask) -> None:
    admin = browser(app)

    for present, new, repeated, reason in (
        ("wrong horse battery", NEW, NEW, "current password is wrong"),
        (PASSWORD, NEW, NEW + "!", "do not match"),
        (PASSWORD, "short", "short", "too short"),
        (PASSWORD, PASSWORD, PASSWORD, "must be different"),
    ):
        form = {"current_password": present, "new_password": new, "repeated_password": repeated}
        answer = admin.post("/account/password", data=form | {"csrf_token": csrf_token(admin)})
        assert answer.status_code == 400
        assert reason in answer.text
    assert log_in(app.test_client(), "admin@example.com").status_code == 302


def test_strangers_have_no_password_to_change(app: Flask, client: FlaskClient) -> None:
    assert client.get("/account/password").location == "/login?next=/account/password"
    answer = client.post("/account/password", data={"csrf_token": csrf_token(client)})
    assert answer.location == "/login?next=/account/password"


def test_a_disabled_user_is_out_at_the_next_click(app: Flask) -> None:
    admin = browser(app)

    with app.app_context():
        users.disable_user("admin@example.com")

    assert admin.get("/admin/").status_code == 302
    assert log_in(app.test_client(), "admin@example.com").status_code == 401


def test_many_wrong_passwords_are_slowed_and_a_right_one_from_elsewhere_still_works(app: Flask) -> None:
    make_account(app, email="anna@example.com")
    app.extensions["acr3d_login_throttle"].clock = lambda: 1000.0
    guesser, anna = app.test_client(), app.test_client()

    answers = [
        log_in(guesser, "anna@example.com", "wrong horse battery", environ_REMOTE_ADDR="198.51.100.7")
        for _ in range(8)
    ]

    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "2"
    assert "Try again in 2 seconds" in answers[-1].text
    held = log_in(guesser, "anna@example.com", environ_REMOTE_ADDR="198.51.100.7")
    assert held.status_code == 429
    assert log_in(anna, "anna@example.com", environ_REMOTE_ADDR="192.0.2.1").status_code == 302


def test_another_spelling_of_the_address_gets_no_further_tries(app: Flask, client: FlaskClient) -> None:
    make_account(app, email="anna@example.com")
    app.extensions["acr3d_login_throttle"].clock = lambda: 1000.0
    wide = "anna@example.com".translate({code: code + 0xFEE0 for code in range(ord("a"), ord("z") + 1)})
    spellings = ["anna@example.com", "ANNA@example.com", " anna@example.com", wide, "ａnna@example.com"]

    for number in range(6):
        assert log_in(client, spellings[number % 5], "wrong horse battery").status_code == 401

    assert [log_in(client, spelling, "wrong again").status_code for spelling in spellings] == [429] * 5


@pytest.mark.timeout(30)  # normalizing this text takes minutes
def test_endless_combining_marks_are_refused_at_once(app: Flask) -> None:
    marks = "a" + "\u0316\u0300" * 70_000
    admin = browser(app)
    token = {"csrf_token": csrf_token(admin)}
    form = {"current_password": marks, "new_password": marks, "repeated_password": marks} | token

    assert log_in(app.test_client(), marks, "wrong horse battery").status_code == 401
    assert log_in(app.test_client(), "anna@example.com", marks).status_code == 401
    assert admin.post("/account/password", data=form).status_code == 413
    for new in ("x", marks[:60_000]):
        form |= {"current_password": PASSWORD, "new_password": new, "repeated_password": new}
        assert admin.post("/account/password", data=form).status_code == 400


def test_who_was_slowed_gets_in_after_the_wait(app: Flask, client: FlaskClient) -> None:
    make_account(app, email="anna@example.com")
    throttle = app.extensions["acr3d_login_throttle"]
    throttle.clock = lambda: 1000.0
    for _ in range(7):
        log_in(client, "anna@example.com", "wrong horse battery")

    held = log_in(client, "anna@example.com")
    assert held.status_code == 429
    throttle.clock = lambda: 1000.0 + int(held.headers["Retry-After"])

    assert log_in(client, "anna@example.com").status_code == 302


def test_the_current_password_cannot_be_guessed_fast_either(app: Flask) -> None:
    admin = browser(app)
    app.extensions["acr3d_login_throttle"].clock = lambda: 1000.0

    answers = [change_password(admin, f"wrong horse battery {n}", NEW)[0] for n in range(8)]

    assert answers == [400] * 6 + [429] * 2


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/x\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "evil.example",
        "/login",
        "/logout?x",
        "",
        None,
    ],
)
def test_a_way_out_of_the_site_is_no_way_after_login(target: str | None) -> None:
    assert safe_next(target) is None


@pytest.mark.parametrize("target", ["/", "/admin/", "/admin/parts?q=a%20b&page=2", "/parts/a%2Fb", "/?u=//x"])
def test_a_page_of_ours_is_one(target: str) -> None:
    assert safe_next(target) == target


def test_login_never_leaves_the_site(app: Flask, client: FlaskClient) -> None:
    email = make_account(app)

    assert log_in(client, email, next="//evil.example/").location == "/admin/"
    assert client.get("/login?next=https://evil.example/").location == "/admin/"


def change_password(client: FlaskClient, present: str, new: str) -> tuple[int, str | None]:
    form = {"current_password": present, "new_password": new, "repeated_password": new}
    answer = client.post("/account/password", data=form | {"csrf_token": csrf_token(client)})
    return answer.status_code, answer.location

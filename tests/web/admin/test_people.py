"""The page “People”: who may log in, and what an admin does to accounts and tokens."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.accounts import people, tokens, users
from acr3d.db.models import User
from acr3d.db.session import transaction
from acr3d.db.types import is_id, utc_now
from tests.support.accounts import browser, csrf_token, log_in, make_account

CHOSEN = "seven quiet herons"


def press(client: FlaskClient, address: str, **form: str) -> str:
    """A form of the page is sent; what is read afterwards."""
    data = form | {"csrf_token": csrf_token(client)}
    return client.post(f"/admin/people{address}", data=data, follow_redirects=True).text


def account(app: Flask, email: str) -> User:
    with app.app_context():
        return users.user_by_email(email)


def invited(app: Flask, admin: FlaskClient) -> str:
    """The path of the link that is shown when Bob is invited."""
    return link_in(press(admin, "", email="bob@example.com", role="editor"))


def link_in(page: str) -> str:
    [link] = re.findall(r'id="secret" class="grows" readonly value="http://localhost([^"]+)"', page)
    return str(link)


def choose(
    client: FlaskClient, link: str, password: str = CHOSEN, repeated: str | None = None
) -> TestResponse:
    form = {"new_password": password, "repeated_password": repeated or password}
    return client.post(link, data=form | {"csrf_token": csrf_token(client)})


def test_an_invited_person_chooses_a_password_by_a_link_that_works_once(
    app: Flask, admin: FlaskClient
) -> None:
    link = invited(app, admin)
    bob = app.test_client()

    assert link not in admin.get("/admin/people").text
    assert "bob@example.com" in bob.get(link).text
    too_short, unlike = choose(bob, link, "short"), choose(bob, link, CHOSEN, "another thing")
    assert ("too short" in too_short.text, "do not match" in unlike.text) == (True, True)
    assert choose(bob, link).location == "/admin/"

    assert bob.get("/admin/parts/new").status_code == 200
    used = [app.test_client().get(link), choose(app.test_client(), link, "a stranger chose this")]
    assert [answer.status_code for answer in used] == [404, 404]
    assert "was used already" in used[0].text
    with app.app_context():
        assert users.authenticate("bob@example.com", CHOSEN) is not None
    again = press(admin, "", email="bob@example.com", role="viewer")
    assert "There is already an account for bob@example.com." in again


def test_a_newer_link_replaces_the_older_and_neither_outlives_its_time_or_the_account(
    app: Flask, admin: FlaskClient
) -> None:
    first, bob = invited(app, admin), account(app, "bob@example.com").id
    second = link_in(press(admin, f"/{bob}/link"))
    strangers = app.test_client()
    assert (strangers.get(first).status_code, strangers.get(second).status_code) == (404, 200)

    press(admin, f"/{bob}/disable")
    assert strangers.get(second).status_code == 404
    assert "Enable it first" in press(admin, f"/{bob}/link")
    press(admin, f"/{bob}/enable")
    third = link_in(press(admin, f"/{bob}/link"))
    with app.app_context(), transaction():
        users.user_by_email("bob@example.com").link_expires_at = utc_now()
    assert strangers.get(third).status_code == 404


def test_a_link_for_a_forgotten_password_ends_the_sessions_when_it_is_used(
    app: Flask, admin: FlaskClient
) -> None:
    make_account(app, "viewer", "bob@example.com")
    bob = app.test_client()
    log_in(bob, "bob@example.com")
    link = link_in(press(admin, f"/{account(app, 'bob@example.com').id}/link"))
    assert bob.get("/admin/").status_code == 200

    choose(app.test_client(), link)

    assert bob.get("/admin/").status_code == 302
    assert "Link for a new password" in admin.get("/admin/log?kind=account").text


def test_roles_and_accounts_are_changed_but_never_ones_own(app: Flask, admin: FlaskClient) -> None:
    press(admin, "", email="bob@example.com", role="viewer")
    bob = account(app, "bob@example.com").id
    with app.app_context():
        [own] = [one.id for one in people.everyone() if one.id != bob]

    press(admin, f"/{bob}/role", role="admin")
    promoted = account(app, "bob@example.com").role
    press(admin, f"/{bob}/disable")
    disabled = account(app, "bob@example.com").disabled_at
    press(admin, f"/{bob}/enable")

    assert (promoted, disabled is not None) == ("admin", True)
    assert account(app, "bob@example.com").is_active
    for refused in (press(admin, f"/{own}/disable"), press(admin, f"/{own}/role", role="viewer")):
        assert "Another admin must do this to your own account." in refused
    press(admin, f"/{own}/sign-out")
    assert admin.get("/admin/people").status_code == 302


def test_tokens_are_issued_listed_and_revoked(app: Flask, admin: FlaskClient) -> None:
    press(admin, "", email="bob@example.com", role="viewer")
    bob = account(app, "bob@example.com").id

    shown = press(admin, f"/{bob}/tokens", scope="read", name="Shop system")
    [secret] = re.findall(r'id="secret" class="grows" readonly value="([^"]+)"', shown)
    with app.app_context():
        found = tokens.find_token(secret)
        assert found is not None
    listed = admin.get("/admin/people").text
    said = press(admin, f"/{bob}/tokens/{found.id}/revoke")

    assert is_id(found.id)
    assert "never used" not in listed
    assert "last used" in listed
    assert "<strong>Shop system</strong>" in listed
    assert "Shop system" in admin.get("/admin/log?kind=token").text
    assert "up to 60 characters" in press(admin, f"/{bob}/tokens", scope="read", name="x" * 61)
    assert "The token no longer works." in said
    with app.app_context():
        assert tokens.find_token(secret) is None


def test_viewers_do_not_see_who_has_an_account(app: Flask) -> None:
    viewer = browser(app, "viewer")

    assert viewer.get("/admin/people").status_code == 403
    assert "/admin/people" not in viewer.get("/admin/").text

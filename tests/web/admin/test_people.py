"""The page “People”: who may log in, and what an admin does to accounts and tokens."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from acr3d.accounts import people, tokens, users
from acr3d.db.models import User
from acr3d.db.types import is_id
from tests.support.accounts import browser, csrf_token


def press(client: FlaskClient, address: str, **form: str) -> str:
    """A form of the page is sent; what is read afterwards."""
    data = form | {"csrf_token": csrf_token(client)}
    return client.post(f"/admin/people{address}", data=data, follow_redirects=True).text


def account(app: Flask, email: str) -> User:
    with app.app_context():
        return users.user_by_email(email)


def test_an_invited_person_logs_in_once_with_what_is_shown_once(app: Flask, admin: FlaskClient) -> None:
    shown = press(admin, "", email="bob@example.com", role="viewer")
    [secret] = re.findall(r'<code id="secret">([^<]+)<', shown)

    with app.app_context():
        bob = users.authenticate("bob@example.com", secret)
        assert bob is not None
        assert (bob.role, bob.must_change_password) == ("viewer", True)
    assert secret not in admin.get("/admin/people").text
    again = press(admin, "", email="bob@example.com", role="viewer")
    assert "There is already an account for bob@example.com." in again


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

    shown = press(admin, f"/{bob}/tokens", role="viewer")
    [secret] = re.findall(r'<code id="secret">([^<]+)<', shown)
    with app.app_context():
        found = tokens.find_token(secret)
        assert found is not None
    listed = admin.get("/admin/people").text
    said = press(admin, f"/{bob}/tokens/{found.id}/revoke")

    assert is_id(found.id)
    assert "never used" not in listed
    assert "last used" in listed
    assert "The token no longer works." in said
    with app.app_context():
        assert tokens.find_token(secret) is None


def test_viewers_do_not_see_who_has_an_account(app: Flask) -> None:
    viewer = browser(app, "viewer")

    assert viewer.get("/admin/people").status_code == 403
    assert "/admin/people" not in viewer.get("/admin/").text

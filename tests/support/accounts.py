"""People in tests: accounts, browsers that are logged in, programs with a token."""

from __future__ import annotations

import html
import re

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.accounts import tokens, users

PASSWORD = "correct horse battery"
LOGIN = "0f8fad5b-d9cb-469f-a165-70867728950e"  # the id of some login


def make_account(app: Flask, role: str = "admin", email: str | None = None, **how: bool) -> str:
    """An account with PASSWORD; returns its address."""
    email = email or f"{role}@example.com"
    with app.app_context():
        users.create_user(email, PASSWORD, role, **how)
    return email


def log_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    """Fill in the login form and send it. `environ_REMOTE_ADDR` says from which address."""
    environ = {name.removeprefix("environ_"): more.pop(name) for name in list(more) if "environ_" in name}
    form = {"email": email, "password": password, "csrf_token": csrf_token(client)} | more
    return client.post("/login", data=form, environ_base=environ)


def browser(app: Flask, role: str | None = "admin") -> FlaskClient:
    """A browser: somebody with `role` is logged in, or (None) nobody."""
    client = app.test_client()
    if role:
        answer = log_in(client, make_account(app, role))
        assert answer.status_code == 302, answer.text
    return client


def csrf_token(client: FlaskClient) -> str:
    """The token that our own pages would send: from the login form, or the password form when logged in."""
    page = client.get("/account/password", follow_redirects=True).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def csrf_header(client: FlaskClient) -> dict[str, str]:
    return {"X-CSRFToken": csrf_token(client)}


def bearer(
    app: Flask, role: str = "admin", email: str | None = None, scopes: tuple[str, ...] | None = None
) -> dict[str, str]:
    """The header of a program: a token of a new account with this role; with all its scopes, or these."""
    address = make_account(app, role, email or f"program-{role}@example.com")
    with app.app_context():
        return {"Authorization": f"Bearer {tokens.issue_token(address, scopes)[1]}"}

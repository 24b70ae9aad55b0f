"""What every answer tells browsers and caches."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.web import vendor
from acr3d.web.security_headers import VIEWER_STYLE, content_security_policy
from tests.support.accounts import PASSWORD, browser, csrf_token, log_in, make_account
from tests.support.factories import make_part
from tests.support.routes import routes


def policy_of(client: FlaskClient, path: str) -> dict[str, list[str]]:
    return parsed(client.get(path).headers["Content-Security-Policy"])


def parsed(policy: str) -> dict[str, list[str]]:
    return {name: sources.split() for name, _space, sources in (d.partition(" ") for d in policy.split("; "))}


def test_every_answer_has_the_headers(app: Flask, client: FlaskClient) -> None:
    for route in routes(app, filename="favicon.svg"):
        answer = client.open(route.path, method=route.method, buffered=True)
        policy = parsed(answer.headers["Content-Security-Policy"])
        assert policy["default-src"] == policy["base-uri"] == ["'none'"], route
        assert "unsafe-inline" not in str(policy), route
        assert "'unsafe-eval'" not in str(policy), route
        assert answer.headers["X-Content-Type-Options"] == "nosniff", route
        assert answer.headers["Referrer-Policy"] == "same-origin", route
        assert "camera=(self)" in answer.headers["Permissions-Policy"], route
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", route
        assert answer.headers["Cache-Control"], route


def test_only_the_embedded_page_may_stand_in_a_frame_elsewhere(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part("BR-1")

    assert policy_of(client, "/embed/BR-1")["frame-ancestors"] == ["*"]
    for path in ("/", "/parts/BR-1", "/login", "/embed/nothing", "/api/parts"):
        assert policy_of(client, path)["frame-ancestors"] == ["'none'"], path


def test_only_a_page_with_a_viewer_may_do_what_the_viewer_needs() -> None:
    plain = parsed(content_security_policy(viewer=False, embeddable=False, cdn=None))
    viewer = parsed(content_security_policy(viewer=True, embeddable=False, cdn=None))

    assert plain["script-src"] == plain["style-src"] == plain["connect-src"] == ["'self'"]
    assert "worker-src" not in plain
    assert viewer["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert viewer["style-src"] == ["'self'", VIEWER_STYLE]
    assert viewer["connect-src"] == viewer["worker-src"] == ["'self'", "blob:"]


def test_a_cdn_is_named_only_while_a_copy_is_missing(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for missing in (True, False):
        monkeypatch.setattr(vendor, "cdn_in_use", lambda missing=missing: missing)
        assert (vendor.CDN in policy_of(client, "/login")["script-src"]) is missing


def test_the_one_style_that_is_let_in_is_model_viewers_own() -> None:
    script = (vendor.COPIES / vendor.FILES["model-viewer"].copy).read_text(encoding="utf-8")

    [style] = re.findall(r"<style>(.*?)</style>", script, re.DOTALL)

    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" == VIEWER_STYLE


def test_pages_for_one_person_are_kept_by_no_cache(app: Flask, client: FlaskClient) -> None:
    admin = browser(app)

    for path in ("/admin/", "/account/password"):
        assert admin.get(path).headers["Cache-Control"] == "private, no-store", path
    assert client.get("/login").headers["Cache-Control"] == "private, no-store"
    assert client.get("/nothing").headers["Cache-Control"] == "no-store"


def test_over_http_the_cookie_works_and_nothing_promises_https(app: Flask, client: FlaskClient) -> None:
    answer = log_in(client, make_account(app))

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert "Strict-Transport-Security" not in answer.headers


def test_behind_https_the_cookie_is_secure_and_browsers_stay_there(make_app: Callable[..., Flask]) -> None:
    app = make_app(public_url="https://parts.example")
    client = app.test_client()
    email = make_account(app)
    https = {"base_url": "https://parts.example", "headers": {"Referer": "https://parts.example/login"}}
    page = client.get("/login", base_url="https://parts.example")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token

    form = {"email": email, "password": PASSWORD, "csrf_token": token[1]}
    answer = client.post("/login", data=form, **https)

    assert answer.status_code == 302
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert all(flag in cookie for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie
    for one in (page, answer):
        assert one.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_cookie_does_not_outlive_the_browser(app: Flask, client: FlaskClient) -> None:
    cookie = log_in(client, make_account(app)).headers["Set-Cookie"]

    assert "Expires" not in cookie
    assert "Max-Age" not in cookie
    assert csrf_token(client)

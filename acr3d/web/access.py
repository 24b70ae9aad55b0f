"""Access control: who may do what, decided in one place before any view runs.

Everything under /admin and /api/admin needs a logged-in active user, and changes need an admin.
A bearer token is valid for the API and for blobs; with one, a cookie in the same request is ignored.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from flask import Flask, abort, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError, validate_csrf
from wtforms import ValidationError

from acr3d import settings
from acr3d.accounts import tokens, users
from acr3d.db.extensions import login
from acr3d.db.models import User
from acr3d.db.types import is_id

READING = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_KEY = "_user_id"  # flask-login's
LOGIN_KEY = "login"  # the id of this login, by which it can be ended
_CALLER_KEY = "acr3d.caller"

log = logging.getLogger("acr3d.security")


@dataclass(frozen=True)
class Caller:
    """The sender of this request and their rights."""

    user: User
    role: str
    by_token: bool

    @property
    def may_change(self) -> bool:
        return self.role == "admin"


def install(app: Flask) -> None:
    """Call this before the CSRF protection, which reads a whole form before it decides."""
    # Not login.init_app: its hook reads the session after every response, so every blob would vary by cookie.
    app.login_manager = login  # type: ignore[attr-defined]
    login.user_loader(_user_of_session)
    login.session_protection = None  # a phone may change its address between two requests
    app.before_request(_check_access)
    app.before_request(_reject_invalid_ids)


def caller() -> Caller | None:
    """The sender of this request: the token's user if there is a token, else the session's user."""
    if _CALLER_KEY not in request.environ:
        request.environ[_CALLER_KEY] = _caller_by_token() if _has_token() else _caller_by_session()
    found: Caller | None = request.environ[_CALLER_KEY]
    return found


def reader() -> Caller | None:
    """Who may read what only staff see: nobody before a one-time password is changed."""
    found = caller()
    return None if found and not found.by_token and found.user.must_change_password else found


def actor() -> User:
    """The user of a request that was allowed. Answers 401 without one."""
    found = caller()
    if found is None:
        abort(401)
    return found.user


def is_api() -> bool:
    return request.path.startswith("/api/")


def is_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def _has_token() -> bool:
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return scheme.lower() == "bearer" and request.path.startswith(("/api/", "/media/"))


def _caller_by_token() -> Caller | None:
    token = request.headers["Authorization"].partition(" ")[2].strip()
    record = tokens.find_token(token)
    if record is None:
        log.warning("security.token_refused address=%s", request.remote_addr)
        return None
    return Caller(record.user, tokens.role_of(record), by_token=True)


def _user_of_session(identity: str) -> User | None:
    return users.user_of_session(identity, session.get(LOGIN_KEY, ""))


def _caller_by_session() -> Caller | None:
    if not current_user.is_authenticated:
        return None
    user: User = current_user._get_current_object()
    return Caller(user, user.role, by_token=False)


def _check_access() -> ResponseReturnValue | None:
    rule = request.url_rule.rule if request.url_rule else ""
    if rule.startswith("/api/admin/"):
        _check_api_access()
    elif rule == "/admin" or rule.startswith("/admin/"):
        return _check_page_access()
    return None


def _reject_invalid_ids() -> None:
    """Answer 404 for an id that is not a UUID; PostgreSQL would raise an error for it."""
    ids = [value for name, value in (request.view_args or {}).items() if name.endswith("_id")]
    if not all(is_id(one) for one in ids):
        abort(404)


def _check_api_access() -> None:
    found = caller()
    if found is None:
        abort(401)
    if not found.by_token and found.user.must_change_password:
        abort(403, _("Change your one-time password first: log in on the website to choose your own."))
    if request.method in READING:
        return
    if not found.may_change:
        abort(403)
    if not found.by_token:
        _check_same_origin()
        _check_csrf_header()


def _check_page_access() -> ResponseReturnValue | None:
    found = caller()
    if found is None:
        return _redirect(url_for("auth.login", next=_return_page()), 401)
    if found.user.must_change_password:
        return _require_password_change()
    if request.method not in READING and not found.may_change:
        abort(403)
    return None


def _require_password_change() -> ResponseReturnValue | None:
    found = caller()
    if found is None or not found.user.must_change_password:
        return None
    return _redirect(url_for("auth.password"), 403)


def _redirect(address: str, status: int) -> ResponseReturnValue:
    """Redirect a browser. htmx gets a header instead, or it would put the new page inside the old one."""
    if is_htmx():
        return "", status, {"HX-Redirect": address}
    return redirect(address)


def _return_page() -> str | None:
    """The page to return to after login: for htmx the current page, and never the target of a form."""
    if is_htmx():
        parts = _split_url(request.headers.get("HX-Current-URL", ""))
        return safe_next(f"{parts.path}?{parts.query}".removesuffix("?")) if parts else None
    return safe_next(request.full_path.removesuffix("?")) if request.method in READING else None


def _split_url(text: str) -> SplitResult | None:
    """The parts of a URL that a client sent; None if it is none."""
    try:
        return urlsplit(text)
    except ValueError:
        return None


def safe_next(target: str | None) -> str | None:
    """`target` if it is a path on this site, else None: no other host, backslash or control character."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or not target.isprintable() or " " in target:
        return None
    parts = _split_url(target)
    return (
        None
        if parts is None or parts.scheme or parts.netloc or parts.path in ("/login", "/logout")
        else target
    )


def _check_same_origin() -> None:
    """A cookie alone proves little: if the browser names the requesting site, it must be ours."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    ours = {request.host_url.rstrip("/"), settings.current().public_url}
    foreign = site != "same-origin" if site is not None else origin is not None and origin not in ours
    if foreign:
        abort(403, _("The request came from another website, so nothing was changed."))


def _check_csrf_header() -> None:
    """Read the token from the header only: finding it in a form would mean reading the whole upload first."""
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise CSRFError(str(error)) from error

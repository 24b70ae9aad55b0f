"""Who may do what, decided in one place before any view runs.

Everything under /admin and /api/admin needs a signed-in active user, and an admin for what changes something.
A bearer token counts for the API and for blobs; with one, a cookie in the same request is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, abort, redirect, request, url_for
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
_REMEMBERED = "acr3d.caller"


@dataclass(frozen=True)
class Caller:
    """Who sent this request, and with what rights."""

    user: User
    role: str
    by_token: bool

    @property
    def may_change(self) -> bool:
        return self.role == "admin"


def install(app: Flask) -> None:
    """Comes before the CSRF protection, which reads a whole form before it decides."""
    # Not login.init_app: its hook reads the session after every answer, so every blob would vary by cookie.
    app.login_manager = login  # type: ignore[attr-defined]
    login.user_loader(users.user_of_session)
    login.session_protection = None  # a phone changes its address between two requests
    app.before_request(_admit)
    app.before_request(_find_nothing_under_what_is_no_id)


def caller() -> Caller | None:
    """Who sent this request: a token's user where tokens count, else the session's user, else nobody."""
    if _REMEMBERED not in request.environ:
        request.environ[_REMEMBERED] = _caller_by_token() if _brings_token() else _caller_by_session()
    found: Caller | None = request.environ[_REMEMBERED]
    return found


def actor() -> User:
    """The user behind a request that has been admitted."""
    found = caller()
    if found is None:
        abort(401)
    return found.user


def is_api() -> bool:
    return request.path.startswith("/api/")


def is_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def _brings_token() -> bool:
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return scheme.lower() == "bearer" and request.path.startswith(("/api/", "/media/"))


def _caller_by_token() -> Caller | None:
    token = request.headers["Authorization"].partition(" ")[2].strip()
    record = tokens.find_token(token)
    return Caller(record.user, tokens.role_of(record), by_token=True) if record else None


def _caller_by_session() -> Caller | None:
    if not current_user.is_authenticated:
        return None
    user: User = current_user._get_current_object()
    return Caller(user, user.role, by_token=False)


def _admit() -> ResponseReturnValue | None:
    rule = request.url_rule.rule if request.url_rule else ""
    if rule.startswith("/api/admin/"):
        _admit_to_api()
    elif rule == "/admin" or rule.startswith("/admin/"):
        return _admit_to_pages()
    elif request.blueprint == "public":
        return _must_change_first()
    return None


def _find_nothing_under_what_is_no_id() -> None:
    """Else PostgreSQL would be asked for it, and refuse the question."""
    ids = [value for name, value in (request.view_args or {}).items() if name.endswith("_id")]
    if not all(is_id(one) for one in ids):
        abort(404)


def _admit_to_api() -> None:
    found = caller()
    if found is None:
        abort(401)
    if not found.by_token and found.user.must_change_password:
        abort(403, _("Change your one-time password first: log in on the website, which will ask for it."))
    if request.method in READING:
        return
    if not found.may_change:
        abort(403)
    if not found.by_token:
        _check_same_origin()
        _check_csrf_header()


def _admit_to_pages() -> ResponseReturnValue | None:
    found = caller()
    if found is None:
        return _to_page(url_for("auth.login", next=_wanted_page()), 401)
    if found.user.must_change_password:
        return _must_change_first()
    if request.method not in READING and not found.may_change:
        abort(403)
    return None


def _must_change_first() -> ResponseReturnValue | None:
    found = caller()
    if found is None or not found.user.must_change_password:
        return None
    return _to_page(url_for("auth.password"), 403)


def _to_page(address: str, status: int) -> ResponseReturnValue:
    """A browser is sent on; htmx, which would put the new page into a corner of the old, is told to go."""
    if is_htmx():
        return "", status, {"HX-Redirect": address}
    return redirect(address)


def _wanted_page() -> str | None:
    """The page to come back to after the login: for htmx the one that asked, and never a form's target."""
    if is_htmx():
        parts = urlsplit(request.headers.get("HX-Current-URL", ""))
        return safe_next(f"{parts.path}?{parts.query}".removesuffix("?"))
    return safe_next(request.full_path.removesuffix("?")) if request.method in READING else None


def safe_next(target: str | None) -> str | None:
    """`target` when it is a path of this site, else None: no other host, backslash or control character."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or not target.isprintable() or " " in target:
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or parts.path in ("/login", "/logout") else target


def _check_same_origin() -> None:
    """A cookie alone proves little: the browser must say that our own page asked, if it says anything."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    ours = {request.host_url.rstrip("/"), settings.current().public_url}
    foreign = site != "same-origin" if site is not None else origin is not None and origin not in ours
    if foreign:
        abort(403, _("The request came from another site, so nothing was changed."))


def _check_csrf_header() -> None:
    """From the header alone: to look for it in a form would mean to read the whole upload first."""
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise CSRFError(str(error)) from error

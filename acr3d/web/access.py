"""Access control: who may do what, decided in one place before any view runs.

Everything under /admin and /api/admin needs a logged-in active user with the right that `route_rights`
asks for.
A bearer token is valid for the API, blobs and the health check; with one, a cookie in the same request is
ignored.
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
from acr3d.accounts import rights, second_factor, tokens, users
from acr3d.accounts.rights import Right
from acr3d.db import change_log
from acr3d.db.extensions import login
from acr3d.db.models import User
from acr3d.db.types import is_id
from acr3d.web.route_rights import READING, needed

SESSION_KEY = "_user_id"  # flask-login's
LOGIN_KEY = "login"  # the id of this login, by which it can be ended
_CALLER_KEY = "acr3d.caller"

log = logging.getLogger("acr3d.security")


@dataclass(frozen=True)
class Caller:
    """The sender of this request and their rights."""

    user: User
    rights: frozenset[Right]
    by_token: bool
    language: str | None
    must_change_password: bool

    def may(self, right: Right) -> bool:
        return right in self.rights


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
        if by := request.environ[_CALLER_KEY]:
            change_log.act_as(by.user.email)
    found: Caller | None = request.environ[_CALLER_KEY]
    return found


def chosen_language() -> str | None:
    """The language in the account of a caller who is known already. Asks no database: error pages need it."""
    found: Caller | None = request.environ.get(_CALLER_KEY)
    return found.language if found else None


def is_on_staff_page() -> bool:
    """Whether somebody who may see staff pages asked for one. Asks no database."""
    found: Caller | None = request.environ.get(_CALLER_KEY)
    return found is not None and not found.must_change_password and request.path.startswith("/admin")


def reader() -> Caller | None:
    """Who may read what only staff see: nobody before a one-time password is changed."""
    found = caller()
    if found is None or not found.may(Right.READ):
        return None
    if found.by_token:
        return found
    return None if found.user.must_change_password or second_factor.is_missing(found.user) else found


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
    return scheme.lower() == "bearer" and request.path.startswith(("/api/", "/media/", "/healthz"))


def _caller_by_token() -> Caller | None:
    token = request.headers["Authorization"].partition(" ")[2].strip()
    record = tokens.find_token(token)
    if record is None:
        log.warning("security.token_refused address=%s", request.remote_addr)
        return None
    return _caller(record.user, tokens.rights_of(record), by_token=True)


def _user_of_session(identity: str) -> User | None:
    return users.user_of_session(identity, session.get(LOGIN_KEY, ""))


def _caller_by_session() -> Caller | None:
    if not current_user.is_authenticated:
        return None
    user: User = current_user._get_current_object()
    return _caller(user, rights.of_role(user.role), by_token=False)


def _caller(user: User, may: frozenset[Right], *, by_token: bool) -> Caller:
    """What error pages need of the account is read now: later, the database may be away."""
    return Caller(user, may, by_token, user.language, user.must_change_password)


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
    if not found.by_token and second_factor.is_missing(found.user):
        abort(403, _("Set up the second step at login first: log in on the website."))
    _check_right(found)
    if request.method not in READING and not found.by_token:
        _check_same_origin()
        _check_csrf_header()


def _check_page_access() -> ResponseReturnValue | None:
    found = caller()
    if found is None:
        return _redirect(url_for("auth.login", next=_return_page()), 401)
    if found.user.must_change_password:
        return _require_password_change()
    if second_factor.is_missing(found.user):
        return _redirect(url_for("second_factor.show"), 403)
    _check_right(found)
    return None


def _check_right(found: Caller) -> None:
    """Answer 403 with the reason, if the caller may not do what is asked."""
    right = needed(request.endpoint or "", request.method)
    if found.may(right):
        return
    if found.by_token and right in rights.of_role(found.user.role):
        abort(403, _("The token lacks the scope “%(scope)s”.", scope=rights.scope_for(right)))
    if right == Right.MANAGE:
        abort(403, _("Only admins may see or change this. Ask an admin."))
    abort(403)


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

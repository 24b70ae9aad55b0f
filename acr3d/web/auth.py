"""Login, logout and changing your own password."""

from __future__ import annotations

import logging
from functools import partial
from time import time as now

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import login_user, logout_user

from acr3d.accounts import passwords, sessions, users
from acr3d.accounts.throttle import LoginThrottle
from acr3d.db.models import User
from acr3d.db.outage import best_effort
from acr3d.db.types import new_id
from acr3d.errors import InvalidInput
from acr3d.web.access import LOGIN_KEY, caller, safe_next
from acr3d.web.templating import LANGUAGES

bp = Blueprint("auth", __name__)
log = logging.getLogger("acr3d.security")
_WAITING = "waiting_for_code"  # in the session: whose identity, since when, where to
_WAITS_SECONDS = 600


@bp.record_once
def _add_throttle(state: BlueprintSetupState) -> None:
    state.app.extensions["acr3d_login_throttle"] = LoginThrottle()


@bp.get("/login")
def login() -> ResponseReturnValue:
    target = safe_next(request.args.get("next"))
    if caller() is not None:
        return redirect(_landing(target))
    return _login_page("", target)


@bp.post("/login")
def log_in() -> ResponseReturnValue:
    email = request.form.get("email", "")
    target = safe_next(request.form.get("next"))
    check = partial(users.authenticate, email, request.form.get("password", ""))
    account, address = users.throttle_key(email), request.remote_addr
    try:
        wait, user = throttle().try_password(account, address, check)
    except users.PasswordExpired as expired:
        return _login_page(email, target, str(expired)), expired.status
    if wait:
        log.warning("security.login_held user=%s address=%s", account, address)
        return slow_down(_login_page(email, target, wait_message(wait)), wait)
    if user is None:
        log.warning("security.login_failed user=%s address=%s", account, address)
        return _login_page(email, target, _("Wrong email address or password.")), 401
    return begin_login(user, target)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    found = caller()
    if found is not None:
        log.info("security.logout user=%s address=%s", found.user.email, request.remote_addr)
    with best_effort("logout"):  # on a full disk only this browser forgets the session
        sessions.end(session.get(LOGIN_KEY, ""))
    return _end_session()


@bp.post("/account/logout-everywhere")
def logout_everywhere() -> ResponseReturnValue:
    found = caller()
    if found is not None:
        users.log_out_everywhere(found.user)
    return _end_session()


def _end_session() -> ResponseReturnValue:
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"))


@bp.get("/account/password")
def password() -> ResponseReturnValue:
    found = caller()
    if found is None:
        return redirect(url_for("auth.login", next=url_for("auth.password")))
    return _password_page(found.user)


@bp.post("/account/password")
def change_password() -> ResponseReturnValue:
    found = caller()
    if found is None:
        return redirect(url_for("auth.login", next=url_for("auth.password")))
    user = found.user
    try:
        wait, changed = throttle().try_password(user.email, request.remote_addr, partial(_changed, user))
    except InvalidInput as invalid:
        return _password_page(user, str(invalid)), invalid.status
    if wait:
        return slow_down(_password_page(user, wait_message(wait)), wait)
    if not changed:
        log.warning("security.password_change_failed user=%s address=%s", user.email, request.remote_addr)
        return _password_page(user, _("Your current password is wrong. Nothing was changed.")), 400
    begin_session(user)
    flash(_("Your password was changed. You have been logged out everywhere else."))
    return redirect(_landing(None))


@bp.post("/account/language")
def choose_language() -> ResponseReturnValue:
    found = caller()
    if found is None:
        return redirect(url_for("auth.login"))
    chosen = request.form.get("language", "")
    users.choose_language(found.user, chosen if chosen in LANGUAGES else None)
    return redirect(_landing(safe_next(request.form.get("next"))), 303)


def _changed(user: User) -> bool | None:
    """None if the current password was wrong. Raises InvalidInput for an unacceptable new one."""
    new = request.form.get("new_password", "")
    if new != request.form.get("repeated_password", ""):
        raise InvalidInput(_("The new passwords do not match. Nothing was changed."))
    try:
        users.change_password(user, request.form.get("current_password", ""), new)
    except users.WrongPassword:
        return None
    return True


def begin_login(user: User, target: str | None = None) -> ResponseReturnValue:
    """After the first factor: the session, or the question for the second one."""
    if user.totp_secret is None:
        begin_session(user)
        log.info("security.login user=%s address=%s", user.email, request.remote_addr)
        return redirect(_landing(target))
    log.info("security.code_asked user=%s address=%s", user.email, request.remote_addr)
    session.clear()
    session[_WAITING] = [user.get_id(), int(now()), target]
    return redirect(url_for("second_factor.ask"))


def waiting_for_code() -> User | None:
    """Who has given the first factor in this browser lately, and not the second."""
    identity, since, _target = session.get(_WAITING, ("", 0, None))
    if now() > since + _WAITS_SECONDS:
        return None
    return users.user_of_session(identity, new_id())


def landing_after_code() -> str:
    """Where the person wanted to go, before `begin_session` forgets it."""
    return _landing(session.get(_WAITING, ("", 0, None))[2])


def begin_session(user: User) -> None:
    """Start an empty session: nothing from before the login is kept, not even the CSRF token."""
    session.clear()
    login_user(user)
    session[LOGIN_KEY] = new_id()
    users.note_login(user)


def _landing(target: str | None) -> str:
    return target or url_for("admin.overview")


def _login_page(email: str, target: str | None, problem: str | None = None) -> str:
    return render_template("auth/login.html", email=email, next=target, problem=problem)


def _password_page(user: User, problem: str | None = None) -> str:
    shortest = passwords.SHORTEST
    return render_template("auth/password.html", user=user, shortest=shortest, problem=problem)


def slow_down(page: str, seconds: int) -> ResponseReturnValue:
    return page, 429, {"Retry-After": str(seconds)}


def wait_message(seconds: int) -> str:
    sentence: str = ngettext(
        "Too many wrong passwords. Try again in %(num)s second.",
        "Too many wrong passwords. Try again in %(num)s seconds.",
        seconds,
    )
    return sentence


def throttle() -> LoginThrottle:
    kept: LoginThrottle = current_app.extensions["acr3d_login_throttle"]
    return kept

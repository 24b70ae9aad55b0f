"""Login, logout, and the change of one's own password."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import login_user, logout_user

from acr3d.accounts import passwords, users
from acr3d.accounts.throttle import Pace
from acr3d.db.models import User
from acr3d.errors import InvalidInput
from acr3d.web.access import caller, safe_next

bp = Blueprint("auth", __name__)


@bp.record_once
def _keep_counts(state: BlueprintSetupState) -> None:
    state.app.extensions["acr3d_pace"] = Pace()


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
    wait, user = _pace().try_password(email, request.remote_addr, check)
    if wait:
        return _slow_down(_login_page(email, target, _wait_sentence(wait)), wait)
    if user is None:
        return _login_page(email, target, _("This email address and password do not belong together.")), 401
    _begin_session(user)
    return redirect(_landing(target))


@bp.post("/logout")
def logout() -> ResponseReturnValue:
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
        wait, changed = _pace().try_password(user.email, request.remote_addr, partial(_changed, user))
    except InvalidInput as refusal:
        return _password_page(user, str(refusal)), refusal.status
    if wait:
        return _slow_down(_password_page(user, _wait_sentence(wait)), wait)
    if not changed:
        return _password_page(user, _("The present password is not right. Nothing was changed.")), 400
    _begin_session(user)
    flash(_("Your password is changed. You were logged out everywhere else."))
    return redirect(_landing(None))


def _changed(user: User) -> bool | None:
    """None when the present password was wrong. Raises Refused for a new one that cannot be."""
    new = request.form.get("new_password", "")
    if new != request.form.get("repeated_password", ""):
        raise InvalidInput(_("The new password was not typed the same way twice."))
    try:
        users.change_password(user, request.form.get("present_password", ""), new)
    except users.WrongPassword:
        return None
    return True


def _begin_session(user: User) -> None:
    """Nothing of the stranger's session is kept: neither its data nor its CSRF token."""
    session.clear()
    login_user(user)


def _landing(target: str | None) -> str:
    return target or url_for("admin.overview")


def _login_page(email: str, target: str | None, problem: str | None = None) -> str:
    return render_template("auth/login.html", email=email, next=target, problem=problem)


def _password_page(user: User, problem: str | None = None) -> str:
    shortest = passwords.SHORTEST
    return render_template("auth/password.html", user=user, shortest=shortest, problem=problem)


def _slow_down(page: str, seconds: int) -> ResponseReturnValue:
    return page, 429, {"Retry-After": str(seconds)}


def _wait_sentence(seconds: int) -> str:
    sentence: str = ngettext(
        "Those were too many wrong passwords. Please try again in %(num)s second.",
        "Those were too many wrong passwords. Please try again in %(num)s seconds.",
        seconds,
    )
    return sentence


def _pace() -> Pace:
    kept: Pace = current_app.extensions["acr3d_pace"]
    return kept

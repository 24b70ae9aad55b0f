"""The second factor's pages: asked for at the login, and set up or removed by its person."""

from __future__ import annotations

import logging

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.accounts import passwords, second_factor, totp
from acr3d.db.models import User
from acr3d.errors import InvalidInput
from acr3d.web import auth
from acr3d.web.access import caller
from acr3d.web.public.qr_code import qr_code
from acr3d.web.public.shop import shop_name

bp = Blueprint("second_factor", __name__)
log = logging.getLogger("acr3d.security")
_OFFERED = "offered_key"  # in the session of the person who sets it up


@bp.get("/login/code")
def ask() -> ResponseReturnValue:
    waiting = auth.waiting_for_code()
    return _code_page() if waiting else redirect(url_for("auth.login"))


@bp.post("/login/code")
def check() -> ResponseReturnValue:
    user = auth.waiting_for_code()
    if user is None:
        return redirect(url_for("auth.login"))
    code = request.form.get("code", "")
    wait, is_right = _tried(user, code)
    if wait:
        return auth.slow_down(_code_page(auth.wait_message(wait)), wait)
    if not is_right:
        log.warning("security.code_refused user=%s address=%s", user.email, request.remote_addr)
        return _code_page(_("This code is wrong, or was used already. Wait for the next one.")), 401
    target = auth.landing_after_code()
    auth.begin_session(user)
    log.info("security.login user=%s address=%s", user.email, request.remote_addr)
    return redirect(target)


@bp.get("/account/second-factor")
def show() -> ResponseReturnValue:
    found = caller()
    if found is None:
        return redirect(url_for("auth.login", next=url_for("second_factor.show")))
    return _page(found.user)


@bp.post("/account/second-factor")
def change() -> ResponseReturnValue:
    """Set up with a code of the new app; with a code of the present one, remove it or make new codes."""
    found = caller()
    if found is None:
        return redirect(url_for("auth.login", next=url_for("second_factor.show")))
    user, code = found.user, request.form.get("code", "")
    if user.totp_secret is None:
        return _set_up(user, code)
    wait, is_right = _tried(user, code)
    if wait:
        return auth.slow_down(_page(user, auth.wait_message(wait)), wait)
    if not is_right:
        return _page(user, _("This code is wrong, or was used already. Wait for the next one.")), 400
    if request.form.get("action") == "codes":
        return _page(user, codes=second_factor.new_recovery_codes(user))
    second_factor.remove(user)
    flash(_("You no longer need a code to log in."), "success")
    return redirect(url_for("second_factor.show"), 303)


def _set_up(user: User, code: str) -> ResponseReturnValue:
    password = request.form.get("password", "")
    wait, is_right = auth.throttle().try_password(
        user.email, request.remote_addr, lambda: passwords.matches(user.password_hash, password) or None
    )
    if wait:
        return auth.slow_down(_page(user, auth.wait_message(wait)), wait)
    if not is_right:
        return _page(user, _("Your current password is wrong. Nothing was changed.")), 400
    try:
        codes = second_factor.enable(user, session.get(_OFFERED, totp.made_secret()), code)
    except InvalidInput as problem:
        return _page(user, str(problem)), problem.status
    session.pop(_OFFERED, None)
    return _page(user, codes=codes)


def _tried(user: User, code: str) -> tuple[int, bool]:
    """The seconds to wait first, or 0 and whether the code is right. Counted apart from passwords."""
    wait, is_right = auth.throttle().try_password(
        f"code {user.email}",
        request.remote_addr,
        lambda: second_factor.is_right(user, code) or None,
        from_everywhere=True,
    )
    return wait, bool(is_right)


def _code_page(problem: str | None = None) -> str:
    return render_template("auth/code.html", problem=problem)


def _page(user: User, problem: str | None = None, codes: list[str] | None = None) -> str:
    """`codes`: recovery codes, shown this once."""
    secret = address = None
    if user.totp_secret is None:
        secret = session.setdefault(_OFFERED, totp.made_secret())
        address = totp.address(secret, user.email, shop_name())
    return render_template(
        "auth/second_factor.html",
        user=user,
        is_missing=second_factor.is_missing(user),
        problem=problem,
        codes=codes,
        left=len(user.recovery_codes),
        secret=secret,
        qr_code=qr_code(address) if address else None,
    )

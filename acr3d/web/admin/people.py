"""People: who may log in, what they may do, and their API tokens. For admins only."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.accounts import people, tokens, users
from acr3d.db.models import ROLES
from acr3d.errors import InvalidInput
from acr3d.web.access import actor, caller

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.before_request
def _admins_only() -> None:
    found = caller()
    if found is None or not found.may_change:
        abort(403, _("Only admins see who has an account. Ask an admin."))


@bp.get("")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("")
def invite() -> ResponseReturnValue:
    email, role = request.form.get("email", ""), request.form.get("role", "viewer")
    try:
        user, made = people.invite(email, role)
    except InvalidInput as problem:
        return _page(problem=problem, email=email), problem.status
    return _page(secret=made, secret_for=user.email)


@bp.post("/<user_id>/password")
def new_password(user_id: str) -> ResponseReturnValue:
    user, made = people.new_password(user_id)
    return _page(secret=made, secret_for=user.email)


@bp.post("/<user_id>/role")
def role(user_id: str) -> ResponseReturnValue:
    user = people.change_role(user_id, request.form.get("role", ""), actor())
    return _done(_("%(email)s has another role now.", email=user.email))


@bp.post("/<user_id>/disable")
def disable(user_id: str) -> ResponseReturnValue:
    user = people.disable(user_id, actor())
    return _done(_("%(email)s can no longer log in, and its tokens no longer work.", email=user.email))


@bp.post("/<user_id>/enable")
def enable(user_id: str) -> ResponseReturnValue:
    user = users.enable_user(people.person(user_id).email)
    return _done(_("%(email)s can log in again.", email=user.email))


@bp.post("/<user_id>/sign-out")
def sign_out(user_id: str) -> ResponseReturnValue:
    user = people.person(user_id)
    users.log_out_everywhere(user)
    return _done(_("%(email)s is logged out everywhere.", email=user.email))


@bp.post("/<user_id>/tokens")
def issue_token(user_id: str) -> ResponseReturnValue:
    user = people.person(user_id)
    _record, token = tokens.issue_token(user.email, request.form.get("role", ""))
    return _page(secret=token, secret_for=user.email, is_token=True)


@bp.post("/<user_id>/tokens/<token_id>/revoke")
def revoke_token(user_id: str, token_id: str) -> ResponseReturnValue:
    tokens.revoke_tokens(people.person(user_id).email, token_id)
    return _done(_("The token no longer works."))


def _done(said: str) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(url_for("admin.people.index"), 303)


def _page(
    *,
    secret: str = "",
    secret_for: str = "",
    is_token: bool = False,
    problem: InvalidInput | None = None,
    email: str = "",
) -> str:
    """`secret` is shown this once: a one-time password, or a token."""
    return render_template(
        "admin/people.html",
        people=people.everyone(),
        tokens=people.live_tokens(),
        roles={"admin": _("Admin"), "viewer": _("Viewer")},
        all_roles=ROLES,
        secret=secret,
        secret_for=secret_for,
        is_token=is_token,
        problem=problem,
        email=email,
    )

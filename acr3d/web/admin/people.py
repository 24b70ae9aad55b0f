"""People: who may log in, what they may do, and their API tokens. For admins only."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.accounts import links, people, rights, tokens, users
from acr3d.accounts.rights import Right
from acr3d.db.models import ROLES
from acr3d.db.types import utc_now
from acr3d.errors import InvalidInput
from acr3d.web.access import actor
from acr3d.web.templating import absolute

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("")
def index() -> ResponseReturnValue:
    return _page()


@bp.post("")
def invite() -> ResponseReturnValue:
    email, role = request.form.get("email", ""), request.form.get("role", "viewer")
    try:
        user, token = people.invite(email, role)
    except InvalidInput as problem:
        return _page(problem=problem, email=email), problem.status
    return _page(secret=_link(token), secret_for=user.email)


@bp.post("/<user_id>/link")
def new_link(user_id: str) -> ResponseReturnValue:
    user, token = people.new_link(user_id)
    return _page(secret=_link(token), secret_for=user.email)


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


@bp.post("/<user_id>/second-factor/remove")
def remove_second_factor(user_id: str) -> ResponseReturnValue:
    user = people.remove_second_factor(user_id, actor())
    return _done(_("%(email)s no longer needs a code to log in.", email=user.email))


@bp.post("/<user_id>/tokens")
def issue_token(user_id: str) -> ResponseReturnValue:
    user = people.person(user_id)
    _record, token = tokens.issue_token(
        user.email, request.form.getlist("scope"), request.form.get("name", "")
    )
    return _page(secret=token, secret_for=user.email, is_token=True)


@bp.post("/<user_id>/tokens/<token_id>/revoke")
def revoke_token(user_id: str, token_id: str) -> ResponseReturnValue:
    tokens.revoke_tokens(people.person(user_id).email, token_id)
    return _done(_("The token no longer works."))


def _link(token: str) -> str:
    return absolute(url_for("invitations.show", token=token))


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
    """`secret` is shown this once: a link, or a token."""
    return render_template(
        "admin/people.html",
        people=people.everyone(),
        tokens=people.live_tokens(),
        roles=_role_names(),
        scopes=_scope_names(),
        scopes_of_role=rights.scopes_of_role,
        matrix=_matrix(),
        secret=secret,
        secret_for=secret_for,
        is_token=is_token,
        now=utc_now(),
        link_days=links.LASTS.days,
        problem=problem,
        email=email,
    )


def _role_names() -> dict[str, str]:
    names = {"viewer": _("Viewer"), "editor": _("Editor"), "admin": _("Admin")}
    return {role: names[role] for role in ROLES}


def _scope_names() -> dict[str, str]:
    names = {rights.READ: _("Read"), rights.WRITE: _("Write"), rights.GENERATE: _("Generate")}
    return {scope: names[scope] for scope in rights.SCOPES}


def _matrix() -> list[tuple[str, list[bool]]]:
    """What there is to do, and whether each role may."""
    rows = [
        (_("See parts, photos, models, jobs, credits and settings; download lists and files"), Right.READ),
        (_("Change parts, photos and categories; delete and bring back"), Right.EDIT),
        (_("Import tables and photos"), Right.EDIT),
        (_("Review and publish models"), Right.EDIT),
        (_("Generate models, within the budget"), Right.GENERATE),
        (_("Invite people, set roles, issue tokens, see the log"), Right.MANAGE),
        (_("Change settings, choose the engine's model, settle unmatched tasks"), Right.MANAGE),
    ]
    return [(what, [right in rights.of_role(role) for role in ROLES]) for what, right in rows]

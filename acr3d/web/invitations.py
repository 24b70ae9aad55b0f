"""The page behind a link that an admin made: its person chooses a password and is logged in."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.accounts import links, passwords
from acr3d.db.models import User
from acr3d.errors import InvalidInput, Missing
from acr3d.web.auth import begin_login

bp = Blueprint("invitations", __name__, url_prefix="/account/invitation")


@bp.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """Reading uses nothing up: programs that preview links open them, too."""
    return _page(links.holder(token))


@bp.post("/<token>")
def use(token: str) -> ResponseReturnValue:
    password = request.form.get("new_password", "")
    if password != request.form.get("repeated_password", ""):
        problem = _("The new passwords do not match. Nothing was changed.")
        return _page(links.holder(token), problem), InvalidInput.status
    try:
        user = links.use(token, password)
    except Missing:
        raise
    except InvalidInput as refused:
        return _page(links.holder(token), str(refused)), refused.status
    return begin_login(user)


def _page(user: User, problem: str | None = None) -> str:
    return render_template("auth/invitation.html", person=user, shortest=passwords.SHORTEST, problem=problem)

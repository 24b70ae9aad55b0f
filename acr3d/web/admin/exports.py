"""Parts to download: all, those that the list shows, or chosen ones, as a table or as their files."""

from __future__ import annotations

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.errors import InvalidInput
from acr3d.tables.writing import FORMATS
from acr3d.web import exports
from acr3d.web.admin import part_list

bp = Blueprint("exports", __name__, url_prefix="/exports")


@bp.get("/parts.<table_format>")
def parts(table_format: str) -> ResponseReturnValue:
    if table_format not in FORMATS:
        abort(404)
    return exports.table(table_format)


@bp.post("")
def chosen() -> ResponseReturnValue:
    """Lead to the table of the chosen parts (`part`), or with `all` to that of the list in the address."""
    is_all = request.form.get("all") == "yes"
    asked = part_list.asked() if is_all else {"id": request.form.getlist("part")}
    if not any(asked.values()) and not is_all:
        raise InvalidInput(_("Choose at least one part."))
    return "", 204, {"HX-Redirect": url_for("admin.exports.parts", table_format="xlsx", **asked)}


@bp.get("/files.zip")
def files() -> ResponseReturnValue:
    return exports.archive()

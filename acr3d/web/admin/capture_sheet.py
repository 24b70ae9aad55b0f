"""The printed sheet that a part lies on while it is filmed."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.capture_sheet import drawing
from acr3d.capture_sheet.layout import SHEETS

bp = Blueprint("capture_sheet", __name__)


@bp.get("/capture-sheet.<any(pdf, svg):kind>")
def download(kind: str) -> ResponseReturnValue:
    """In true size; `?paper=A3` for the larger one."""
    sheet = SHEETS.get(request.args.get("paper", "A4"))
    if sheet is None:
        abort(404)
    words = _(
        "acr3d capture sheet %(paper)s. Print at 100 %%: this line is 100 mm long.",
        paper=sheet.name,
    )
    if kind == "svg":
        return Response(drawing.svg(sheet, words), mimetype="image/svg+xml")
    response = Response(drawing.pdf(sheet, words), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="capture-sheet-{sheet.name}.pdf"'
    return response

"""One change of many parts from the staff's list, and the way back."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from acr3d.parts import bulk
from acr3d.parts.bulk import Outcome
from acr3d.web import list_request
from acr3d.web.access import actor
from acr3d.web.admin import part_list
from acr3d.web.templating import asked_query

bp = Blueprint("bulk", __name__, url_prefix="/parts/bulk")
_REASONS_SHOWN = 3


@bp.post("")
def change() -> ResponseReturnValue:
    """Do `action` to the chosen parts (`part`), or with `all` to every part of the list in the address."""
    if request.form.get("all") == "yes":
        chosen = bulk.matching(asked_query(), list_request.staff_filters())
    else:
        chosen = request.form.getlist("part")
    outcome = bulk.change(
        request.form.get("action", ""), chosen, actor(), request.form.get("new_category", "")
    )
    return _answer(_said(outcome), outcome, may_undo=outcome.done > 0)


@bp.post("/<change_id>/undo")
def undo(change_id: str) -> ResponseReturnValue:
    outcome = bulk.undo(change_id)
    said = ngettext("%(num)s part is as before.", "%(num)s parts are as before.", outcome.done)
    return _answer(said, outcome, may_undo=False)


def _answer(said: str, outcome: Outcome, *, may_undo: bool) -> str:
    reasons = [f"{part.sku}: {reason}" for part, reason in outcome.left_out[:_REASONS_SHOWN]]
    return render_template(
        "admin/_bulk_done.html",
        said=said,
        reasons=reasons,
        left_out=len(outcome.left_out),
        change_id=outcome.change_id if may_undo else None,
        **part_list.context(),
    )


def _said(outcome: Outcome) -> str:
    n = outcome.done
    if not n:
        return str(_("Nothing changed: these parts were so already."))
    said = {
        "publish": ngettext("%(num)s part published.", "%(num)s parts published.", n),
        "unpublish": ngettext("%(num)s part unpublished.", "%(num)s parts unpublished.", n),
        "category": ngettext(
            "%(num)s part moved to the category.", "%(num)s parts moved to the category.", n
        ),
        "label": ngettext("%(num)s part labelled by order.", "%(num)s parts labelled by order.", n),
        "delete": ngettext("%(num)s part moved to the bin.", "%(num)s parts moved to the bin.", n),
    }
    return str(said[outcome.action])

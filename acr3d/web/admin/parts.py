"""Parts for staff: the list, the form for a new part, and the page of a part."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from acr3d.captures.captures import positions_of
from acr3d.db.models import Part
from acr3d.db.states import DAYS_IN_BIN
from acr3d.db.types import is_id
from acr3d.errors import Gone, InvalidInput, Missing
from acr3d.jobs import queries
from acr3d.parts import bin, fields, parts, photos, sku_lookup, stale
from acr3d.parts.search import PAGE_SIZE
from acr3d.photo_checks import queue
from acr3d.photo_checks.results import check_result
from acr3d.shop import options
from acr3d.storage import cleanup
from acr3d.web import list_request
from acr3d.web.admin import live_updates, part_list
from acr3d.web.admin.generate_form import GenerateForm

bp = Blueprint("parts", __name__, url_prefix="/parts")


@bp.get("")
def index() -> ResponseReturnValue:
    list_request.leave_numbered_pages()
    context = part_list.context()
    if part_list.is_wanted_alone():
        return render_template("admin/_part_list_update.html", **context)
    return render_template("admin/parts.html", equal_skus=sku_lookup.pairs_that_look_equal(), **context)


@bp.get("/live")
def live_list() -> ResponseReturnValue:
    """The states of the parts on a list (`part`, at most one page of them) if they differ from `rev`."""
    shown = parts.parts_by_ids([one for one in request.args.getlist("part")[:PAGE_SIZE] if is_id(one)])
    jobs = queries.newest_jobs([part.id for part in shown])
    if request.args.get("rev") == live_updates.parts_revision(shown, jobs):
        return "", 204
    live_jobs = live_updates.parts_poller(shown, jobs)
    return render_template("admin/_live_parts.html", parts=shown, jobs=jobs, live_jobs=live_jobs)


@bp.get("/new")
def new() -> ResponseReturnValue:
    # Unlike one from the API, a part from the form is shown to customers when somebody publishes it.
    usual = {"is_published": False, "currency": options.current().shop.currency}
    return _new_part_page(fields.new_part_values() | usual)


@bp.post("")
def create() -> ResponseReturnValue:
    values = fields.from_form(request.form)
    try:
        part = parts.create_part(values)
    except InvalidInput as problem:
        return _new_part_page(values, problem), problem.status
    flash(_("Part created. Now add its photos."), "success")
    return redirect(url_for("admin.parts.show", part_id=part.id))


@bp.get("/<part_id>")
def show(part_id: str) -> ResponseReturnValue:
    return _page(part_id)


@bp.post("/<part_id>")
def update(part_id: str) -> ResponseReturnValue:
    values = fields.from_form(request.form)
    kept = [name for name in values if request.form.get(f"keep.{name}") == "theirs"]
    sent = {name: value for name, value in values.items() if name not in kept}
    try:
        parts.update_part(part_id, sent, stale.seen_in_form(request.form))
    except Missing as problem:
        return _deleted_meanwhile(part_id, values, problem)
    except stale.Stale as problem:
        seen = stale.seen_in_form(request.form)
        found = stale.differences(problem.part, seen.shown or {} if seen else {}, values)
        return _page(part_id, values, problem, found), problem.status
    except InvalidInput as problem:
        return _page(part_id, values, problem), problem.status
    flash(_("Saved."), "success")
    return redirect(url_for("admin.parts.show", part_id=part_id))


@bp.post("/<part_id>/publish")
def publish(part_id: str) -> ResponseReturnValue:
    parts.update_part(part_id, {"is_published": True})
    flash(_("Customers can see the part now."), "success")
    return "", 204, {"HX-Redirect": url_for("admin.parts.show", part_id=part_id)}


@bp.post("/<part_id>/delete")
def delete(part_id: str) -> ResponseReturnValue:
    part = bin.delete_part(part_id, stale.seen_in_form(request.form))
    said = render_template("admin/_deleted.html", part=part, days=DAYS_IN_BIN)
    flash(Markup(said), "success")  # noqa: S704 - the template escapes
    return "", 204, {"HX-Redirect": url_for("admin.parts.index")}


@bp.get("/bin")
def deleted() -> ResponseReturnValue:
    return render_template("admin/bin.html", parts=bin.parts_in_bin(), days=DAYS_IN_BIN)


@bp.post("/<part_id>/restore")
def restore(part_id: str) -> ResponseReturnValue:
    try:
        part = bin.restore_part(part_id)
    except Missing:
        raise
    except InvalidInput as problem:
        page = render_template("admin/bin.html", parts=bin.parts_in_bin(), days=DAYS_IN_BIN, problem=problem)
        return page, problem.status
    flash(_("“%(name)s” is back.", name=part.name), "success")
    return redirect(url_for("admin.parts.show", part_id=part.id))


@bp.get("/<part_id>/live")
def live(part_id: str) -> ResponseReturnValue:
    seen = request.args.get("rev", "")
    job, versions = queries.newest_job(part_id), queries.versions_of(part_id)
    photo_check = check_result(parts.part_by_id(part_id), photos.images_of(part_id))
    revision = live_updates.part_revision(job, versions, photo_check, positions_of(part_id))
    changed = live_updates.changed_groups(seen, revision)
    if not changed:
        return "", 204
    context = live_updates.part_context(part_id)
    context["generate_form"] = GenerateForm.suggested(context["images"], context["photo_check"].best)
    return render_template("admin/_live_part.html", changed=changed, **context)


def _new_part_page(
    values: dict[str, Any], problem: InvalidInput | None = None, in_bin: Part | None = None
) -> str:
    rows = fields.form_rows()
    return render_template("admin/new_part.html", values=values, rows=rows, problem=problem, in_bin=in_bin)


def _deleted_meanwhile(part_id: str, values: dict[str, Any], problem: Missing) -> ResponseReturnValue:
    """What was typed for a part that is in the bin by now, in the form for a new part."""
    part = bin.part_in_bin(part_id)
    if part is None:
        raise problem
    gone = Gone(
        _(
            "Someone else has deleted this part in the meantime, so it was not saved. What you typed is "
            "below: create a new part from it, or bring the deleted part back first."
        )
    )
    return _new_part_page(values, gone, part), gone.status


def _page(
    part_id: str,
    values: dict[str, Any] | None = None,
    problem: InvalidInput | None = None,
    differences: list[stale.Difference] | None = None,
) -> str:
    g.viewer_page = True
    queue.request_check_if_missing(parts.part_by_id(part_id), photos.images_of(part_id))
    context = live_updates.part_context(part_id)
    part: Part = context["part"]
    return render_template(
        "admin/part.html",
        values=values or fields.values_of(part),
        seen=json.dumps(stale.shown_values(part)),
        differences=differences or [],
        rows=fields.form_rows(),
        problem=problem,
        generate_form=GenerateForm.suggested(context["images"], context["photo_check"].best),
        space=cleanup.bytes_of_part(part_id),
        **context,
    )

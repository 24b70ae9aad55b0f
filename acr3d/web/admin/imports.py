"""Imports for staff: a file in, what it would do, doing it, and taking it back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Import, ImportPhoto, ImportRow
from acr3d.db.states import WORKING, ImportState
from acr3d.errors import InvalidInput
from acr3d.imports import actions, lists, rows
from acr3d.messages.wording import worded
from acr3d.parts.fields import FIELDS
from acr3d.tables.formulas import harmless
from acr3d.tables.limits import TableRefused
from acr3d.web import badges, labels
from acr3d.web.admin.pressed import done, whole_number
from acr3d.web.import_upload import begun, takes_import
from acr3d.web.streaming import streamed

bp = Blueprint("imports", __name__, url_prefix="/imports")

LIVE_SECONDS = 2


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template("admin/imports.html", imports=actions.newest(), state_badge=badges.import_badge)


@bp.post("")
def create() -> ResponseReturnValue:
    try:
        record = begun()
    except TableRefused as refusal:
        return _back_to_list(worded(refusal.message))
    except InvalidInput as refusal:
        return _back_to_list(str(refusal))
    return redirect(url_for("admin.imports.show", import_id=record.id))


takes_import(create)


@bp.get("/<import_id>")
def show(import_id: str) -> ResponseReturnValue:
    record = actions.by_id(import_id)
    kind = request.args.get("show", "")
    kind = kind if kind in lists.KINDS else ""
    photo_kind = request.args.get("photos", "")
    photo_kind = photo_kind if photo_kind in lists.PHOTO_KINDS else ""
    return render_template(
        "admin/import.html",
        record=record,
        kind=kind,
        page=lists.page(ImportRow, record.id, kind, request.args.get("after", -1, type=int)),
        differences=rows.differences,
        fields=FIELDS,
        delimiters=labels.delimiter_names(),
        encodings=labels.ENCODING_NAMES,
        sheets={name: name for name in record.found.get("sheets", [])},
        photo_kind=photo_kind,
        photos=lists.page(ImportPhoto, record.id, photo_kind, request.args.get("after_photo", 0, type=int)),
        photos_left=bool(lists.page(ImportPhoto, record.id, lists.LEFT).lines),
        has_left=bool(lists.page(ImportRow, record.id, lists.LEFT).lines),
        **_progress(record),
    )


@bp.get("/<import_id>/live")
def live(import_id: str) -> ResponseReturnValue:
    """The progress; a header that reloads the page when there is something to decide."""
    record = actions.by_id(import_id)
    if record.state not in WORKING:
        return "", 200, {"HX-Refresh": "true"}
    return render_template("admin/_import_progress.html", record=record, **_progress(record))


@bp.post("/<import_id>")
def read_again(import_id: str) -> ResponseReturnValue:
    record = actions.by_id(import_id)
    layout = {name: value for name in actions.LAYOUT if (value := request.form.get(name, ""))}

    def change() -> None:
        actions.read_again(
            import_id,
            _seen(),
            layout,
            _mapping(record),
            stops_at_refused="stops_at_refused" in request.form,
            makes_categories="makes_categories" in request.form,
        )

    return _done(import_id, change)


@bp.post("/<import_id>/photos")
def choose_photos(import_id: str) -> ResponseReturnValue:
    """Take the parts that were chosen for unclear photos: `path-N` and `sku-N`, which is empty for none."""
    form = request.form
    numbers = [name.partition("-")[2] for name in form if name.startswith("path-")]
    chosen = {form[f"path-{one}"]: form.get(f"sku-{one}", "") for one in numbers}
    return _done(import_id, lambda: actions.choose_photos(import_id, _seen(), chosen))


@bp.post("/<import_id>/start")
def start(import_id: str) -> ResponseReturnValue:
    return _done(import_id, lambda: actions.start(import_id, _seen()))


@bp.post("/<import_id>/stop")
def stop(import_id: str) -> ResponseReturnValue:
    return _done(import_id, lambda: actions.stop(import_id))


@bp.post("/<import_id>/resume")
def resume(import_id: str) -> ResponseReturnValue:
    return _done(import_id, lambda: actions.resume(import_id))


@bp.post("/<import_id>/undo")
def undo(import_id: str) -> ResponseReturnValue:
    return _done(import_id, lambda: actions.take_back(import_id))


@bp.post("/<import_id>/delete")
def delete(import_id: str) -> ResponseReturnValue:
    actions.remove(import_id)
    flash(_("The import was deleted. Its parts stay."), "success")
    return "", 204, {"HX-Redirect": url_for("admin.imports.index")}


@bp.get("/<import_id>/problems.csv")
def problems(import_id: str) -> ResponseReturnValue:
    actions.by_id(import_id)
    headers = {"Content-Disposition": "attachment; filename=problems.csv"}
    return Response(streamed(_problem_lines(import_id)), mimetype="text/csv", headers=headers)


def _problem_lines(import_id: str) -> Iterator[str]:
    yield "\ufeff" + _csv_line("row", "sku", "problem", "photo")
    for some in lists.problems(ImportRow, import_id):
        yield "".join(_csv_line(str(row.number), str(harmless(row.sku)), lists.why(row), "") for row in some)
    for photos in lists.problems(ImportPhoto, import_id):
        yield "".join(
            _csv_line("", str(harmless(one.sku)), lists.why(one), str(harmless(one.path))) for one in photos
        )


def _mapping(record: Import) -> dict[str, str | None]:
    """The field chosen for each heading; what was asked for before if nothing was changed."""
    columns = record.found.get("columns", [])
    chosen = {
        one["heading"]: request.form.get(f"column-{place}") or None
        for place, one in enumerate(columns)
        if one["heading"] and f"column-{place}" in request.form
    }
    is_same = all(chosen.get(one["heading"], one["field"]) == one["field"] for one in columns)
    return dict(record.mapping) if is_same else chosen


def _progress(record: Import) -> dict[str, object]:
    is_working = record.state in WORKING
    photos = record.photo_count or 0
    url = url_for("admin.imports.live", import_id=record.id) if is_working else None
    return {
        "badge_of_state": badges.import_badge(record.state),
        "is_working": is_working,
        "done": record.rows_done + record.photos_done,
        "total": 0 if record.state == ImportState.UNDOING else record.row_count + photos,
        "live": {"url": url, "seconds": LIVE_SECONDS},
    }


def _seen() -> int:
    return whole_number("revision")


def _done(import_id: str, change: Callable[[], None]) -> ResponseReturnValue:
    return done(change, url_for("admin.imports.show", import_id=import_id))


def _back_to_list(problem: str) -> ResponseReturnValue:
    flash(problem, "error")
    return redirect(url_for("admin.imports.index"))


def _csv_line(*cells: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue()

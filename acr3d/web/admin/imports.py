"""Imports for staff: a file in, what it would do, doing it, and taking it back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from acr3d.db.models import Import
from acr3d.db.states import WORKING
from acr3d.errors import InvalidInput, Missing
from acr3d.imports import actions, rows
from acr3d.messages.wording import worded
from acr3d.parts.fields import FIELDS
from acr3d.storage.temporary import temporary_file
from acr3d.tables.formulas import harmless
from acr3d.tables.limits import MOST_BYTES, TableRefused
from acr3d.web import body_sizes, labels
from acr3d.web.access import actor
from acr3d.web.streaming import streamed
from acr3d.web.templating import language

bp = Blueprint("imports", __name__, url_prefix="/imports")

LIVE_SECONDS = 2


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template("admin/imports.html", imports=actions.newest(), state_badge=labels.import_badge)


@bp.post("")
def create() -> ResponseReturnValue:
    sent = request.files.get("table")
    if sent is None or not sent.filename:
        return _back_to_list(_("Choose a file first."))
    try:
        record = _kept(sent)
    except TableRefused as refusal:
        return _back_to_list(worded(refusal.message))
    return redirect(url_for("admin.imports.show", import_id=record.id))


body_sizes.allow(create, MOST_BYTES + 1_000_000)


@bp.get("/<import_id>")
def show(import_id: str) -> ResponseReturnValue:
    record = actions.by_id(import_id)
    kind = request.args.get("show", "")
    kind = kind if kind in rows.KINDS else ""
    return render_template(
        "admin/import.html",
        record=record,
        kind=kind,
        page=rows.page(record, kind, request.args.get("after", -1, type=int)),
        differences=rows.differences,
        fields=FIELDS,
        delimiters=labels.delimiter_names(),
        encodings=labels.ENCODING_NAMES,
        sheets={name: name for name in record.found.get("sheets", [])},
        has_left=bool(rows.page(record, rows.LEFT).rows),
        **_progress(record),
    )


@bp.get("/<import_id>/live")
def live(import_id: str) -> ResponseReturnValue:
    """The progress; a header that loads the page anew when there is something to decide."""
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
    yield "\ufeff" + _csv_line("row", "sku", "problem")
    for some in rows.problems(import_id):
        yield "".join(_csv_line(str(number), str(harmless(sku)), why) for number, sku, why in some)


def _kept(sent: FileStorage) -> Import:
    with temporary_file() as path:
        sent.save(path)
        return actions.begin(Path(path), sent.filename or "", actor(), language=language())


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
    url = url_for("admin.imports.live", import_id=record.id) if is_working else None
    return {
        "badge_of_state": labels.import_badge(record.state),
        "is_working": is_working,
        "live": {"url": url, "seconds": LIVE_SECONDS},
    }


def _seen() -> int:
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _done(import_id: str, change: Callable[[], None]) -> ResponseReturnValue:
    """Back to the page; for htmx by a header."""
    try:
        change()
    except Missing:
        raise
    except InvalidInput as problem:
        flash(str(problem), "error")
    address = url_for("admin.imports.show", import_id=import_id)
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": address}
    return redirect(address)


def _back_to_list(problem: str) -> ResponseReturnValue:
    flash(problem, "error")
    return redirect(url_for("admin.imports.index"))


def _csv_line(*cells: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue()

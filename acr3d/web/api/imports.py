"""The JSON API for imports and exports, for staff."""

from __future__ import annotations

from itertools import chain, islice
from typing import Any

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Import, ImportPhoto, ImportRow
from acr3d.db.models.imports import ACTIONS, PHOTO_ACTIONS
from acr3d.db.states import ImportState
from acr3d.errors import InvalidInput
from acr3d.imports import actions, lists
from acr3d.messages.wording import worded
from acr3d.tables.limits import TableRefused
from acr3d.tables.writing import FORMATS
from acr3d.web import exports
from acr3d.web.api.operation import Operation, operation
from acr3d.web.import_upload import PHOTO_FIELDS, begun, takes_import

bp = Blueprint("api_imports", __name__, url_prefix="/api/admin")

_MOST_PROBLEMS = 1000
_WORDS = {"true": True, "false": False, "": False}
_ASKED = ("q", "category", "status", "published", "photos", "sizes", "model", "sort", "id")


@bp.post("/imports")
@operation(Operation(form=("table", *PHOTO_FIELDS, "dryRun", "makeCategories"), status=202))
def create() -> ResponseReturnValue:
    """Import a table, photos (a ZIP file, or many files), or both. With `dryRun` it waits for `apply`."""
    if request.mimetype != "multipart/form-data":
        abort(415, _("Send the files as multipart/form-data."))
    unknown = (set(request.form) - {"dryRun", "makeCategories"}) | (
        set(request.files) - {"table", *PHOTO_FIELDS}
    )
    if unknown:
        raise InvalidInput(_("Unknown field: %(name)s.", name=min(unknown)[:100]))
    is_dry, makes_categories = _flag("dryRun"), _flag("makeCategories")
    try:
        record = begun(
            makes_categories=makes_categories,
            state=ImportState.PREVIEWING if is_dry else ImportState.IMPORTING,
        )
    except TableRefused as refusal:
        raise InvalidInput(worded(refusal.message)) from refusal
    return jsonify(importId=record.id), 202


takes_import(create)


@bp.get("/imports/<import_id>")
def show(import_id: str) -> ResponseReturnValue:
    """How far it is, what it does, and up to 1,000 problems of rows and of photos."""
    return _answer(import_id)


@bp.post("/imports/<import_id>/apply")
def apply(import_id: str) -> ResponseReturnValue:
    """Import what the preview shows."""
    actions.start(import_id, actions.by_id(import_id).revision)
    return _answer(import_id)


@bp.post("/imports/<import_id>/stop")
def stop(import_id: str) -> ResponseReturnValue:
    """Stop after what is written; `resume` continues."""
    actions.stop(import_id)
    return _answer(import_id)


@bp.post("/imports/<import_id>/resume")
def resume(import_id: str) -> ResponseReturnValue:
    actions.resume(import_id)
    return _answer(import_id)


@bp.post("/imports/<import_id>/undo")
def undo(import_id: str) -> ResponseReturnValue:
    """Undo the import, except for what has been changed since."""
    actions.take_back(import_id)
    return _answer(import_id)


@bp.delete("/imports/<import_id>")
@operation(Operation(status=204, answer=None))
def delete(import_id: str) -> ResponseReturnValue:
    """Forget it and its files; the parts stay."""
    actions.remove(import_id)
    return "", 204


@bp.get("/exports/parts.<table_format>")
@operation(Operation(query=_ASKED, answer="application/octet-stream"))
def export_table(table_format: str) -> ResponseReturnValue:
    """All parts, those of a list, or chosen ones (`id`, several times), as csv, xlsx or jsonl."""
    if table_format not in FORMATS:
        abort(404)
    return exports.table(table_format)


@bp.get("/exports/files.zip")
@operation(Operation(query=_ASKED, answer="application/zip"))
def export_files() -> ResponseReturnValue:
    """The photos and published models of all parts, those of a list, or chosen ones (`id`, several times)."""
    return exports.archive()


def _answer(import_id: str) -> ResponseReturnValue:
    return jsonify(_as_json(actions.by_id(import_id)))


def _as_json(record: Import) -> dict[str, Any]:
    rows = islice(chain.from_iterable(lists.problems(ImportRow, record.id)), _MOST_PROBLEMS)
    photos = islice(chain.from_iterable(lists.problems(ImportPhoto, record.id)), _MOST_PROBLEMS)
    return {
        "id": record.id,
        "state": record.state,
        "counts": dict.fromkeys(ACTIONS, 0) | record.counts,
        "photoCounts": dict.fromkeys(PHOTO_ACTIONS, 0) | record.photo_counts,
        "done": record.rows_done + record.photos_done,
        "total": record.row_count + (record.photo_count or 0),
        "problem": record.problem or None,
        "problems": [
            *({"row": one.number, "sku": one.sku, "problem": lists.why(one)} for one in rows),
            *({"photo": one.path, "sku": one.sku, "problem": lists.why(one)} for one in photos),
        ],
    }


def _flag(name: str) -> bool:
    word = request.form.get(name, "").lower()
    if word not in _WORDS:
        raise InvalidInput(_("“%(name)s” must be one of: %(words)s.", name=name, words="true, false"))
    return _WORDS[word]

"""Parts as a table to download: all, those that the list shows, or chosen ones (`id`)."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from acr3d.db.types import is_id
from acr3d.imports.export import exported
from acr3d.parts.filters import Filters
from acr3d.parts.search import search
from acr3d.tables.writing import FORMATS
from acr3d.web import list_request
from acr3d.web.streaming import streamed
from acr3d.web.templating import asked_query

bp = Blueprint("exports", __name__, url_prefix="/exports")

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}


@bp.get("/parts.<table_format>")
def parts(table_format: str) -> ResponseReturnValue:
    if table_format not in FORMATS:
        abort(404)
    chunks = exported(table_format, asked_ids())
    name = f"attachment; filename=parts.{table_format}"
    headers = {"Content-Disposition": name, "Content-Type": MEDIA_TYPES[table_format]}
    return Response(streamed(chunks), headers=headers)


def asked_ids() -> Iterator[str] | None:
    """The ids of the parts that the address asks for; None for all."""
    chosen = [one for one in request.args.getlist("id") if is_id(one)]
    if chosen:
        return iter(chosen)
    query, filters, order = asked_query(), list_request.staff_filters(), list_request.order()
    return _found(query, filters, order) if query or filters != Filters() else None


def _found(query: str, filters: Filters, order: str) -> Iterator[str]:
    cursor = ""
    while True:
        page = search(query, filters, order=order, cursor=cursor, limit=list_request.MOST)
        yield from [part.id for part in page.parts]
        if page.next is None:
            return
        cursor = str(page.next)

"""Answers with parts to download, as a table or as files: all, those of a list, or chosen ones (`id`)."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, request

from acr3d.db.types import is_id
from acr3d.imports.export import exported
from acr3d.imports.export_files import zipped
from acr3d.parts.filters import Filters
from acr3d.parts.search import all_ids
from acr3d.web import list_request
from acr3d.web.streaming import streamed
from acr3d.web.templating import asked_query

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}


def table(table_format: str) -> Response:
    """The asked parts in one of FORMATS. Raises InvalidInput, Missing."""
    return _sent(exported(table_format, _asked_ids()), f"parts.{table_format}", MEDIA_TYPES[table_format])


def archive() -> Response:
    """The photos and published models of the asked parts. Raises InvalidInput, Missing."""
    return _sent(zipped(_asked_ids()), "files.zip", "application/zip")


def _sent(chunks: Iterator[bytes], name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename={name}", "Content-Type": media_type}
    return Response(streamed(chunks), headers=headers)


def _asked_ids() -> list[str] | None:
    """The ids of the parts that the address asks for; None for all."""
    if "id" in request.args:
        return list(dict.fromkeys(one for one in request.args.getlist("id") if is_id(one)))
    query, filters, order = asked_query(), list_request.staff_filters(), list_request.order()
    return all_ids(query, filters, order) if query or filters != Filters() else None

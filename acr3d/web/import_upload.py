"""The table and the photos that a request brings for an import."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from acr3d.db.models import Import
from acr3d.db.states import ImportState
from acr3d.errors import InvalidInput
from acr3d.imports import actions
from acr3d.imports.photo_files import MOST_BYTES as MOST_PHOTO_BYTES
from acr3d.storage.temporary import temporary_file
from acr3d.tables.limits import MOST_BYTES as MOST_TABLE_BYTES
from acr3d.web import body_sizes, photo_archive
from acr3d.web.access import actor
from acr3d.web.photo_archive import UploadRequest
from acr3d.web.templating import language

PHOTO_FIELDS = ("photos", "folder")


def takes_import(view: Callable[..., ResponseReturnValue]) -> None:
    """Let `view` call `begun`."""
    body_sizes.allow(view, MOST_TABLE_BYTES + MOST_PHOTO_BYTES + 1_000_000)
    photo_archive.take(view)


def begun(*, makes_categories: bool = False, state: ImportState = ImportState.PREVIEWING) -> Import:
    """An import of what was sent as `table`, and as `photos` or `folder`: a ZIP file, or any number of files.

    Raises InvalidInput, TableRefused.
    """
    tables = [one for one in request.files.getlist("table") if one.filename]
    sent = [one for name in PHOTO_FIELDS for one in request.files.getlist(name)]
    archives = [one for one in sent if _is_zip(one) and not photo_archive.is_inside(one)]
    loose = cast(UploadRequest, request).archive
    if not tables and not archives and loose is None:
        raise InvalidInput(_("Choose a file first."))
    if len(tables) > 1:
        raise InvalidInput(_("Choose one table. Nothing was imported."))
    if any(map(photo_archive.is_inside, tables)):
        raise InvalidInput(
            _(
                "A table's name must end in .csv, .tsv, .txt, .xlsx, .xls, .ods or .jsonl. "
                "Nothing was imported."
            )
        )
    if len(archives) + (loose is not None) > 1:
        raise InvalidInput(
            _("Choose one ZIP file, or photos and a folder, but not both. Nothing was imported.")
        )
    with ExitStack() as stack:
        table = _saved(stack, tables[0]) if tables else None
        photos = _saved(stack, archives[0]) if archives else None
        if loose is not None:
            photos = stack.enter_context(temporary_file())
            loose.kept().replace(photos)
        name = next((one.filename for one in (*tables, *archives) if one.filename), None) or _("Photos")
        return actions.begin(
            table,
            str(name),
            actor(),
            photos=photos,
            language=language(),
            makes_categories=makes_categories,
            state=state,
        )


def _is_zip(sent: FileStorage) -> bool:
    return (sent.filename or "").lower().endswith(".zip")


def _saved(stack: ExitStack, sent: FileStorage) -> Path:
    path = stack.enter_context(temporary_file())
    sent.save(path)
    return path

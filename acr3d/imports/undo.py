"""Undo an import: photos and fields that were not changed since, new parts that were not used since, and
categories that were made for them and are empty.

What is left is written to its row, as a sentence.
"""

from __future__ import annotations

from threading import Event

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.db import content_stamp
from acr3d.db.models import ImportRow, Part
from acr3d.db.states import ImportState
from acr3d.imports import photo_work
from acr3d.imports.queue import Claim, holding
from acr3d.imports.run import BATCH, set_values
from acr3d.parts import bin, categories
from acr3d.parts.fields import FIELDS, column_of
from acr3d.storage.blobs import discard


def undo(claimed: Claim, stop: Event) -> None:
    """Go on undoing, the photos first; `rows_done` is the number of the last row that was looked at."""
    is_done = photo_work.undo(claimed, stop) and _undo_rows(claimed, stop)
    if not is_done:
        return
    with holding(claimed) as (_session, record):
        made = record.made_categories
    for path in reversed(made):
        categories.delete_if_empty(path)
    with holding(claimed) as (session, record):
        content_stamp.changed(session)
        record.state, record.due_at = ImportState.UNDONE, None
        photos, record.photos_path = record.photos_path, None  # large, and no longer needed
    discard(filter(None, [photos]))


def _undo_rows(claimed: Claim, stop: Event) -> bool:
    """Returns whether all of them were looked at."""
    while not stop.is_set():
        with holding(claimed) as (session, record):
            rows = _next_rows(session, record.id, record.rows_done)
            if not rows:
                return True
            parts = _locked(session, [row.part_id for row in rows if row.part_id])
            for row in rows:
                row.not_undone = _taken_back(session, row, parts.get(row.part_id or ""))
            record.rows_done = rows[-1].number
    return False


def _next_rows(session: Session, import_id: str, after: int) -> list[ImportRow]:
    query = select(ImportRow).where(
        ImportRow.import_id == import_id,
        ImportRow.number > after,
        ImportRow.action.in_(("new", "changed")),
        ImportRow.part_revision > 0,
    )
    return list(session.scalars(query.order_by(ImportRow.number).limit(BATCH)))


def _locked(session: Session, part_ids: list[str]) -> dict[str, Part]:
    query = select(Part).where(Part.id.in_(part_ids), Part.deleted_at.is_(None)).order_by(Part.id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return {part.id: part for part in found}


def _taken_back(session: Session, row: ImportRow, part: Part | None) -> str:
    """Take one row back as far as it can be; returns what was left, and why."""
    if part is None:
        return str(gettext("The part was deleted since."))
    if row.action == "new":
        return _remove(session, row, part)
    present = {name: getattr(part, column_of(name)) for name in row.after}
    mine = {name: row.before[name] for name, value in row.after.items() if present[name] == value}
    if mine:
        set_values(part, mine)
        part.revision += 1
    kept = [str(field.label) for field in FIELDS if field.name in row.after and field.name not in mine]
    if not kept:
        return ""
    return str(gettext("Changed since, so left as it is: %(fields)s.", fields=", ".join(kept)))


def _remove(session: Session, row: ImportRow, part: Part) -> str:
    if part.revision != row.part_revision:
        return str(gettext("The part was changed since, so it stays."))
    if bin.has_live_job(session, part.id):
        return str(gettext("A model of the part is being made, so it stays."))
    bin.put(part)
    return ""

"""What people do with imports: begin one, change how its file is read, start, stop, go on, take it back."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from acr3d.db import content_stamp
from acr3d.db.extensions import db
from acr3d.db.models import Import, ImportPhoto, ImportRow, User
from acr3d.db.session import database_now, transaction
from acr3d.db.states import ImportState
from acr3d.db.types import is_id, new_id
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.imports import photo_files
from acr3d.imports.headings import field_names
from acr3d.notify import wake
from acr3d.storage.blobs import discard, storage
from acr3d.tables.delimited import DELIMITERS, ENCODINGS
from acr3d.tables.limits import MOST_BYTES, TableRefused

LAYOUT = {"encoding": ENCODINGS, "delimiter": DELIMITERS, "decimal": (".", ","), "sheet": None}
"""What may be asked for, and the values of it; None for any."""
_SHOWN = 50


def begin(
    file: Path | None,
    name: str,
    user: User | None,
    *,
    photos: Path | None = None,
    language: str = "en",
    layout: Mapping[str, str] | None = None,
    mapping: Mapping[str, str | None] | None = None,
    makes_categories: bool = False,
    state: ImportState = ImportState.PREVIEWING,
    lease: timedelta = timedelta(),
) -> Import:
    """Keep the table and the ZIP file of `photos` (both moved into storage) and let a poller do what `state`
    says.

    With a `lease`, the caller does it, and pollers only when that has run out. Raises InvalidInput,
    TableRefused.
    """
    if photos is not None:
        photo_files.check(photos)
    record = Import(
        id=new_id(),
        file_name=_plain(name),
        sha256=_sha256(file) if file is not None else None,
        language=language,
        state=state,
        layout=_checked_layout(layout or {}),
        mapping=_checked_mapping(mapping or {}),
        makes_categories=makes_categories,
        created_by=user.id if user else None,
    )
    if file is not None:
        record.storage_path = f"imports/{record.id}/table.bin"
        storage().put(record.storage_path, file)
    if photos is not None:
        record.photos_path = f"imports/{record.id}/photos.bin"
        storage().put(record.photos_path, photos)
    with transaction() as session:
        record.due_at = database_now(session) + lease
        session.add(record)
    wake()
    return record


def copied(file: Path) -> Path:
    """A copy of a file from elsewhere, for `begin` to move."""
    path = storage().temporary()
    shutil.copyfile(file, path)
    return path


def by_id(import_id: str) -> Import:
    """Raises Missing."""
    record = db.session.get(Import, import_id) if is_id(import_id) else None
    if record is None:
        raise Missing(_("There is no such import. It may have been deleted."))
    return record


def newest() -> list[Import]:
    """The last imports, the newest first."""
    return list(
        db.session.scalars(select(Import).order_by(Import.created_at.desc(), Import.id).limit(_SHOWN))
    )


def read_again(
    import_id: str,
    seen: int,
    layout: Mapping[str, str],
    mapping: Mapping[str, str | None],
    *,
    stops_at_refused: bool = False,
    makes_categories: bool = False,
) -> None:
    """Read the file in another way and preview it again. Raises Missing, InvalidInput, Conflict."""
    checked_layout, checked_mapping = _checked_layout(layout), _checked_mapping(mapping)
    with transaction() as session:
        record = _locked(session, import_id, seen, ImportState.READY, ImportState.REFUSED)
        if record.layout != checked_layout:
            record.heading_key = ""  # other headings, perhaps
        record.layout, record.mapping, record.found = checked_layout, checked_mapping, {}
        record.stops_at_refused, record.makes_categories = stops_at_refused, makes_categories
        record.photo_count, record.photo_counts = None, {}
        record.revision += 1
        session.execute(delete(ImportRow).where(ImportRow.import_id == import_id))
        _let_work(session, record, ImportState.PREVIEWING)
    wake()


def choose_photos(import_id: str, seen: int, choices: Mapping[str, str]) -> None:
    """Say which parts unclear photos show, by their paths: SKUs, of those that each fits; empty for none.

    Raises Missing, Conflict.
    """
    with transaction() as session:
        record = _locked(session, import_id, seen, ImportState.READY)
        asked = select(ImportPhoto.path, ImportPhoto.fits).where(
            ImportPhoto.import_id == import_id, ImportPhoto.path.in_(list(choices))
        )
        fits = {path: skus for path, skus in session.execute(asked)}  # noqa: C416 - rows are no pairs to mypy
        kept = {path: sku for path, sku in record.photo_choices.items() if path not in choices}
        chosen = {path: sku for path, sku in choices.items() if sku in fits.get(path, ())}
        record.photo_choices = kept | chosen
        record.photo_count = None  # the rows stay as they are
        record.state, record.due_at = ImportState.PREVIEWING, database_now(session)
        record.revision += 1
    wake()


def start(import_id: str, seen: int) -> None:
    """Import what the preview shows. Raises Missing, Conflict."""
    with transaction() as session:
        _let_work(session, _locked(session, import_id, seen, ImportState.READY), ImportState.IMPORTING)
    wake()


def stop(import_id: str) -> None:
    """End the import behind the rows that are written. Raises Missing, Conflict."""
    with transaction() as session:
        record = _locked(session, import_id, None, ImportState.IMPORTING)
        record.state, record.due_at = ImportState.STOPPED, None
        content_stamp.changed(session)


def resume(import_id: str) -> None:
    """Go on behind the rows that are written. Raises Missing, Conflict."""
    with transaction() as session:
        record = _locked(session, import_id, None, ImportState.STOPPED)
        record.state, record.problem, record.due_at = ImportState.IMPORTING, "", database_now(session)
    wake()


def take_back(import_id: str) -> None:
    """Undo it, as far as nothing was changed since. Raises Missing, Conflict."""
    with transaction() as session:
        record = _locked(session, import_id, None, ImportState.DONE, ImportState.STOPPED)
        counts = record.counts
        record.photos_done = 0
        _let_work(session, record, ImportState.UNDOING)
        record.counts = counts
    wake()


def remove(import_id: str) -> None:
    """Forget the import and its files; the parts stay. Raises Missing, Conflict."""
    with transaction() as session:
        record = _locked(session, import_id, None, *(set(ImportState) - {"importing", "undoing"}))
        keys = [record.storage_path, record.photos_path]
        session.execute(delete(ImportRow).where(ImportRow.import_id == import_id))
        session.execute(delete(ImportPhoto).where(ImportPhoto.import_id == import_id))
        session.delete(record)
    discard(filter(None, keys))


def _let_work(session: Session, record: Import, state: ImportState) -> None:
    record.state, record.rows_done, record.counts, record.problem = state, 0, {}, ""
    record.due_at = database_now(session)


def _locked(session: Session, import_id: str, seen: int | None, *states: str) -> Import:
    query = select(Import).where(Import.id == import_id).with_for_update()
    record = session.scalar(query.execution_options(populate_existing=True)) if is_id(import_id) else None
    if record is None:
        raise Missing(_("There is no such import. It may have been deleted."))
    if record.state not in states or (seen is not None and record.revision != seen):
        raise Conflict(
            _("The import has moved on since, so nothing was done. Look at it again, then decide.")
        )
    return record


def _sha256(file: Path) -> str:
    """Of a table. Raises TableRefused if it is too large."""
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise TableRefused("table.file_too_large", megabytes=size // 1_000_000, most=MOST_BYTES // 1_000_000)
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checked_layout(layout: Mapping[str, str]) -> dict[str, str]:
    for name, value in layout.items():
        if name not in LAYOUT or not (LAYOUT[name] is None or value in (LAYOUT[name] or ())):
            raise InvalidInput(_("The file cannot be read in this way. Choose from what is offered."))
    return dict(layout)


def _checked_mapping(mapping: Mapping[str, str | None]) -> dict[str, str | None]:
    chosen = [field for field in mapping.values() if field]
    if unknown := set(chosen) - set(field_names()):
        raise InvalidInput(_("Unknown field: %(name)s.", name=min(unknown)))
    if len(chosen) != len(set(chosen)):
        raise InvalidInput(_("Two columns were given to one field. Choose one of them."))
    return dict(mapping)


def _plain(name: str) -> str:
    """A file's name as people may see it."""
    text = "".join(letter for letter in name if letter.isprintable()).rpartition("/")[2]
    return text[-200:] or "table"

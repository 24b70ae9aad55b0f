"""Photos of an import: matched with their parts, then brought, the photos of a part in one transaction.

That transaction also says that they are done, so a kill loses none and brings none twice. Undoing removes the
photos that have not been changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from itertools import groupby
from threading import Event
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from acr3d.db.content_stamp import NOT_SHOWN
from acr3d.db.extensions import db
from acr3d.db.models import Import, ImportPhoto, ImportRow, Part, PartImage
from acr3d.db.models.imports import PHOTO_ACTIONS
from acr3d.db.session import database_now, end_read
from acr3d.db.types import utc_now
from acr3d.errors import InvalidInput, Missing
from acr3d.imports import photo_plan
from acr3d.imports.headings import PHOTOS
from acr3d.imports.photo_column import PhotoColumn, read
from acr3d.imports.photo_contents import Found, Wanted, contents
from acr3d.imports.photo_files import PhotoFiles
from acr3d.imports.queue import Claim, held, holding
from acr3d.imports.table import Table
from acr3d.parts import bin
from acr3d.parts.parts import locked_part
from acr3d.parts.photos import add_photos, images_of, take_away
from acr3d.parts.sku_lookup import parts_by_look
from acr3d.parts.skus import look
from acr3d.photos.photo import Photo
from acr3d.sandbox import ChildStopped
from acr3d.storage.blobs import storage

_ROWS_AT_ONCE = 1000
_CHECK_DELAY = timedelta(minutes=10)
"""Until a part's photos are checked, if the import is not done before: checks would slow it down."""


class _LeftOut(NamedTuple):
    """A photo of which nothing is made."""

    wanted: Wanted
    action: str  # one of PHOTO_ACTIONS
    problem: str = ""


def plan(claimed: Claim, record: Import, table: Table | None) -> None:
    """Write down what each photo would do, when that is not done yet."""
    if record.photo_count is not None:
        return
    present = photo_plan.known()
    new = select(ImportRow.sku).where(ImportRow.import_id == record.id, ImportRow.action == "new")
    for sku in db.session.scalars(new):
        present.skus.setdefault(look(sku), sku)
    end_read()
    has_column = table is not None and any(one.field == PHOTOS for one in table.columns)
    column = read(table.rows(), present.skus) if table and has_column else PhotoColumn()
    with ExitStack() as stack:
        source = _opened(record, stack)
        photos = photo_plan.planned(source, column, present, record.photo_choices)
    with holding(claimed) as (session, row):
        session.execute(delete(ImportPhoto).where(ImportPhoto.import_id == row.id))
        lines = [_as_row(row.id, number, one) for number, one in enumerate(photos, start=1)]
        for start in range(0, len(lines), _ROWS_AT_ONCE):
            session.execute(insert(ImportPhoto), lines[start : start + _ROWS_AT_ONCE])
        row.photo_count, row.photos_done = len(photos), 0
        row.photo_counts = {action: sum(one.action == action for one in photos) for action in PHOTO_ACTIONS}


def bring(claimed: Claim, record: Import, stop: Event, progress: Callable[[int], None]) -> None:
    """Add the photos behind those that are done. `progress` is told how many are done. Raises LostClaim."""
    with ExitStack() as stack:
        source = _opened(record, stack)
        found = contents(_wanted(record), source, stop, lambda: _renew(claimed))
        stack.enter_context(closing(found))
        with suppress(ChildStopped):
            for some in found:
                for _sku, of_part in groupby(some, lambda one: one.wanted.sku):
                    photos = list(of_part)
                    _bring_part(claimed, photos)
                    progress(photos[-1].wanted.number)
                    if stop.is_set():
                        return


def check_now(session: Session, record: Import) -> None:
    """Let the parts that got photos be checked at once: the import is done."""
    with_photos = (
        select(PartImage.part_id)
        .join(ImportPhoto, ImportPhoto.image_id == PartImage.id)
        .where(ImportPhoto.import_id == record.id)
    )
    waiting = update(Part).where(Part.id.in_(with_photos), Part.check_due_at.is_not(None))
    session.execute(
        waiting.values(check_due_at=database_now(session), updated_at=Part.updated_at),
        execution_options={NOT_SHOWN: True, "synchronize_session": False},
    )


def undo(claimed: Claim, stop: Event) -> bool:
    """Take the photos back, one a transaction; returns whether all of them were looked at."""
    while not stop.is_set():
        with holding(claimed) as (session, record):
            query = select(ImportPhoto).where(
                ImportPhoto.import_id == record.id,
                ImportPhoto.number > record.photos_done,
                ImportPhoto.image_id.is_not(None),
            )
            photo = session.scalar(query.order_by(ImportPhoto.number).limit(1))
            if photo is None:
                return True
            photo.not_undone = _taken_back(session, photo)
            record.photos_done = photo.number
    return False


def _opened(record: Import, stack: ExitStack) -> PhotoFiles | None:
    if record.photos_path is None:
        return None
    return stack.enter_context(PhotoFiles(storage().path(record.photos_path)))


def _as_row(import_id: str, number: int, one: photo_plan.PlannedPhoto) -> dict[str, object]:
    return {
        "import_id": import_id,
        "number": number,
        "path": one.path,
        "sku": one.sku,
        "fits": list(one.fits),
        "action": one.action,
        "says": one.says,
        "source": one.source,
        "problem": one.problem,
    }


def _wanted(record: Import) -> Iterator[Wanted]:
    """The photos that are still to be added."""
    columns = (getattr(ImportPhoto, name) for name in Wanted._fields)
    query = select(*columns).where(ImportPhoto.import_id == record.id, ImportPhoto.action == "added")
    query = query.order_by(ImportPhoto.number).limit(_ROWS_AT_ONCE)
    last = record.photos_done
    while rows := db.session.execute(query.where(ImportPhoto.number > last)).all():
        end_read()
        yield from map(Wanted._make, rows)
        last = rows[-1].number


def _renew(claimed: Claim) -> None:
    with holding(claimed):
        pass


def _bring_part(claimed: Claim, photos: list[Found]) -> None:
    """The photos of one part: those that can be are added. Raises OSError when the disk is full."""
    sku = photos[0].wanted.sku
    part = parts_by_look(db.session(), [sku]).get(look(sku))
    known = {image.sha256 for image in images_of(part.id)} if part is not None else set()
    end_read()
    fresh: list[tuple[Wanted, Photo]] = []
    left_out: list[_LeftOut] = []
    for wanted, content in photos:
        if isinstance(content, str):
            left_out.append(_LeftOut(wanted, "refused", content))
        elif part is None:
            left_out.append(_LeftOut(wanted, "refused", _("There is no part with this number (SKU).")))
        elif content.sha256 in known:
            left_out.append(_LeftOut(wanted, "present"))
        else:
            known.add(content.sha256)
            fresh.append((wanted, content))
    if part is None or not fresh:
        with holding(claimed) as (session, record):
            return _write_down(session, record, left_out)
    try:
        return _add(claimed, part.id, fresh, left_out)
    except (InvalidInput, Missing) as refusal:  # somebody changed the part just now
        if len(photos) > 1:
            for one in photos:
                _bring_part(claimed, [one])
            return None
        with holding(claimed) as (session, record):
            return _write_down(session, record, [_LeftOut(photos[0].wanted, "refused", str(refusal))])


def _add(claimed: Claim, part_id: str, fresh: list[tuple[Wanted, Photo]], left_out: list[_LeftOut]) -> None:
    """Raises InvalidInput, Missing."""
    until = claimed.until

    def also(session: Session, part: Part, images: list[PartImage]) -> None:
        nonlocal until
        record = held(session, claimed)
        until = record.due_at or until
        _write_down(session, record, left_out)
        rows = _rows(session, record.id, [wanted for wanted, _photo in fresh])
        for row, image in zip(rows, images, strict=True):
            row.image_id, row.angle_label = image.id, image.angle_label
            record.photos_done = max(record.photos_done, row.number)
        part.check_due_at = utc_now() + _CHECK_DELAY
        _follow(session, record.id, part, part.revision - 1)

    names = [f"{wanted.says}.jpg" for wanted, _photo in fresh]
    add_photos(part_id, [photo for _wanted, photo in fresh], file_names=names, also=also)
    claimed.until = until


def _write_down(session: Session, record: Import, left_out: list[_LeftOut]) -> None:
    """That nothing was made of these photos."""
    counts = dict(record.photo_counts)
    for row, one in zip(_rows(session, record.id, [one.wanted for one in left_out]), left_out, strict=True):
        counts[row.action] -= 1
        counts[one.action] += 1
        row.action, row.problem = one.action, one.problem
        record.photos_done = max(record.photos_done, row.number)
    record.photo_counts = counts


def _rows(session: Session, import_id: str, photos: list[Wanted]) -> list[ImportPhoto]:
    """As they are written down, in the order of their numbers, which is that of `photos`."""
    numbers = [one.number for one in photos]
    query = select(ImportPhoto).where(ImportPhoto.import_id == import_id, ImportPhoto.number.in_(numbers))
    return list(session.scalars(query.order_by(ImportPhoto.number)))


def _follow(session: Session, import_id: str, part: Part, before: int) -> None:
    """Let the part's row know its new revision, if the part was as the import had left it."""
    query = select(ImportRow).where(
        ImportRow.import_id == import_id, ImportRow.part_id == part.id, ImportRow.part_revision == before
    )
    for row in session.scalars(query):
        row.part_revision = part.revision


def _taken_back(session: Session, photo: ImportPhoto) -> str:
    """Delete the photo if it is as it was imported; returns why it stays."""
    part_id = session.scalar(select(PartImage.part_id).where(PartImage.id == photo.image_id)) or ""
    try:
        part = locked_part(session, part_id)
    except Missing:
        return str(_("The part was deleted since."))
    image = session.get_one(PartImage, photo.image_id)
    if image.deleted_at is not None:
        return ""
    if image.angle_label != photo.angle_label or image.alt_text or image.caption:
        return str(_("The photo was changed since, so it stays."))
    if bin.has_live_job(session, part.id):
        return str(_("A model of the part is being made, so it stays."))
    before = part.revision
    take_away(session, part, image)
    _follow(session, photo.import_id, part, before)
    return ""

"""The captures of parts: which there are, which count, and removing them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from acr3d.captures.limits import KEPT_UNFINISHED
from acr3d.db.extensions import db
from acr3d.db.models import POSITIONS, Capture, CaptureBlob, CaptureFile, Job
from acr3d.db.session import end_read, transaction
from acr3d.db.states import CaptureState
from acr3d.db.types import is_id, utc_now
from acr3d.errors import Conflict, Missing
from acr3d.storage.blobs import discard

MOVING = frozenset({CaptureState.WAITING, CaptureState.READING})
_SHOWN = 50


@dataclass(frozen=True)
class Position:
    """What there is of a part in one position: its newest capture, and its newest that is ready."""

    number: int
    newest: Capture | None
    ready: Capture | None


def of_part(part_id: str) -> list[Capture]:
    """The part's captures, the newest first."""
    query = select(Capture).where(Capture.part_id == part_id)
    return list(db.session.scalars(query.order_by(Capture.created_at.desc(), Capture.id).limit(_SHOWN)))


def positions_of(part_id: str) -> list[Position]:
    """What counts of the part's captures, by position."""
    found = of_part(part_id)
    return [_position(number, [one for one in found if one.position == number]) for number in POSITIONS]


def _position(number: int, found: list[Capture]) -> Position:
    ready = next((one for one in found if one.state == CaptureState.READY), None)
    return Position(number, found[0] if found else None, ready)


def by_id(capture_id: str) -> Capture:
    """Raises Missing."""
    found = db.session.get(Capture, capture_id) if is_id(capture_id) else None
    if found is None:
        raise missing()
    return found


def missing() -> Missing:
    """What is told when a capture is not there."""
    return Missing(_("There is no such capture. It may have been deleted, or replaced by a newer one."))


def locked(session: Session, capture_id: str) -> Capture:
    """The capture, locked until the transaction ends. Raises Missing."""
    query = select(Capture).where(Capture.id == capture_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True)) if is_id(capture_id) else None
    if found is None:
        raise missing()
    return found


def files_of(capture_id: str, session: Session | None = None) -> list[CaptureFile]:
    """The files that are, or were, sent for it, in their order."""
    query = select(CaptureFile).where(CaptureFile.capture_id == capture_id).order_by(CaptureFile.number)
    return list((session or db.session).scalars(query))


def blobs_of(capture_id: str, kind: str, session: Session | None = None) -> list[CaptureBlob]:
    """What is stored of one kind, in its order."""
    query = select(CaptureBlob).where(CaptureBlob.capture_id == capture_id, CaptureBlob.kind == kind)
    ordered = query.order_by(CaptureBlob.file_number, CaptureBlob.number)
    return list((session or db.session).scalars(ordered))


def remove(capture_id: str) -> None:
    """Delete a capture with its files. Raises Missing, or Conflict when a job was made of it."""
    with transaction() as session:
        capture = locked(session, capture_id)
        if capture_id in used(session, capture.part_id):
            raise Conflict(
                _("A model was made of this capture. It stays, so that the model can be made again.")
            )
        keys = erase(session, [capture])
    discard(keys)


def used(session: Session, part_id: str) -> set[str]:
    """The ids of the part's captures that jobs were made of."""
    lists = session.scalars(select(Job.capture_ids).where(Job.part_id == part_id))
    return {capture_id for one in lists for capture_id in one}


def erase(session: Session, captures: Iterable[Capture]) -> list[str]:
    """Delete the rows of these captures; returns the keys to discard when that is committed."""
    keys: list[str] = []
    for capture in captures:
        keys += erase_blobs(session, capture.id)
        session.execute(delete(CaptureFile).where(CaptureFile.capture_id == capture.id))
        session.delete(capture)
    session.flush()
    return keys


def erase_blobs(session: Session, capture_id: str) -> list[str]:
    """Delete the rows of all that is stored of a capture; returns the keys."""
    gone = delete(CaptureBlob).where(CaptureBlob.capture_id == capture_id).returning(CaptureBlob.storage_path)
    return list(session.scalars(gone))


def clean_up() -> None:
    """Delete uploads of which nothing came for a day."""
    oldest = utc_now() - KEPT_UNFINISHED
    is_broken_off = and_(Capture.state == CaptureState.UPLOADING, Capture.touched_at < oldest)
    broken_off = list(db.session.scalars(select(Capture.id).where(is_broken_off)))
    end_read()
    for capture_id in broken_off:
        with transaction() as session:
            # Since the query, a piece may have arrived, or the capture may have been deleted.
            query = select(Capture).where(Capture.id == capture_id, is_broken_off).with_for_update()
            keys = erase(session, session.scalars(query.execution_options(populate_existing=True)).all())
        discard(keys)

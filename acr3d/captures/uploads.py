"""Uploads that go on after a lost connection: each file comes in pieces, one behind the other.

As in tus (https://tus.io/protocols/resumable-upload): create, ask for the offset, send the piece that begins
there. A piece counts once its blob is stored and its row committed; until then the offset stays.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from acr3d import settings
from acr3d.captures.captures import erase, files_of, locked, missing, remove
from acr3d.captures.installed import check_installed
from acr3d.captures.limits import check_beginning, check_files, stored_name
from acr3d.db.extensions import db
from acr3d.db.models import POSITIONS, Capture, CaptureBlob, CaptureFile, User
from acr3d.db.session import database_now, transaction
from acr3d.db.states import CaptureState
from acr3d.db.types import is_id, new_id, utc_now
from acr3d.errors import Conflict, InvalidInput, Unavailable
from acr3d.notify import wake
from acr3d.parts.parts import locked_part
from acr3d.storage.blobs import discard, storage

_SHORTEST_FIRST = 16  # bytes, to see what kind of file begins
_COPIES = 2  # the pieces, and the whole file while it is read


class WrongOffset(Conflict):
    """The file is not as far as the sender thinks; `offset` is how far it is."""

    def __init__(self, offset: int) -> None:
        super().__init__(_("The upload continues at byte %(n)s.", n=offset))
        self.offset = offset


def begin(part_id: str, position: int, files: Sequence[tuple[str, int]], user: User) -> Capture:
    """A capture that waits for these files (name, bytes): new, or the same person's unfinished one of them.

    Raises Missing, InvalidInput, Conflict where nothing can be read, or Unavailable with too full a disk.
    """
    check_installed()
    if position not in POSITIONS:
        raise InvalidInput(_("The position must be 1, or 2 for the part on another side."))
    check_files(files)
    _check_space(sum(size for _name, size in files))
    named = [(stored_name(name), size) for name, size in files]
    with transaction() as session:
        locked_part(session, part_id)
        open_ones = _unfinished(session, part_id, position, user)
        same = next((one for one in open_ones if _files(session, one) == named), None)
        keys = erase(session, [one for one in open_ones if one is not same])
        capture = same or _added(session, part_id, position, named, user)
    discard(keys)
    return capture


def append(file_id: str, offset: int, piece: bytes) -> CaptureFile:
    """Add the piece that begins at `offset`; with the last one, reading begins.

    Raises Missing, InvalidInput, WrongOffset, StorageError.
    """
    file = _file(db.session(), file_id)
    if offset != file.received_bytes:
        raise WrongOffset(file.received_bytes)
    if not piece or offset + len(piece) > file.size_bytes:
        raise InvalidInput(_("The piece is empty, or longer than the rest of the file."))
    if offset == 0:
        _check_beginning(file, piece)
    blob = _blob(db.session.get_one(Capture, file.capture_id), file, offset, piece)
    storage().put(blob.storage_path, piece)
    try:
        is_whole = _write(file_id, offset, len(piece), blob)
    except BaseException as error:
        # A COMMIT whose answer was lost may have succeeded. If it has not, `flask sweep` finds the file.
        if not (isinstance(error, DBAPIError) and error.connection_invalidated):
            discard([blob.storage_path])
        raise
    if is_whole:
        wake()
    return _file(db.session(), file_id)


def file_by_id(capture_id: str, file_id: str) -> CaptureFile:
    """Raises Missing."""
    file = _file(db.session(), file_id)
    if file.capture_id != capture_id:
        raise missing()
    return file


def _unfinished(session: Session, part_id: str, position: int, user: User) -> list[Capture]:
    query = select(Capture).where(Capture.part_id == part_id, Capture.position == position)
    own = query.where(Capture.created_by == user.id, Capture.state == CaptureState.UPLOADING)
    return list(session.scalars(own.with_for_update()))


def _files(session: Session, capture: Capture) -> list[tuple[str, int]]:
    return [(file.name, file.size_bytes) for file in files_of(capture.id, session)]


def _added(
    session: Session, part_id: str, position: int, files: Sequence[tuple[str, int]], user: User
) -> Capture:
    capture = Capture(id=new_id(), part_id=part_id, position=position, created_by=user.id)
    session.add(capture)
    session.flush()
    session.add_all(
        CaptureFile(capture_id=capture.id, number=number, name=name, size_bytes=size)
        for number, (name, size) in enumerate(files)
    )
    return capture


def _write(file_id: str, offset: int, size: int, blob: CaptureBlob) -> bool:
    """Let the piece count; returns whether the capture is whole with it."""
    with transaction() as session:
        capture = locked(session, blob.capture_id)
        file = _file(session, file_id)
        if file.received_bytes != offset or capture.state != CaptureState.UPLOADING:
            raise WrongOffset(file.received_bytes)
        session.add(blob)
        file.received_bytes += size
        capture.touched_at = utc_now()
        is_whole = all(one.received_bytes == one.size_bytes for one in files_of(capture.id, session))
        if is_whole:
            capture.state, capture.due_at = CaptureState.WAITING, database_now(session)
    return is_whole


def _check_beginning(file: CaptureFile, piece: bytes) -> None:
    """Delete the capture of a file that is not what its name says. Raises InvalidInput."""
    if len(piece) < min(file.size_bytes, _SHORTEST_FIRST):
        raise InvalidInput(_("A file's first piece needs at least %(n)s bytes.", n=_SHORTEST_FIRST))
    try:
        check_beginning(file.name, piece)
    except InvalidInput:
        remove(file.capture_id)
        raise


def _blob(capture: Capture, file: CaptureFile, offset: int, piece: bytes) -> CaptureBlob:
    blob_id = new_id()  # in the key: two senders of one piece never share a file
    return CaptureBlob(
        id=blob_id,
        capture_id=capture.id,
        part_id=capture.part_id,
        kind="piece",
        file_number=file.number,
        number=offset,
        storage_path=f"parts/{capture.part_id}/captures/{capture.id}-{blob_id}.bin",
        sha256=hashlib.sha256(piece).hexdigest(),
    )


def _file(session: Session, file_id: str) -> CaptureFile:
    file = session.get(CaptureFile, file_id) if is_id(file_id) else None
    if file is None:
        raise missing()
    return file


def _check_space(size: int) -> None:
    config = settings.current()
    needed = _COPIES * size + config.room_mb * 1_000_000
    if shutil.disk_usage(config.storage_folder).free < needed:
        raise Unavailable(
            _("The server's disk is too full for this capture, so nothing was sent. Tell your administrator.")
        )

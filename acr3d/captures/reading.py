"""What a poller does with a claimed capture: a child finds frames and cameras, and they are kept."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d import sandbox, settings
from acr3d.captures import installed
from acr3d.captures.captures import blobs_of, erase, erase_blobs, files_of, used
from acr3d.captures.limits import is_video
from acr3d.captures.queue import Claim, LostClaim, holding
from acr3d.db.models import Capture, CaptureBlob, CaptureFile
from acr3d.db.session import database_now, end_read
from acr3d.db.states import CaptureState
from acr3d.db.types import new_id, utc_now
from acr3d.foreign import json_object
from acr3d.messages.message import Message
from acr3d.parts.conversion import AT_ONCE, Busy, converted_all
from acr3d.photos.limits import PhotoRefused
from acr3d.storage.blobs import StorageError, discard, storage
from acr3d.storage.temporary import temporary_folder

LIMITS = sandbox.Limits(seconds=240, memory_mb=700)
MOST_TRIES = 3
RETRY_DELAY = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)
"""For the storage, from the last piece of the upload on."""
FRAMES, CAMERAS = "frames", "capture.json"
_FRAME_NAME = re.compile(r"[0-9]{3}\.jpg")
_MOST_FRAMES, _LONGEST_FRAME, _LONGEST_CAMERAS = 120, 8_000_000, 4_000_000

log = logging.getLogger("acr3d.poller")


class UnusableFrames(Exception):
    """The child wrote something else than pictures and their cameras."""


def read(claimed: Claim, stop: Event) -> None:
    """Read the capture and keep what was found, or why nothing was. What crashes is tried MOST_TRIES
    times."""
    with suppress(LostClaim):
        _read(claimed, stop)


def _read(claimed: Claim, stop: Event) -> None:
    try:
        if not installed.is_installed():
            _refuse(claimed, Message("capture.not_installed"))
            return
        if claimed.tries > MOST_TRIES:  # the last ones ended without a word, with their poller
            _refuse(claimed, Message("capture.unreadable"))
            return
        with temporary_folder() as folder:
            report = _report(claimed, folder, stop)
            _keep(claimed, folder, report)
    except sandbox.ChildStopped:
        _try_again(claimed, timedelta())
    except Busy as error:
        log.warning("capture.waits capture=%s why=%s", claimed.capture_id, error)
        _try_again(claimed, RETRY_DELAY)
    except StorageError as error:
        log.warning("capture.waits capture=%s why=%s", claimed.capture_id, error)
        _wait_for_storage(claimed)
    except (sandbox.ChildRefused, PhotoRefused) as refusal:
        _refuse(claimed, refusal.message)
    except (sandbox.ChildCrashed, UnusableFrames) as error:
        log.warning("capture.failed capture=%s why=%s", claimed.capture_id, error)
        _crashed(claimed)


def _report(claimed: Claim, folder: Path, stop: Event) -> dict[str, Any]:
    files = files_of(claimed.capture_id)
    pieces = blobs_of(claimed.capture_id, "piece")
    end_read()
    for file in files:
        own = [piece for piece in pieces if piece.file_number == file.number]
        _put_together(own, folder / str(file.number))
    photos = [file for file in files if not is_video(file.name)]
    for start in range(0, len(photos), AT_ONCE):
        _clean(photos[start : start + AT_ONCE], folder, stop)
    with holding(claimed):
        pass  # the child has the whole lease
    request = {"files": [{"path": str(folder / str(one.number)), "name": one.name} for one in files]}
    (folder / "request.json").write_text(json.dumps(request))
    return sandbox.run(
        "acr3d.spin",
        ["read", str(folder / "request.json"), str(folder)],
        LIMITS,
        reads=[],
        folder=folder,
        lock=sandbox.heavy_lock(settings.current().instance),
        stop=stop,
    )


def _put_together(pieces: Sequence[CaptureBlob], target: Path) -> None:
    with target.open("wb") as whole:
        for piece in pieces:
            with storage().open(piece.storage_path) as blob:
                shutil.copyfileobj(blob, whole)


def _clean(photos: Sequence[CaptureFile], folder: Path, stop: Event) -> None:
    """Let photos become clean JPEGs, as every photo that is uploaded."""
    paths = [folder / str(photo.number) for photo in photos]
    with ExitStack() as stack:
        outcomes = converted_all([stack.enter_context(path.open("rb")) for path in paths], stop)
    for photo, path, outcome in zip(photos, paths, outcomes, strict=True):
        if isinstance(outcome, PhotoRefused):
            raise PhotoRefused("capture.photo_refused", name=photo.name, why=outcome.message)
        path.write_bytes(outcome.jpeg)


def _keep(claimed: Claim, folder: Path, report: dict[str, Any]) -> None:
    """Store the frames, then say in one transaction that a model can be made of them."""
    capture_id = claimed.capture_id
    with holding(claimed) as (_session, capture):
        part_id = capture.part_id
    made = _written(folder)
    blobs = [_blob(capture_id, part_id, number, path) for number, path in enumerate(made)]
    keys = [blob.storage_path for blob in blobs]
    try:
        for blob, path in zip(blobs, made, strict=True):
            storage().put(blob.storage_path, path)
        with holding(claimed) as (session, capture):
            gone = [*erase_blobs(session, capture_id), *_replaced(session, capture)]
            session.add_all(blobs)
            capture.report = json_object(report)
            capture.state, capture.due_at, capture.problem = CaptureState.READY, None, None
    except LostClaim:
        discard(keys)
        raise
    discard(gone)


def _written(folder: Path) -> list[Path]:
    """The frames in their order, then their cameras. The child decodes what others sent: its files are looked
    at before they are kept. Raises UnusableFrames."""
    frames = sorted((folder / FRAMES).iterdir()) if (folder / FRAMES).is_dir() else []
    cameras = folder / CAMERAS
    if not 0 < len(frames) <= _MOST_FRAMES or not all(map(_is_frame, frames)):
        raise UnusableFrames("frames")
    if not cameras.is_file() or cameras.stat().st_size > _LONGEST_CAMERAS:
        raise UnusableFrames("cameras")
    return [*frames, cameras]


def _is_frame(path: Path) -> bool:
    if not _FRAME_NAME.fullmatch(path.name) or not path.is_file() or path.stat().st_size > _LONGEST_FRAME:
        return False
    with path.open("rb") as file:
        return file.read(3) == b"\xff\xd8\xff"


def _blob(capture_id: str, part_id: str, number: int, path: Path) -> CaptureBlob:
    is_frame = path.name != CAMERAS
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    blob_id = new_id()  # in the key: a reading that came too late never discards another one's frames
    return CaptureBlob(
        id=blob_id,
        capture_id=capture_id,
        part_id=part_id,
        kind="frame" if is_frame else "cameras",
        number=number,
        storage_path=f"parts/{part_id}/captures/{capture_id}-{blob_id}{'.jpg' if is_frame else '.bin'}",
        sha256=sha256,
    )


def _replaced(session: Session, capture: Capture) -> list[str]:
    """Delete earlier captures of this position that no job was made of; returns their keys."""
    query = select(Capture).where(
        Capture.part_id == capture.part_id,
        Capture.position == capture.position,
        Capture.state.in_((CaptureState.READY, CaptureState.REFUSED)),
        Capture.created_at < capture.created_at,
    )
    query = query.order_by(Capture.id).with_for_update()
    earlier = session.scalars(query.execution_options(populate_existing=True)).all()
    in_use = used(session, capture.part_id)  # only now: no job begins with what is locked
    return erase(session, [one for one in earlier if one.id not in in_use])


def _refuse(claimed: Claim, why: Message) -> None:
    with holding(claimed) as (session, capture):
        keys = erase_blobs(session, capture.id)
        capture.state, capture.due_at, capture.problem = CaptureState.REFUSED, None, why
    discard(keys)


def _try_again(claimed: Claim, delay: timedelta, *, counts: bool = False) -> None:
    with holding(claimed) as (session, capture):
        capture.state, capture.due_at = CaptureState.WAITING, database_now(session) + delay
        if not counts:
            capture.tries -= 1


def _wait_for_storage(claimed: Claim) -> None:
    """A storage may be away for hours; a file that is lost does not come back."""
    with holding(claimed) as (_session, capture):
        waits_since = capture.touched_at
    if utc_now() - waits_since > LONGEST_WAIT:
        _refuse(claimed, Message("capture.files_lost"))
    else:
        _try_again(claimed, RETRY_DELAY)


def _crashed(claimed: Claim) -> None:
    if claimed.tries < MOST_TRIES:
        _try_again(claimed, RETRY_DELAY, counts=True)
    else:
        _refuse(claimed, Message("capture.unreadable"))

"""Having a part's clean photos made from its photos' outlines, and keeping them.

All of a part's photos are drawn at one scale, so each clean photo depends on all of them and their labels.
A new one replaces the earlier one, which is deleted unless a job sends it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from acr3d import sandbox, settings
from acr3d.clean_photos.shown import wants_white
from acr3d.db.content_stamp import NOT_SHOWN, changed
from acr3d.db.extensions import db
from acr3d.db.models import CleanPhoto, Part, PartImage, PhotoOutline
from acr3d.db.session import end_read, transaction
from acr3d.outlines.finding import StoredPhoto, find_missing
from acr3d.outlines.stored import outlines_of
from acr3d.photos import webp_files
from acr3d.storage.blobs import StorageError, discard, storage
from acr3d.storage.temporary import temporary_folder
from acr3d.storage.webp_keys import webp_key, webp_keys

VERSION = 1
"""Of how clean photos are drawn; after a change they are drawn again at the part's next photo check."""
# Six photos take some four seconds of one processor and 200 MB.
LIMITS = sandbox.Limits(seconds=120, memory_mb=260, file_mb=16, threads=1)

log = logging.getLogger("acr3d.poller")


@dataclass(frozen=True)
class _Wanted:
    """A clean photo as it shall be: of this photo, with this outline."""

    image_id: str
    photo: str
    outline: str
    angle: str
    made_of: str


def make(part_id: str, stop: Event) -> None:
    """Make the part's clean photos that are missing. What cannot be made is noted, and not tried again.

    Raises ChildStopped.
    """
    wanted = _wanted(part_id)
    known = _known(part_id, wanted)
    missing = [one for one in wanted if one.made_of not in known]
    end_read()
    try:
        if missing:
            _draw(part_id, wanted, {one.made_of for one in missing}, stop)
    except StorageError as error:
        log.warning("clean_photos.not_stored part=%s why=%s", part_id, error)
        return
    _set_present(part_id, wanted)


def catch_up(stop: Event) -> int:
    """Make those of photos that an earlier version stored, outlines included; returns of how many parts.

    One part after the other, so that the checks of new photos find their turn in between.
    """
    done = 0
    last = ""
    while not stop.is_set():
        part_id = _next_part(last)
        if part_id is None:
            break
        last = part_id
        try:
            find_missing(part_id, _photos(part_id), stop, lambda: None)
            make(part_id, stop)
        except sandbox.ChildStopped:
            break
        except sandbox.ChildError as error:
            log.warning("clean_photos.no_outlines part=%s why=%s", part_id, error)
        done += 1
    return done


def _next_part(after: str) -> str | None:
    """The next part with a photo without clean photo, which may get one."""
    refused = exists().where(
        PhotoOutline.part_id == PartImage.part_id,
        PhotoOutline.sha256 == PartImage.sha256,
        PhotoOutline.refusal.is_not(None),
    )
    query = select(PartImage.part_id).where(
        PartImage.clean_id.is_(None),
        PartImage.deleted_at.is_(None),
        PartImage.storage_path.is_not(None),
        PartImage.part_id > after if after else PartImage.part_id.is_not(None),
        exists().where(Part.id == PartImage.part_id, Part.deleted_at.is_(None), Part.check_due_at.is_(None)),
        ~refused,
    )
    found = db.session.scalar(query.order_by(PartImage.part_id).limit(1))
    end_read()
    return found


def _photos(part_id: str) -> list[StoredPhoto]:
    photos = [StoredPhoto(one.sha256 or "", one.storage_path or "") for one in _present(part_id)]
    end_read()
    return photos


def _present(part_id: str, session: Session | None = None) -> Sequence[PartImage]:
    query = select(PartImage).where(
        PartImage.part_id == part_id, PartImage.deleted_at.is_(None), PartImage.storage_path.is_not(None)
    )
    return (session or db.session).scalars(query.order_by(PartImage.display_order)).all()


def _wanted(part_id: str) -> list[_Wanted]:
    """What there should be for the part's photos with an outline; each depends on all of them."""
    images = _present(part_id)
    outlines = outlines_of(part_id, {image.sha256 for image in images if image.sha256})
    usable = [
        (image, outlines[image.sha256])
        for image in images
        if image.sha256 in outlines and outlines[image.sha256].storage_path
    ]
    facts = sorted([image.sha256, outline.storage_path, image.angle_label or ""] for image, outline in usable)
    found = []
    for image, outline in usable:
        of_this = [image.sha256, outline.storage_path, image.angle_label or ""]
        made_of = hashlib.sha256(json.dumps([VERSION, of_this, facts]).encode()).hexdigest()
        paths = image.storage_path or "", outline.storage_path or ""
        found.append(_Wanted(image.id, *paths, image.angle_label or "", made_of))
    return found


def _known(part_id: str, wanted: Sequence[_Wanted]) -> set[str]:
    hashes = [one.made_of for one in wanted]
    query = select(CleanPhoto.made_of).where(CleanPhoto.part_id == part_id, CleanPhoto.made_of.in_(hashes))
    return set(db.session.scalars(query))


def _draw(part_id: str, wanted: Sequence[_Wanted], missing: set[str], stop: Event) -> None:
    with temporary_folder() as folder:
        try:
            drawn = _run(wanted, folder, stop)
        except sandbox.ChildStopped:
            raise
        except sandbox.ChildError as error:
            log.warning("clean_photos.failed part=%s why=%s", part_id, error)
            drawn = [None] * len(wanted)
        for number, (one, facts) in enumerate(zip(wanted, drawn, strict=True)):
            if one.made_of in missing:
                missing.discard(one.made_of)  # two photos may be the same picture
                _store(part_id, one.made_of, facts, folder / str(number))


def _run(wanted: Sequence[_Wanted], folder: Path, stop: Event) -> list[dict[str, Any] | None]:
    request = [
        {
            "photo": str(storage().path(one.photo)),
            "outline": str(storage().path(one.outline)),
            "angle": one.angle,
            "folder": str(folder / str(number)),
        }
        for number, one in enumerate(wanted)
    ]
    (folder / "request.json").write_text(json.dumps(request))
    report = sandbox.run(
        "acr3d.clean_photos.drawing",
        [str(folder / "request.json")],
        LIMITS,
        reads=[Path(one[name]) for one in request for name in ("photo", "outline")],
        folder=folder,
        lock=sandbox.heavy_lock(settings.current().instance),
        stop=stop,
    )
    drawn: list[dict[str, Any] | None] = report["photos"]
    return drawn


def _store(part_id: str, made_of: str, facts: dict[str, Any] | None, folder: Path) -> None:
    row = CleanPhoto(part_id=part_id, made_of=made_of)
    if facts is not None:
        row.storage_path = f"parts/{part_id}/photos/{made_of[:40]}.jpg"
        row.thumbnail_path = f"parts/{part_id}/thumbnails/{made_of[:40]}.jpg"
        row.side_px, row.webp_widths = facts["side"], facts["webp"]
        files = {row.storage_path: "photo.jpg", row.thumbnail_path: "thumbnail.jpg"}
        blobs = {key: (folder / name).read_bytes() for key, name in files.items()}
        for width, data in webp_files.read(facts["webp"], folder).items():
            blobs[webp_key(row.storage_path, width)] = data
        storage().put_all(blobs)
    with transaction() as session:
        known = select(CleanPhoto.id).where(CleanPhoto.part_id == part_id, CleanPhoto.made_of == made_of)
        _locked(session, part_id)
        if session.scalar(known) is None:
            session.add(row)


def _set_present(part_id: str, wanted: list[_Wanted]) -> None:
    """Let each photo have its clean photo, and remove those that nothing refers to any more.

    If photos or labels have changed since, their own check does that.
    """
    with transaction() as session:
        _locked(session, part_id)
        if _wanted(part_id) != wanted:
            return
        hashes = [one.made_of for one in wanted]
        rows = session.scalars(
            select(CleanPhoto).where(CleanPhoto.part_id == part_id, CleanPhoto.made_of.in_(hashes))
        )
        by_hash = {row.made_of: row.id for row in rows}
        of_images = {one.image_id: by_hash.get(one.made_of) for one in wanted}
        for image in _present(part_id, session):
            clean_id = of_images.get(image.id)
            if image.clean_id != clean_id:
                _point(session, image, clean_id)
        keys = _remove_unused(session, part_id)
    discard(keys)


def _point(session: Session, image: PartImage, clean_id: str | None) -> None:
    if wants_white(image):
        changed(session)
    session.execute(
        update(PartImage)
        .where(PartImage.id == image.id)
        .values(clean_id=clean_id, updated_at=PartImage.updated_at)
        .execution_options(synchronize_session=False, **{NOT_SHOWN: True})
    )


def _remove_unused(session: Session, part_id: str) -> list[str]:
    """The keys of what was removed."""
    is_used = exists().where(PartImage.clean_id == CleanPhoto.id)
    query = select(CleanPhoto).where(
        CleanPhoto.part_id == part_id, CleanPhoto.is_ordered.is_(False), ~is_used
    )
    keys: list[str] = []
    for row in session.scalars(query):
        own = [key for key in (row.storage_path, row.thumbnail_path) if key]
        keys += [*own, *webp_keys(row.storage_path, row.webp_widths)]
        session.delete(row)
    return keys


def _locked(session: Session, part_id: str) -> None:
    session.execute(select(Part.id).where(Part.id == part_id).with_for_update())

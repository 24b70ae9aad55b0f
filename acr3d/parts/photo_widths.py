"""Making the WebP files of photos that an earlier version stored without them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from sqlalchemy import select, update

from acr3d import sandbox, settings
from acr3d.db.extensions import db
from acr3d.db.models import PartImage
from acr3d.db.session import end_read, transaction
from acr3d.photos.webp_files import read
from acr3d.storage.blobs import StorageError, storage
from acr3d.storage.temporary import temporary_folder
from acr3d.storage.webp_keys import webp_key

# One photo of 2048² takes under a second and some 60 MB.
LIMITS = sandbox.Limits(seconds=30, memory_mb=200, file_mb=16, threads=1)
BATCH = 100

log = logging.getLogger("acr3d.poller")


def catch_up(stop: Event) -> int:
    """Make the files of the photos that have none yet; returns of how many."""
    done = 0
    while (batch := _without_widths()) and not stop.is_set():
        made = dict(_made(batch, stop))
        with transaction() as session:  # one for all: each change of a photo makes every public page new
            for image_id, widths in made.items():
                query = update(PartImage).where(PartImage.id == image_id, PartImage.webp_widths.is_(None))
                session.execute(query.values(webp_widths=widths, updated_at=PartImage.updated_at))
        done += len(made)
        if len(made) < len(batch):  # the disk is full, or the poller stops
            break
    return done


def _without_widths() -> list[tuple[str, str]]:
    """The ids and keys of the next such photos."""
    query = select(PartImage.id, PartImage.storage_path).where(
        PartImage.webp_widths.is_(None), PartImage.storage_path.is_not(None), PartImage.deleted_at.is_(None)
    )
    found = [(row[0], str(row[1])) for row in db.session.execute(query.limit(BATCH))]
    end_read()
    return found


def _made(batch: list[tuple[str, str]], stop: Event) -> Iterator[tuple[str, list[int]]]:
    for image_id, key in batch:
        if stop.is_set():
            return
        try:
            yield image_id, _store_widths(key, stop) if storage().stat(key) else []
        except sandbox.ChildStopped:
            return
        except sandbox.ChildError as error:
            log.warning("photo_widths.failed key=%s why=%s", key, error)
            yield image_id, []  # its JPEG is shown
        except (StorageError, OSError) as error:
            log.warning("photo_widths.not_stored key=%s why=%s", key, error)
            return


def _store_widths(key: str, stop: Event) -> list[int]:
    photo = storage().path(key)
    with temporary_folder() as folder:
        report = _run(photo, folder, stop)
        files = read([int(width) for width in report], folder)
    for width, data in files.items():
        storage().put(webp_key(key, width), data)
    return sorted(files)


def _run(photo: Path, folder: Path, stop: Event) -> list[int]:
    report = sandbox.run(
        "acr3d.photos.widths",
        [str(photo), str(folder)],
        LIMITS,
        reads=[photo],
        folder=folder,
        lock=sandbox.heavy_lock(settings.current().instance),
        stop=stop,
    )
    found: list[int] = report["widths"]
    return found

"""Having the outlines found that are missing: by the network, if there is one, and by colour."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from acr3d import sandbox, settings
from acr3d.db.session import end_read
from acr3d.outlines import stored
from acr3d.outlines.method import COLOUR, LearnedCutout, learned_cutout, method
from acr3d.storage.blobs import storage
from acr3d.storage.temporary import temporary_folder

LEARNED_SECONDS = 60
EXTRACTION_LIMITS = sandbox.Limits(seconds=60, memory_mb=300, threads=1)
NO_MEMORY, BROKEN = "no_memory", "broken"

log = logging.getLogger("acr3d.poller")


@dataclass(frozen=True)
class StoredPhoto:
    """A photo's content: its SHA-256 and its key."""

    sha256: str
    key: str


def find_missing(
    part_id: str, photos: Sequence[StoredPhoto], stop: Event, renew: Callable[[], None]
) -> str | None:
    """Find and store the outlines that are missing for the present method.

    `renew` is called between children. Returns why the network was not used, NO_MEMORY or BROKEN, if it
    should have been. Raises sandbox.ChildError.
    """
    config = settings.current()
    wanted = method(config)
    missing = stored.without_outline(part_id, [photo.sha256 for photo in photos], wanted)
    end_read()
    work = list({photo.sha256: photo for photo in photos if photo.sha256 in missing}.values())
    if not work:
        return None
    learned = learned_cutout(config)
    problem = NO_MEMORY if learned is None and wanted != COLOUR else None
    with temporary_folder() as folder:
        if learned is not None:
            if not _cut_out(work, learned, folder, stop):
                learned, problem = None, BROKEN
            renew()
        used = learned.method if learned else COLOUR
        for number, facts in enumerate(_extract(work, folder, stop)):
            mask = None if facts["refusal"] else folder / f"outline{number}.png"
            stored.store(part_id, work[number].sha256, used, mask, facts)
    return problem


def _cut_out(photos: Sequence[StoredPhoto], learned: LearnedCutout, folder: Path, stop: Event) -> bool:
    """Let the network write each photo's alpha to FOLDER/<number>.png; returns whether it could."""
    limits = sandbox.Limits(seconds=LEARNED_SECONDS, memory_mb=learned.memory_mb)
    paths = [storage().path(photo.key) for photo in photos]
    try:
        sandbox.run(
            "acr3d.cutout",
            [str(learned.model), str(learned.side), str(folder), *map(str, paths)],
            limits,
            reads=[*learned.files, *paths],
            folder=folder,
            lock=sandbox.heavy_lock(settings.current().instance),
            stop=stop,
        )
    except (sandbox.ChildRefused, sandbox.ChildCrashed) as error:
        log.warning("outlines.no_network model=%s why=%s", learned.model, error)
        return False
    return True


def _extract(photos: Sequence[StoredPhoto], folder: Path, stop: Event) -> list[dict[str, Any]]:
    request = [
        {
            "photo": str(storage().path(photo.key)),
            "alpha": str(folder / f"{number}.png"),
            "out": str(folder / f"outline{number}.png"),
        }
        for number, photo in enumerate(photos)
    ]
    (folder / "request.json").write_text(json.dumps(request))
    report = sandbox.run(
        "acr3d.outlines.extraction",
        [str(folder / "request.json")],
        EXTRACTION_LIMITS,
        reads=[storage().path(photo.key) for photo in photos],
        folder=folder,
        lock=sandbox.heavy_lock(settings.current().instance),
        stop=stop,
    )
    found: list[dict[str, Any]] = report["photos"]
    return found

"""Running the check of a part's photos: outlines and clean photos first, then a light child inspects them.

One part at a time, each child under the host's heavy lock.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from threading import Event
from typing import Any

from acr3d import sandbox, settings
from acr3d.clean_photos import making
from acr3d.db.models import PhotoOutline
from acr3d.db.session import end_read
from acr3d.outlines import finding
from acr3d.outlines.method import COLOUR
from acr3d.outlines.stored import outlines_of
from acr3d.photo_checks import queue
from acr3d.photo_checks.queue import Claim
from acr3d.storage.blobs import storage

# Six photos take a few seconds and some 180 MB; other heavy work waits for the lock no longer than this.
LIMITS = sandbox.Limits(seconds=60, memory_mb=250, threads=1)

log = logging.getLogger("acr3d.poller")


def check_photos(claimed: Claim, stop: Event) -> None:
    """Inspect the part's photos and store what was found; a check that crashes is tried again."""
    try:
        contents = [photo.content for photo in claimed.photos]
        problem = finding.find_missing(claimed.part_id, contents, stop, lambda: queue.renew(claimed))
        queue.renew(claimed)
        making.make(claimed.part_id, stop)
        queue.renew(claimed)
        report = _inspect(claimed, stop)
    except sandbox.ChildStopped:
        queue.release(claimed)
        return
    except sandbox.ChildError as error:
        log.warning("photo_check.failed part=%s why=%s", claimed.part_id, error)
        queue.mark_failed(claimed)
        return
    queue.store(claimed, report | {"network": problem})


def _inspect(claimed: Claim, stop: Event) -> dict[str, Any]:
    contents = [photo.content for photo in claimed.photos]
    known = outlines_of(claimed.part_id, {content.sha256 for content in contents})
    end_read()
    outlines = [_as_json(known.get(content.sha256)) for content in contents]
    paths = [storage().path(content.key) for content in contents]
    masks = [Path(outline["mask"]) for outline in outlines if outline and outline["mask"]]
    labelled = [f"{photo.angle or ''}={path}" for photo, path in zip(claimed.photos, paths, strict=True)]
    return sandbox.run(
        "acr3d.photo_checks.inspection",
        [f"--outlines={json.dumps(outlines)}", *labelled],
        LIMITS,
        reads=[*paths, *masks],
        folder=None,
        lock=sandbox.heavy_lock(settings.current().instance),
        stop=stop,
    )


def _as_json(outline: PhotoOutline | None) -> dict[str, Any] | None:
    """What the inspection is told about an outline."""
    if outline is None:
        return None
    mask = storage().path(outline.storage_path) if outline.storage_path else None
    facts = {"mask": str(mask) if mask else None, "refusal": outline.refusal}
    return facts | outline.facts | {"by_colour": outline.method == COLOUR}

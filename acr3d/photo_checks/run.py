"""Running the check of a part's photos: a light child, one part at a time, under the host's heavy lock."""

from __future__ import annotations

import logging
from threading import Event

from acr3d import sandbox, settings
from acr3d.photo_checks import queue
from acr3d.photo_checks.queue import Claim
from acr3d.storage.blobs import storage

# Six photos take a few seconds and some 180 MB; other heavy work waits for the lock no longer than this.
LIMITS = sandbox.Limits(seconds=60, memory_mb=250, threads=1)

log = logging.getLogger("acr3d.poller")


def check_photos(claimed: Claim, stop: Event) -> None:
    """Inspect the part's photos and store what was found; a check that crashes is tried again."""
    photos = [(angle or "", storage().path(key)) for key, angle in claimed.photos]
    try:
        report = sandbox.run(
            "acr3d.photo_checks.inspection",
            [f"{angle}={path}" for angle, path in photos],
            LIMITS,
            reads=[path for _, path in photos],
            folder=None,
            lock=sandbox.heavy_lock(settings.current().instance),
            stop=stop,
        )
    except sandbox.ChildStopped:
        queue.release(claimed)
        return
    except sandbox.ChildError as error:
        log.warning("photo_check.failed part=%s why=%s", claimed.part_id, error)
        queue.mark_failed(claimed)
        return
    queue.store(claimed, report)

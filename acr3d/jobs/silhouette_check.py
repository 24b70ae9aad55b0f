"""How well a job's raw model agrees with its photos, and how it must be turned."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from acr3d import sandbox, settings
from acr3d.db.models import Job
from acr3d.db.session import end_read
from acr3d.engines.registry import known
from acr3d.jobs.lease import JobLease
from acr3d.jobs.ordered_photos import job_outlines
from acr3d.storage.blobs import storage

LIMITS = sandbox.Limits(seconds=180, memory_mb=400)

log = logging.getLogger("acr3d.jobs")


def measure(lease: JobLease, job: Job, raw: Path) -> dict[str, Any] | None:
    """The report of `acr3d.silhouettes`, or None when it cannot be measured; that fails no job.

    It looks for the front too, unless the engine keeps to the labels or a person said how to turn the model.
    Raises ChildStopped.
    """
    photos = [
        (photo["angle"], storage().path(photo["storage_path"]))
        for photo in job.selected_image_metadata
        if photo.get("storage_path")
    ]
    if not photos or not settings.current().agreement:
        return None
    engine = known(job.engine)
    outlines = _known_outlines(job)
    faces_front = engine is not None and engine.capabilities.faces_front
    chosen = job.generation_config.get("turn", "" if faces_front else None)
    turn = "--find-front" if chosen is None else f"--turn={chosen}"
    try:
        return sandbox.run(
            "acr3d.silhouettes",
            [
                *("--json", turn, str(raw)),
                *(f"{angle}={path}" for angle, path in photos),
                *(f"--outline={angle}={path}" for angle, path in outlines),
            ],
            LIMITS,
            reads=[raw, *(path for _, path in [*photos, *outlines])],
            folder=None,
            lock=sandbox.heavy_lock(settings.current().instance),
            stop=lease.stop,
        )
    except (sandbox.ChildRefused, sandbox.ChildCrashed) as error:
        log.warning("job.no_silhouette_check job=%s reason=%s", job.id, error)
        return None


def _known_outlines(job: Job) -> list[tuple[str, Path]]:
    """(side, mask) of the job's photos whose outline is known."""
    known = job_outlines(job)
    masks = {image_id: outline.storage_path for image_id, outline in known.items() if outline.storage_path}
    described = [one for one in job.selected_image_metadata if one["id"] in masks]
    found = [(one["angle"], storage().path(masks[one["id"]])) for one in described]
    end_read()
    return found

"""The captures of a job as an engine gets them: the files of each position, by their names."""

from __future__ import annotations

from acr3d.captures.captures import blobs_of
from acr3d.captures.reading import CAMERAS, FRAMES
from acr3d.db.models import Job
from acr3d.engines.base import CaptureFiles
from acr3d.storage.blobs import storage


def ordered_captures(job: Job) -> list[CaptureFiles]:
    """The kept frames, and their cameras, of each position."""
    return [_files(capture_id) for capture_id in job.capture_ids]


def _files(capture_id: str) -> CaptureFiles:
    frames, [cameras] = blobs_of(capture_id, "frame"), blobs_of(capture_id, "cameras")
    named = {f"{FRAMES}/{one.number:03}.jpg": storage().path(one.storage_path) for one in frames}
    return named | {CAMERAS: storage().path(cameras.storage_path)}

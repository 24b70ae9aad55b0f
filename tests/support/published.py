"""A published model whose files are there at once: nothing was generated or optimized."""

from __future__ import annotations

from dataclasses import dataclass

from acr3d.db.models import ModelVersion
from acr3d.db.session import transaction
from acr3d.db.states import VersionState
from acr3d.storage.blobs import storage
from tests.support.factories import box_glb, finished_job, make_part_with_photos


@dataclass(frozen=True)
class Published:
    part_id: str
    version_id: str


def publish_box(sku: str = "BR-100") -> Published:
    """The published model of a part with two photos: a box of 1 m × 1 m × 0.5 m."""
    part = make_part_with_photos(sku, angles=("front", "right"))
    key, raw = f"parts/{part.id}/models/box.glb", f"parts/{part.id}/raw/box.glb"
    for one in (key, raw):
        storage().put(one, box_glb())
    size = len(box_glb())
    job = finished_job(part.id, raw_storage_path=raw, raw_file_size_bytes=size)
    with transaction() as session:
        session.add(job)
        session.flush()
        made = ModelVersion(part_id=part.id, job_id=job.id, number=1, state=VersionState.PUBLISHED)
        made.storage_path, made.sha256, made.file_size_bytes, made.report = key, "0" * 64, size, {}
        session.add(made)
    return Published(part.id, made.id)

"""Optimizing a job's raw GLB in a child, and giving the part its new model version."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from acr3d import children, settings
from acr3d.database import end_reading
from acr3d.extensions import db
from acr3d.gallery import media_url
from acr3d.generation import record
from acr3d.generation.engines import heavy_lock
from acr3d.generation.fetch import temporary_file
from acr3d.generation.hold import ACTOR, Hold
from acr3d.generation.lookups import published_version
from acr3d.generation.states import Status
from acr3d.models import Job, ModelVersion, Part
from acr3d.storage import storage

OPTIMIZE_LIMITS = children.Limits(seconds=180, memory_mb=700)


def optimize(hold: Hold, job: Job) -> None:
    """Bring an optimizing job to `complete`. Raises ChildError, StorageError or LeaseLost."""
    started = time.monotonic()
    raw = storage().path(job.raw_storage_path or "")
    with temporary_file() as small:
        report = children.run(
            "acr3d.optimize",
            ["--json", f"--size-mm={_real_size(job.part_id)}", str(raw), str(small)],
            OPTIMIZE_LIMITS,
            lock=heavy_lock(settings.current()),
            stop=hold.stop,
        )
        _complete(hold, job, small, report, time.monotonic() - started)


def _real_size(part_id: str) -> str:
    """The part's sides at this moment, as the optimizer takes them; the report keeps what was asked for."""
    part = db.session.get_one(Part, part_id, populate_existing=True)
    end_reading()
    return "x".join(
        "-" if side is None else repr(side) for side in (part.width_mm, part.height_mm, part.depth_mm)
    )


def _complete(hold: Hold, job: Job, small: Path, report: dict[str, Any], seconds: float) -> None:
    sha256, size = _facts(small)
    key = f"parts/{job.part_id}/models/{job.id}-{sha256[:16]}.glb"
    with hold.storing(key, small) as (session, kept, part):
        version = ModelVersion(
            storage_path=key,
            sha256=sha256,
            file_size_bytes=size,
            polycount=report.get("triangles"),
            report={"optimizer": report, "engine": kept.generation_report},
        )
        record.add_version(session, kept, version)
        kept.optimized_model_url = media_url(key)
        kept.optimized_file_size_bytes = size
        kept.polycount = version.polycount
        kept.optimization_duration_seconds = round(seconds, 3)
        if settings.current().review_before_publish or published_version(part.id, session):
            detail = _("Model %(n)s is ready; it waits for a person to publish it.", n=version.number)
        else:
            record.publish(session, version, part, by_user=None)
            detail = _("Model %(n)s is ready and published.", n=version.number)
        record.move(session, kept, part, Status.COMPLETE, ACTOR, detail)


def _facts(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size

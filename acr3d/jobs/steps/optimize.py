"""Optimizing a job's raw GLB and rendering its poster in children; adding the part's new model version."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acr3d import sandbox, settings
from acr3d.db.extensions import db
from acr3d.db.models import MODEL_LEVELS, Job, ModelVersion, Part
from acr3d.db.session import end_read
from acr3d.db.states import Status
from acr3d.jobs import transitions
from acr3d.jobs.lease import ACTOR, JobLease
from acr3d.jobs.publishing import publish_if_first
from acr3d.jobs.silhouette_check import measure
from acr3d.storage.blobs import storage
from acr3d.storage.index import media_url
from acr3d.storage.temporary import temporary_folder

OPTIMIZE_LIMITS = sandbox.Limits(seconds=180, memory_mb=700)
POSTER_LIMITS = sandbox.Limits(seconds=120, memory_mb=300)

log = logging.getLogger("acr3d.jobs")


def optimize(lease: JobLease, job: Job) -> None:
    """Bring an optimizing job to `complete`. Raises ChildError, StorageError or LeaseLost."""
    started = time.monotonic()
    raw = storage().path(job.raw_storage_path or "")
    with temporary_folder() as folder:
        small, ar = folder / "model.glb", folder / "ar.glb"
        agreement = measure(lease, job, raw)
        report = sandbox.run(
            "acr3d.optimize",
            [*_options(job, agreement), "--ar", str(ar), "--json", str(raw), str(small)],
            OPTIMIZE_LIMITS,
            reads=[raw],
            folder=folder,
            lock=sandbox.heavy_lock(settings.current().instance),
            stop=lease.stop,
        )
        poster = _render_poster(lease, small, photographed_sides(job))
        reports = {"optimizer": report, "agreement": agreement, "poster": poster.report if poster else None}
        _complete(lease, job, Made(small, ar, poster), reports, time.monotonic() - started)


def _options(job: Job, agreement: dict[str, Any] | None) -> list[str]:
    """The optimizer's options; where no person chose a turn, the photos decide."""
    found = agreement.get("turn") if agreement else None
    turn = job.generation_config.get("turn", found)
    options = [f"--level={level_of(job)}", f"--size-mm={_real_size(job.part_id)}"]
    options += ["--to-scale"] if job.capture_ids else []
    return [*options, f"--turn={turn}"] if turn else options


def level_of(job: Job) -> str:
    """What the job's model is made for."""
    return str(job.generation_config.get("level", MODEL_LEVELS[0]))


def _real_size(part_id: str) -> str:
    """The part's present dimensions as the optimizer takes them; its report keeps them."""
    part = db.session.get_one(Part, part_id, populate_existing=True)
    end_read()
    return "x".join(
        "-" if side is None else repr(side) for side in (part.width_mm, part.height_mm, part.depth_mm)
    )


@dataclass(frozen=True)
class Poster:
    """A rendered picture, and its camera."""

    path: Path
    report: dict[str, Any]
    strip: Path | None
    """The model from the sides of its photos."""


def photographed_sides(job: Job) -> list[str]:
    """The sides that the job's photos show, each once."""
    return list(dict.fromkeys(one["angle"] for one in job.selected_image_metadata if one.get("angle")))


def _render_poster(lease: JobLease, model: Path, sides: list[str]) -> Poster | None:
    """The model as the viewer first shows it; None when it cannot be rendered, which fails no model."""
    picture, strip = model.with_name("poster.webp"), model.with_name("sides.webp")
    options = ["--strip", str(strip), "--sides", *sides] if sides else []
    try:
        report = sandbox.run(
            "acr3d.render",
            ["--json", str(model), str(picture), *options],
            POSTER_LIMITS,
            reads=[],
            folder=model.parent,
            lock=sandbox.heavy_lock(settings.current().instance),
            stop=lease.stop,
        )
    except (sandbox.ChildRefused, sandbox.ChildCrashed) as error:
        log.warning("job.no_poster job=%s reason=%s", lease.job_id, error)
        return None
    return Poster(picture, report, strip if sides else None)


@dataclass(frozen=True)
class Made:
    """The files of a new version; `ar` may name none."""

    small: Path
    ar: Path
    poster: Poster | None


def _complete(lease: JobLease, job: Job, made: Made, reports: dict[str, Any], seconds: float) -> None:
    sha256, size = _file_facts(made.small)
    ar_sha256, ar_size = _file_facts(made.ar) if made.ar.is_file() else (None, None)
    poster = made.poster
    key = _key(job, sha256, ".glb")
    ar_key = _key(job, ar_sha256, "-ar.glb") if ar_sha256 else None
    poster_key = _key(job, _file_facts(poster.path)[0], ".webp") if poster else None
    files = {key: made.small} | ({ar_key: made.ar} if ar_key else {})
    sides_key = _key(job, _file_facts(poster.strip)[0], "-sides.webp") if poster and poster.strip else None
    files |= {poster_key: poster.path} if poster and poster_key else {}
    files |= {sides_key: poster.strip} if poster and poster.strip and sides_key else {}
    with lease.store_and_write(files) as (session, kept, part):
        version = ModelVersion(
            level=level_of(kept),
            storage_path=key,
            sha256=sha256,
            file_size_bytes=size,
            ar_storage_path=ar_key,
            ar_sha256=ar_sha256,
            ar_file_size_bytes=ar_size,
            polycount=reports["optimizer"].get("triangles"),
            poster_path=poster_key,
            sides_path=sides_key,
            report=reports | {"engine": kept.generation_report},
        )
        transitions.add_version(session, kept, version)
        kept.optimized_model_url = media_url(key)
        kept.optimized_file_size_bytes = size
        kept.polycount = version.polycount
        kept.optimization_duration_seconds = round(seconds, 3)
        message = publish_if_first(session, kept, part, version, reports["agreement"])
        transitions.transition(session, kept, part, Status.COMPLETE, ACTOR, message)


def _file_facts(path: Path) -> tuple[str, int]:
    """The file's SHA-256 and its size in bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _key(job: Job, sha256: str, ending: str) -> str:
    return f"parts/{job.part_id}/models/{job.id}-{sha256[:16]}{ending}"

"""Models in further formats, which the poller makes after a model is finished or published."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError

from acr3d import sandbox, settings
from acr3d.db import content_stamp
from acr3d.db.extensions import db
from acr3d.db.models import FILE_FORMATS, ModelFile, ModelVersion
from acr3d.db.session import end_read, transaction
from acr3d.db.states import VersionState
from acr3d.storage.blobs import StorageError, storage
from acr3d.storage.temporary import temporary_folder

LIMITS = sandbox.Limits(seconds=120, memory_mb=500, threads=1)
MOST_TRIES = 3
"""A child that crashed may do better when the machine has more memory; one that refused will not."""
_BATCH = 20
_NEEDED_BY = {"usdz": "pxr"}  # the package that writes the format, where it is optional
_ENDINGS = {"light": ".glb"}  # of formats that are not named after it
_QUICK_ON_PHONES = 300_000  # bytes: such a model needs no lighter one
_LEAST_SAVED = 0.2  # of the model's bytes; a lighter file that saves less is not worth the lost detail

log = logging.getLogger("acr3d.poller")


def catch_up(stop: Event, version_id: str | None = None) -> int:
    """Make the files that drafts and published models, or this one, do not have yet; returns how many were
    tried."""
    return sum(_make_all(one, stop, version_id) for one in FILE_FORMATS if can_write(one))


def waiting(count: int) -> list[str]:
    """The ids of at most `count` versions that do not have all files yet."""
    found = [
        model.id for one in FILE_FORMATS if can_write(one) for model in _without(one, set(), count=count)
    ]
    return list(dict.fromkeys(found))[:count]


def can_write(file_format: str) -> bool:
    """Whether what the format needs is installed."""
    package = _NEEDED_BY.get(file_format)
    return package is None or importlib.util.find_spec(package) is not None


def files_of(versions: Sequence[ModelVersion]) -> dict[str, dict[str, ModelFile]]:
    """The stored files of these versions, by version id and format."""
    found: dict[str, dict[str, ModelFile]] = {one.id: {} for one in versions}
    query = select(ModelFile).where(ModelFile.version_id.in_(found), ModelFile.storage_path.is_not(None))
    for file in db.session.scalars(query) if found else ():
        found[file.version_id][file.format] = file
    return found


def published(part_id: str) -> tuple[ModelVersion | None, dict[str, ModelFile]]:
    """The model that customers see, and its stored files by format. One statement."""
    query = select(ModelVersion, ModelFile).where(
        ModelVersion.part_id == part_id, ModelVersion.state == VersionState.PUBLISHED
    )
    is_stored = and_(ModelFile.version_id == ModelVersion.id, ModelFile.storage_path.is_not(None))
    rows = db.session.execute(query.outerjoin(ModelFile, is_stored)).all()
    return rows[0][0] if rows else None, {file.format: file for _version, file in rows if file}


def _make_all(file_format: str, stop: Event, version_id: str | None) -> int:
    done, failed = 0, set[str]()
    while (batch := _without(file_format, failed, version_id)) and not stop.is_set():
        try:
            for model in batch:
                with suppress(IntegrityError):  # another poller was first
                    if not _make(model, file_format, stop):
                        failed.add(model.id)
                done += 1
        except sandbox.ChildStopped:
            break
        except (StorageError, OSError) as error:
            log.warning("model_files.not_stored version=%s why=%s", model.id, error)
            break
        finally:
            _tell(batch, file_format)
    return done


@dataclass(frozen=True)
class _Model:
    """A model version without its session: the work on it takes seconds."""

    id: str
    part_id: str
    job_id: str
    key: str
    size: int
    key_for_ar: str | None


def _without(
    file_format: str, failed: set[str], version_id: str | None = None, count: int = _BATCH
) -> list[_Model]:
    """The next models, or this one, that are still to be written in this format, but those that failed in
    this round."""
    settled = select(ModelFile.id).where(
        ModelFile.version_id == ModelVersion.id,
        ModelFile.format == file_format,
        or_(ModelFile.storage_path.is_not(None), ModelFile.tries >= MOST_TRIES),
    )
    offered = ModelVersion.state.in_((VersionState.DRAFT, VersionState.PUBLISHED))
    query = select(
        ModelVersion.id,
        ModelVersion.part_id,
        ModelVersion.job_id,
        ModelVersion.storage_path,
        ModelVersion.file_size_bytes,
        ModelVersion.ar_storage_path,
    )
    wanted = query.where(offered, ~settled.exists(), ModelVersion.id.not_in(failed))
    if version_id is not None:
        wanted = wanted.where(ModelVersion.id == version_id)
    rows = db.session.execute(wanted.limit(count)).all()
    end_read()
    return [_Model(*row) for row in rows]


def _make(model: _Model, file_format: str, stop: Event) -> bool:
    """Write and store the file, or note why not; whether there is one."""
    with temporary_folder() as folder:
        target = folder / f"model{_ENDINGS.get(file_format, f'.{file_format}')}"
        tries = _written(model, file_format, target, stop)
        stored = _store(model, target) if target.is_file() and not tries else {}
    with transaction() as session:
        is_same = (ModelFile.version_id == model.id, ModelFile.format == file_format)
        kept = session.scalar(select(ModelFile).where(*is_same))
        if kept is None:
            kept = ModelFile(version_id=model.id, part_id=model.part_id, format=file_format, tries=0)
            session.add(kept)
        kept.tries += tries
        for name, value in stored.items():
            setattr(kept, name, value)
    return bool(stored)


def _store(model: _Model, target: Path) -> dict[str, Any]:
    """Store the file; what its row says of it."""
    sha256, size = _sha256(target), target.stat().st_size
    key = f"parts/{model.part_id}/models/{model.job_id}-{sha256[:16]}{target.suffix}"
    storage().put(key, target)
    return {"sha256": sha256, "file_size_bytes": size, "storage_path": key}


def _written(model: _Model, file_format: str, target: Path, stop: Event) -> int:
    """Let a child write the model; the tries that it costs: none, one, or all when there will be no file."""
    if file_format != "light":
        # The file for AR: core glTF, whose maps are JPEG or PNG.
        return _run("acr3d.model_export", [], model.key_for_ar or model.key, target, stop)
    if model.size <= _QUICK_ON_PHONES:
        return MOST_TRIES
    tries = _run("acr3d.optimize", ["--level=light", "--no-blender", "--json"], model.key, target, stop)
    if not tries and target.stat().st_size > (1 - _LEAST_SAVED) * model.size:
        return MOST_TRIES
    return tries


def _run(module: str, options: list[str], key: str, target: Path, stop: Event) -> int:
    source = storage().path(key)
    if not source.is_file():
        return MOST_TRIES
    try:
        sandbox.run(
            module,
            [*options, str(source), str(target)],
            LIMITS,
            reads=[source],
            folder=target.parent,
            lock=sandbox.heavy_lock(settings.current().instance),
            stop=stop,
        )
    except sandbox.ChildStopped:
        raise
    except sandbox.ChildError as error:
        log.warning("model_files.failed model=%s why=%s", source.name, error)
        return 1 if isinstance(error, sandbox.ChildCrashed) else MOST_TRIES
    return 0


def _tell(batch: Sequence[_Model], file_format: str) -> None:
    """Make public pages new, once for the whole batch, if customers see any of its files."""
    shown = select(ModelFile.id).join(ModelVersion, ModelVersion.id == ModelFile.version_id)
    of_batch = ModelFile.version_id.in_([model.id for model in batch])
    with transaction() as session:
        if session.scalar(
            shown.where(
                of_batch,
                ModelFile.format == file_format,
                ModelFile.storage_path.is_not(None),
                ModelVersion.state == VersionState.PUBLISHED,
            ).limit(1)
        ):
            content_stamp.changed(session)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

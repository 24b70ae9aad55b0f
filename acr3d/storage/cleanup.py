"""Stored files that no row refers to, and the space that each part takes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from acr3d.backup.schema_revision import is_newest, revision_of
from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.storage import index
from acr3d.storage.index import Kind, references
from acr3d.storage.local import StorageError, storage

# An upload, or a fetched model, is stored before its row is committed. None takes nearly that long.
YOUNGEST_SECONDS = 3600


class SweepRefused(Exception):
    """Nothing can be told, or removed. `str()` says why, for a person."""


@dataclass(frozen=True)
class StrayFile:
    """A stored file that no row refers to."""

    key: str
    size: int


@dataclass
class Space:
    """The bytes that a part's files take, by kind."""

    sku: str
    is_deleted: bool
    sizes: Counter[Kind] = field(default_factory=Counter)


@dataclass(frozen=True)
class Survey:
    """What is in storage: orphans by key, parts with files by size, the largest first."""

    orphans: list[StrayFile]
    parts: list[Space]
    any_referred: bool


def survey() -> Survey:
    """Look at everything in storage. Raises SweepRefused when the schema is not this version's."""
    keys = list(storage().keys())
    sizes = {key: size for key in keys if (size := _size(key)) is not None}
    connection = db.session.connection()
    if not is_newest(revision_of(connection)):
        raise SweepRefused(
            "The database is not as this version of acr3d knows it, so what refers to a file cannot be told. "
            "Run “flask --app wsgi db upgrade” first."
        )
    # Only now: a row may follow its file.
    refers = {one.key: one for one in references(connection)}
    parts = {
        part_id: Space(sku, deleted_at is not None)
        for part_id, sku, deleted_at in connection.execute(select(Part.id, Part.sku, Part.deleted_at))
    }
    for key in sizes.keys() & refers.keys():
        parts[refers[key].part_id].sizes[refers[key].kind] += sizes[key]
    with_files = [space for space in parts.values() if space.sizes]
    return Survey(
        orphans=[StrayFile(key, sizes[key]) for key in sorted(sizes.keys() - refers.keys()) if _is_old(key)],
        parts=sorted(with_files, key=lambda space: (-space.sizes.total(), space.sku)),
        any_referred=not sizes.keys().isdisjoint(refers),
    )


def space_of(part_id: str) -> int:
    """The bytes that the part's files take."""
    return sum(_size(key) or 0 for key in index.keys_of(part_id))


def delete(found: Survey) -> list[StrayFile]:
    """Remove the orphans that still are old; returns those. Raises SweepRefused."""
    if found.orphans and not found.any_referred:
        raise SweepRefused(
            "The database refers to none of the stored files, so it is probably not the one they belong to "
            "(DATABASE_URL, ACR3D_STORAGE_URL). Nothing was removed."
        )
    removed = [orphan for orphan in found.orphans if _is_old(orphan.key)]
    for orphan in removed:
        storage().delete(orphan.key)
    return removed


def _is_old(key: str) -> bool:
    try:
        return storage().path(key).stat().st_mtime < time.time() - YOUNGEST_SECONDS
    except FileNotFoundError:
        return False


def _size(key: str) -> int | None:
    """None for a file that has gone meanwhile, or that is none of ours."""
    try:
        return storage().path(key).stat().st_size
    except (StorageError, FileNotFoundError):
        return None

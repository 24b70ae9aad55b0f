"""Stored files that no row refers to, and the space that each part takes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.schema_revision import is_newest, revision_of
from acr3d.storage import index
from acr3d.storage.blobs import BlobStat, is_key, storage
from acr3d.storage.index import Kind, references

MIN_AGE_SECONDS = 3600
"""A file is stored before the row that refers to it is committed; no upload or download takes this long."""


class CleanupRefused(Exception):
    """Nothing can be said or removed. `str()` says why, for a person."""


@dataclass(frozen=True)
class StrayFile:
    """A stored file that no row refers to."""

    key: str
    size: int


@dataclass
class PartSpace:
    """The bytes that a part's files take, by kind."""

    sku: str
    is_deleted: bool
    sizes: Counter[Kind] = field(default_factory=Counter)


@dataclass(frozen=True)
class StorageReport:
    """What is in storage: stray files by key, parts with files by size, largest first."""

    stray_files: list[StrayFile]
    parts: list[PartSpace]
    any_referenced: bool


def inspect_storage() -> StorageReport:
    """Compare what is stored with what rows refer to.

    Raises CleanupRefused when the database's schema is not this version's.
    """
    # The storage first: a file is stored before the row that refers to it is committed.
    stats = {key: stat for key in storage().keys() if (stat := _stat(key)) is not None}  # noqa: SIM118
    connection = db.session.connection()
    if not is_newest(revision_of(connection)):
        raise CleanupRefused(
            "The database schema is not the one of this version of acr3d, so it is unknown which files are "
            "referred to. Run “flask --app wsgi db upgrade” first."
        )
    refers = {one.key: one for one in references(connection)}
    parts = {
        part_id: PartSpace(sku, deleted_at is not None)
        for part_id, sku, deleted_at in connection.execute(select(Part.id, Part.sku, Part.deleted_at))
    }
    for key in stats.keys() & refers.keys():
        part_id = refers[key].part_id
        if part_id is not None:
            parts[part_id].sizes[refers[key].kind] += stats[key].size
    with_files = [space for space in parts.values() if space.sizes]
    unreferenced = sorted(stats.keys() - refers.keys())
    return StorageReport(
        stray_files=[StrayFile(key, stats[key].size) for key in unreferenced if _is_old(_stat(key))],
        parts=sorted(with_files, key=lambda space: (-space.sizes.total(), space.sku)),
        any_referenced=not stats.keys().isdisjoint(refers),
    )


def bytes_of_part(part_id: str) -> int:
    """The bytes that the part's files take."""
    stats = [_stat(key) for key in index.keys_of(part_id)]
    return sum(stat.size for stat in stats if stat)


def delete_stray_files(report: StorageReport) -> list[StrayFile]:
    """Remove the stray files that are still old, and return them. Raises CleanupRefused."""
    if report.stray_files and not report.any_referenced:
        raise CleanupRefused(
            "The database refers to none of the stored files, so it is probably not the one they belong to "
            "(check DATABASE_URL and ACR3D_STORAGE_URL). Nothing was removed."
        )
    removed = [file for file in report.stray_files if _is_old(_stat(file.key))]
    for file in removed:
        storage().delete(file.key)
    return removed


def _is_old(stat: BlobStat | None) -> bool:
    return stat is not None and stat.stored_at < time.time() - MIN_AGE_SECONDS


def _stat(key: str) -> BlobStat | None:
    """None for a file that was deleted since, or that acr3d did not store. Raises StorageError."""
    return storage().stat(key) if is_key(key) else None

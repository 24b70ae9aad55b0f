"""Restores a backup into an empty database and storage folder: all of it, or nothing.

The database comes last, in one transaction, so that it never refers to a blob that is not there yet. A
restore that was killed leaves blobs without rows; the next restore of the same backup reuses them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError

from acr3d import settings
from acr3d.backup import archive, unsent_orders
from acr3d.backup.archive import STORED, Archive
from acr3d.backup.create import KINDS
from acr3d.backup.errors import BackupError
from acr3d.backup.manifest import Manifest
from acr3d.db.extensions import db
from acr3d.db.full_text import SQLITE_TABLES
from acr3d.db.models import Base
from acr3d.db.schema_revision import includes, is_known, is_newest
from acr3d.db.types import utc_now
from acr3d.storage.blobs import BlobStat, StorageError, discard, is_key, storage
from acr3d.storage.file_size import file_size
from acr3d.storage.temporary import temporary_file

_VERSIONS = "alembic_version"


@dataclass(frozen=True)
class Restored:
    """What was restored."""

    manifest: Manifest
    jobs_ended: int
    needs_upgrade: bool


def restore(path: Path) -> Restored:
    """Restore the backup in the file `path`. Raises BackupError, in which case nothing is changed."""
    if not path.is_file():
        raise BackupError(f"{path} is not a file. Give the .tar file that “flask backup” made.")
    with archive.opened(path) as backup:
        _check_fits(backup.manifest)
        _check_space(backup)
        backup.verify()
        replaced = _empty_tables()
        now = utc_now()
        with _blobs_put(backup):
            _put_database(backup, replaced, now)
    with db.engine.connect() as connection:
        jobs_ended = unsent_orders.count_ended(connection, now, backup.manifest.rows)
    return Restored(backup.manifest, jobs_ended, not is_newest(backup.manifest.revision))


def _check_fits(manifest: Manifest) -> None:
    kind = db.engine.dialect.name
    if manifest.database != kind or KINDS[kind].NAME not in manifest.files:
        raise BackupError(
            f"This is a backup of a {manifest.database} database, but DATABASE_URL points to a {kind} one. "
            "Restore it into a database of the same kind."
        )
    if not is_known(manifest.revision):
        raise BackupError(
            f"This backup was made by acr3d {manifest.app_version}, whose database this version does not "
            f"know (revision {manifest.revision}). Install that version or a newer one."
        )


def _check_space(backup: Archive) -> None:
    config = settings.current()
    needed = backup.manifest.files[KINDS[backup.manifest.database].NAME].size  # which is copied once more
    if not config.bucket:
        needed += backup.size - sum(stat.size for key in backup.keys if (stat := _stat(key)) is not None)
    folder = config.storage_folder
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise BackupError(
            f"The backup needs {file_size(needed)}, but {folder} has only {file_size(free)} free. Nothing "
            "was changed. Make room, or restore on a larger disk."
        )


def _stat(key: str) -> BlobStat | None:
    """None also for a name that acr3d would never store; `_check_storage` refuses it."""
    return storage().stat(key) if is_key(key) else None


def _empty_tables() -> list[str]:
    """The tables of an empty schema, which the restored ones replace. Raises BackupError if not empty."""
    with db.engine.connect() as connection:
        present = inspect(connection).get_table_names()
        for name in present:
            if name in SQLITE_TABLES:
                continue  # an index, which has rows of its own
            if name != _VERSIONS and name not in Base.metadata.tables:
                raise BackupError(
                    f"The database has a table “{name}” that does not belong to acr3d. Use an empty database."
                )
            rows = connection.scalar(select(func.count()).select_from(table(name))) or 0
            if rows and name != _VERSIONS:
                raise BackupError(
                    f"The database is not empty: its table “{name}” has {rows} row(s). Restore into an empty "
                    "database and instance folder in which acr3d was never started."
                )
    db.engine.dispose()
    return present


@contextmanager
def _blobs_put(backup: Archive) -> Iterator[None]:
    """Put the backup's blobs into storage, and remove them again if the block fails."""
    put: list[str] = []
    try:
        _check_storage(backup)
        for key in backup.keys:
            put.append(key)
            _put_blob(backup, key)
        yield
    except BaseException as error:
        with suppress(BackupError, SQLAlchemyError):
            _empty_tables()  # raises if the database was restored after all and only its reply was lost
            discard(put)
        if isinstance(error, StorageError):
            raise BackupError(f"{error} Nothing was restored.") from error
        raise


def _put_blob(backup: Archive, key: str) -> None:
    with temporary_file() as fresh:
        backup.copy_out(STORED + key, fresh)
        storage().put(key, fresh)


def _check_storage(backup: Archive) -> None:
    """Storage may only hold what an earlier restore of this same backup left."""
    ours = set(backup.keys)
    for key in ours:
        if not is_key(key):
            raise BackupError(f"The backup contains a file “{key}” that acr3d would never store.")
    for key in sorted(storage().keys()):
        if key not in ours or _sha256(key) != backup.entry(key).sha256:
            raise BackupError(
                f"The storage folder {storage().location} is not empty: it contains {key}. "
                "Restore into an empty folder; nothing was changed."
            )


def _put_database(backup: Archive, replaced: list[str], now: datetime) -> None:
    kind, manifest = KINDS[backup.manifest.database], backup.manifest
    with temporary_file() as copy:
        backup.copy_out(kind.NAME, copy)
        schema = unsent_orders.Schema(
            has_next_step=includes(manifest.revision, "next_step"),
            has_message_codes=includes(manifest.revision, "messages"),
        )
        statements = unsent_orders.statements(manifest.made_at, now, manifest.rows, schema)
        kind.put_back(copy, list(statements), replaced, manifest)


def _sha256(key: str) -> str:
    with storage().open(key) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]

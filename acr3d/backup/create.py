"""Makes a backup while the app runs.

The database is copied first. A blob is stored before the row that refers to it is committed, and it never
changes, so every blob that the copy refers to is there when the blobs are copied.
"""

from __future__ import annotations

import tomllib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from acr3d.backup import archive, postgres, sqlite
from acr3d.backup.archive import Writer
from acr3d.backup.errors import BackupError
from acr3d.backup.manifest import Manifest, row_counts
from acr3d.db.extensions import db
from acr3d.db.schema_revision import revision_of
from acr3d.db.types import utc_now
from acr3d.storage.blobs import StorageError, is_key, storage
from acr3d.storage.index import Reference, references

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
KINDS: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgres}


@dataclass(frozen=True)
class Backup:
    """A backup that was made."""

    path: Path
    manifest: Manifest


def back_up(place: Path) -> Backup:
    """Back everything up to the new file `place`, or to a new file in the folder `place`.

    The manifest lists files that the database refers to but storage lacks. Raises BackupError.
    """
    made_at = utc_now()
    target = place / f"acr3d-{made_at:%Y-%m-%d-%H%M%S}.tar" if place.is_dir() else place
    if target.exists():
        raise BackupError(f"{target} already exists, and a backup is never overwritten. Choose another name.")
    kind = db.engine.dialect.name
    with archive.writing_to(target) as (writer, folder):
        with KINDS[kind].copied(folder) as (path, connection):
            revision = revision_of(connection)
            if revision is None:
                raise BackupError("The database has no acr3d tables yet, so there is nothing to back up.")
            rows = row_counts(connection)
            referred = {one.key: one for one in references(connection)}
            with path.open("rb") as file:
                writer.add(path.name, file)
            path.unlink()
        hashes = _add_blobs(writer)
        manifest = Manifest(
            made_at=made_at,
            app_version=tomllib.loads(_PROJECT.read_text())["project"]["version"],
            database=kind,
            revision=revision,
            rows=rows,
            files=writer.files,
            missing=sorted(referred.keys() - hashes.keys()),
            damaged=sorted(key for key in hashes if _differs(hashes[key], referred.get(key))),
        )
        writer.finish(manifest)
    return Backup(target, manifest)


def _add_blobs(writer: Writer) -> dict[str, str]:
    """Add every blob in storage, even unused ones. Returns the SHA-256 of each by key."""
    hashes: dict[str, str] = {}
    for key in sorted(filter(is_key, storage().keys())):
        try:
            blob = storage().open(key)
        except StorageError:
            if storage().stat(key) is not None:
                raise
            continue  # deleted since; the manifest lists it if the database needs it
        with closing(blob):
            hashes[key] = writer.add(archive.STORED + key, blob).sha256
    return hashes


def _differs(sha256: str, reference: Reference | None) -> bool:
    return reference is not None and reference.sha256 not in (None, sha256)

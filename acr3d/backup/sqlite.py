"""Copies a SQLite database while it is in use, and puts a copy back in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Executable, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from acr3d.backup.errors import BackupError, differing, not_ours
from acr3d.backup.manifest import Manifest, row_counts
from acr3d.db.extensions import db
from acr3d.db.full_text import SQLITE_OBJECTS, SQLITE_REBUILD
from acr3d.db.schema_revision import includes, revision_of
from acr3d.db.session import BUSY_SECONDS

NAME = "database.sqlite"


@contextmanager
def copied(folder: Path) -> Iterator[tuple[Path, Connection]]:
    """A copy of the current database in `folder`, and a connection to that copy. Raises BackupError."""
    path = folder / NAME
    try:
        with closing(_live()) as live, closing(sqlite3.connect(path)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            verdict: str = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"The database cannot be read ({error}). No backup was made.") from error
    if verdict != "ok":
        raise BackupError(f"The database is damaged ({verdict}). No backup was made; keep the older ones.")
    with _engine(path).connect() as connection:
        yield path, connection


def put_back(
    copy: Path, statements: Sequence[Executable], _replaced: Sequence[str], manifest: Manifest
) -> None:
    """Run `statements` on `copy`, then make it the database, atomically. Raises BackupError, also when it is
    not what `manifest` says."""
    try:
        with _engine(copy).begin() as connection:
            _check(connection, manifest)
            for statement in statements:
                connection.execute(statement)
        with closing(sqlite3.connect(copy)) as source, closing(_live()) as live:
            source.backup(live)
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise BackupError(f"The database cannot be restored ({error}). Nothing was changed.") from error


def _check(connection: Connection, manifest: Manifest) -> None:
    """acr3d has tables, indexes and its full-text index: anything else would run by itself, now or later."""
    odd = text(
        "SELECT type, name, sql FROM sqlite_master "
        "WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%' ORDER BY name"
    )
    for kind, name, sql in connection.execute(odd):
        if SQLITE_OBJECTS.get((kind, name)) != sql:
            raise not_ours(f"{kind} “{name}”")
    if revision_of(connection) != manifest.revision:
        raise differing("revision")
    if includes(manifest.revision, "part_search"):
        connection.execute(text(SQLITE_REBUILD))  # whatever the backup's index held
    if row_counts(connection) != manifest.rows:
        raise differing("tables or rows")
    if (verdict := connection.execute(text("PRAGMA quick_check(1)")).scalar()) != "ok":
        raise BackupError(f"The backup's database is damaged ({verdict}). Restore a different one.")


def _live() -> sqlite3.Connection:
    return sqlite3.connect(db.engine.url.database or "", timeout=BUSY_SECONDS)


def _engine(path: Path) -> Engine:
    return create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)

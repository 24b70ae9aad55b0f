"""Copies a PostgreSQL database with pg_dump, and puts a copy back with psql.

The dump is plain SQL: people can read it, and newer servers accept it. psql also runs commands in it, so only
restore backups that you trust.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Executable, func, select
from sqlalchemy.dialects import postgresql

from acr3d.backup import postgres_check
from acr3d.backup.errors import BackupError
from acr3d.backup.manifest import Manifest
from acr3d.db.extensions import db

NAME = "database.sql"
_LOCK_WAIT = "10s"


@contextmanager
def copied(folder: Path) -> Iterator[tuple[Path, Connection]]:
    """A dump of this moment's database in `folder`, and a connection that sees exactly what is in it.

    Raises BackupError.
    """
    path = folder / NAME
    moment = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect().execution_options(**moment) as connection:
        snapshot = connection.scalar(select(func.pg_export_snapshot()))
        options = ["--no-owner", "--no-privileges", "--no-comments", "--encoding=UTF8"]
        options += ["--exclude-schema=acr3d_tasks_*"]  # hints to workers
        _run("pg_dump", f"--snapshot={snapshot}", *options, f"--file={path}")
        yield path, connection


def put_back(
    copy: Path, statements: Sequence[Executable], replaced: Sequence[str], manifest: Manifest
) -> None:
    """In one transaction: drop the empty tables `replaced`, run the dump `copy`, compare with `manifest`, and
    run `statements`.

    Raises BackupError.
    """
    tables = ", ".join(_quoted(name) for name in replaced)
    before = [f"SET lock_timeout = '{_LOCK_WAIT}'", *([f"DROP TABLE {tables}"] if tables else [])]
    after = [
        "RESET search_path",
        postgres_check.statement(manifest),
        *map(_literal, statements),
    ]  # the dump empties the path
    _run(
        "psql",
        *("--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", "--single-transaction"),
        *(f"--command={one}" for one in before),
        f"--file={copy}",
        *(f"--command={one}" for one in after),
    )


def _run(program: str, *args: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise BackupError(
            f"{program} is not installed, so nothing was done. Install the PostgreSQL client programs "
            "(Debian: postgresql-client) in the server's version or a newer one."
        )
    where, environ = _address()
    finished = subprocess.run(  # noqa: S603 - no shell, and nothing of a stranger's
        [path, "--no-password", f"--dbname={where}", *args],
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        said = finished.stderr.strip() or f"exit code {finished.returncode}"
        if (refusal := postgres_check.refusal_in(said)) is not None:
            raise BackupError(refusal)
        raise BackupError(f"{program} failed, so nothing was changed. Its message: {said}")


def _address() -> tuple[str, dict[str, str]]:
    """The database's address for libpq, and the password apart: other users can see command lines."""
    from psycopg.conninfo import make_conninfo  # imported here: SQLite does not need it

    url = db.engine.url
    said = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    password = said.pop("password", None)
    return make_conninfo(**said), {"PGPASSWORD": password} if password else {}


def _quoted(name: str) -> str:
    return db.engine.dialect.identifier_preparer.quote_identifier(name)


def _literal(statement: Executable) -> str:
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]

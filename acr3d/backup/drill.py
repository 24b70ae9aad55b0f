"""A restore drill: the newest backup is restored into an empty place of its own, and its pages are opened.

The commands that an operator would use do it, in processes of their own, so that nothing of this place is
touched. PostgreSQL gets a database beside the present one, which is dropped afterwards.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from acr3d import settings
from acr3d.backup.errors import BackupError
from acr3d.backup.kept import kept_in
from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.types import utc_now
from acr3d.storage.blobs import is_key, storage
from acr3d.storage.index import references
from acr3d.storage.temporary import temporary_folder

_ROOT = Path(__file__).parents[2]
_SAMPLES = 20
_DRILLS = "acr3d_drill_"
_NAMED = "acr3d-%Y-%m-%d-%H%M%S.tar"


@dataclass(frozen=True)
class Looked:
    """What a restored place holds: parts, stored files, files that are referred to but missing, and of some
    pages those that do not open."""

    parts: int
    files: int
    missing: list[str]
    pages: int
    failed: list[str]


@dataclass(frozen=True)
class Drill:
    """What restoring the newest backup showed."""

    name: str
    age: timedelta
    seconds: float
    looked: Looked


def drill(place: str) -> Drill:
    """Restore the newest backup at `place`, look at it, and remove it again. Raises BackupError."""
    kept = kept_in(place)
    names = kept.names()
    if not names:
        raise BackupError(f"There is no backup at {place}.")
    made_at = datetime.strptime(names[-1], _NAMED).replace(tzinfo=UTC)
    with temporary_folder() as folder, _empty_database() as address:
        file = kept.fetched(names[-1], folder)
        started = time.monotonic()
        environ = _environ(folder / "instance", address)
        for words in (("restore", str(file)), ("db", "upgrade")):
            _run(environ, *words)
        said = _run(environ, "drill", "--look")
        seconds = time.monotonic() - started
    looked = Looked(**json.loads(said.splitlines()[-1]))
    return Drill(names[-1], utc_now() - made_at, seconds, looked)


def look() -> Looked:
    """Look at the place that this process works on."""
    missing = [one.key for one in references(db.session.connection()) if storage().stat(one.key) is None]
    parts = db.session.scalars(select(Part).where(Part.deleted_at.is_(None))).all()
    shown = [part for part in parts if part.is_published][:_SAMPLES]
    addresses = ["/", *(f"/parts/{part.sku}" for part in shown)]
    addresses += [part.model_3d_url for part in shown if part.model_3d_url]
    db.session.remove()
    return Looked(
        parts=len(parts),
        files=sum(map(is_key, storage().keys())),
        missing=sorted(missing),
        pages=len(addresses),
        failed=[address for address in addresses if not _opens(address)],
    )


def _opens(address: str) -> bool:
    with current_app.test_client().get(address) as answer:
        return answer.status_code == 200


def _environ(instance: Path, database: str) -> dict[str, str]:
    """The settings of an empty place, without the real one's data, engine or bucket."""
    ours = ("ACR3D_", "MESHY_", "AWS_", "DATABASE_URL", "SECRET_KEY")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return plain | {
        "ACR3D_INSTANCE": str(instance),
        "DATABASE_URL": database,
        "FLASK_SKIP_DOTENV": "1",  # the .env file here is ours, too
    }


def _run(environ: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    done = subprocess.run(  # noqa: S603 - our own commands, and a file's path
        command, cwd=_ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise BackupError(f"“flask {words[0]}” failed on the newest backup: {' '.join(why)}")
    return done.stdout


@contextmanager
def _empty_database() -> Iterator[str]:
    """The address of a new database of the present kind; empty for SQLite, which makes its own file."""
    if db.engine.dialect.name == "sqlite":
        yield ""
        return
    name = f"{_DRILLS}{secrets.token_hex(4)}"
    server = create_engine(settings.current().database_url, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            _drop_leftovers(connection)
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    except SQLAlchemyError as error:
        raise BackupError(
            "The drill needs a database of its own, and our user may not make one. Let it: ALTER ROLE … "
            "CREATEDB."
        ) from error
    address = server.url.set(database=name)
    try:
        with create_engine(address, poolclass=NullPool).connect():  # who is connected is no leftover
            yield address.render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def _drop_leftovers(connection: Connection) -> None:
    """Drop the databases that killed drills left: those without a connection."""
    leftovers = text(
        "SELECT datname FROM pg_database d WHERE starts_with(datname, :drills) "
        "AND pg_get_userbyid(datdba) = current_user "
        "AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datid = d.oid)"
    )
    for name in connection.scalars(leftovers, {"drills": _DRILLS}).all():
        with suppress(SQLAlchemyError):  # another drill was just begun, or dropped it first
            connection.execute(text(f'DROP DATABASE "{name}"'))

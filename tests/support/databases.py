"""An empty database of the present schema for each test, without migrating for each.

SQLite: a copy of a migrated file. PostgreSQL: one migrated database for the whole run, emptied before each
use, which takes a hundredth of the time of a new one.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import flask_migrate
import psycopg
import pytest
from flask import Flask
from psycopg import sql

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.settings import Settings
from tests.support import speed
from tests.support.postgres import Server

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]
ON_BOTH = pytest.mark.parametrize("config", BOTH, indirect=True)
"""For tests that ask something of the database itself: `make test` runs them on both."""

_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
_SCHEMA = """
SELECT md5(string_agg(
    concat_ws(' ', relname, relkind, attname, atttypid, attnotnull), ',' ORDER BY c.oid, attnum))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""
_REVISION = "SELECT version_num FROM alembic_version"
_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_USES_BEFORE_A_NEW_ONE = 100  # deleted rows stay in the files until then


class EmptiedDatabase:
    """A PostgreSQL database that is empty whenever a test asks for it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._template = f"template_{uuid.uuid4().hex[:8]}"
        server.create(self._template)
        migrate(
            settings.from_environment(
                {"ACR3D_INSTANCE": str(folder), "DATABASE_URL": server.url(self._template)}
            )
        )
        self._make()

    def url(self) -> str:
        """Its address, once all that was left in it is gone."""
        if self._uses == _USES_BEFORE_A_NEW_ONE or not self._empty():
            self._server.drop(self._name)
            self._make()
        self._uses += 1
        return self._server.url(self._name)

    def _make(self) -> None:
        self._name = f"test_{uuid.uuid4().hex[:12]}"
        self._server.create(self._name, template=self._template)
        self._uses = 0
        with psycopg.connect(self._server.url(self._name)) as connection:
            self._schema = [connection.execute(query).fetchone() for query in (_SCHEMA, _REVISION)]
            tables = [sql.Identifier(name) for (name,) in connection.execute(_TABLES)]
            sequences = [sql.Literal(name) for (name,) in connection.execute(_SEQUENCES)]
        self._clearance = sql.SQL("; ").join(
            [
                sql.SQL("SET LOCAL session_replication_role = replica"),  # no foreign key is checked
                *(sql.SQL("DELETE FROM {}").format(table) for table in tables),
                *(sql.SQL("SELECT setval({}, 1, false)").format(sequence) for sequence in sequences),
            ]
        )

    def _empty(self) -> bool:
        """Whether it could be emptied: not when a test changed the schema, or where we are no superuser."""
        try:
            with psycopg.connect(self._server.url(self._name)) as connection:
                connection.execute(_OTHERS)
                if [connection.execute(query).fetchone() for query in (_SCHEMA, _REVISION)] != self._schema:
                    return False
                connection.execute(self._clearance)
        except psycopg.Error:
            return False
        return True


def migrated_file(folder: Path) -> Path:
    """An empty SQLite database of the present schema, to be copied."""
    migrate(settings.from_environment({"ACR3D_INSTANCE": str(folder)}))
    return folder / "acr3d.sqlite"


def migrate(config: Settings) -> None:
    app = create_app(config)
    with app.app_context():
        flask_migrate.upgrade()
        speed.share_statements(db.engine)
    close(app)


def close(app: Flask) -> None:
    """Let go of the app's connections and threads."""
    poller = app.extensions.get("acr3d_poller")
    if poller is not None:
        poller.stop()
    with app.app_context():
        app.extensions["acr3d_engines"].stop(10)
        app.extensions["acr3d_engines"].close()
        db.session.remove()
        db.engine.dispose()

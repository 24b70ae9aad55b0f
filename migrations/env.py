"""How migrations run: in one transaction on either database, one process at a time.

Parts that the newest schema's search does not know yet are indexed after it.
"""

from __future__ import annotations

import sqlite3

from alembic import context
from flask import current_app
from sqlalchemy import Connection, create_engine, event, pool, text

from acr3d.db import full_text
from acr3d.db.models import Base
from acr3d.db.schema_revision import is_newest, revision_of
from acr3d.parts import search_index

_ONE_AT_A_TIME = 4_117_300_311  # an arbitrary advisory lock number


def run() -> None:
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    engine = create_engine(url, poolclass=pool.NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:
        before = revision_of(connection)
        connection.rollback()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            include_name=_is_compared,
            transactional_ddl=True,  # on SQLite too, because we begin the transaction ourselves
        )
        with context.begin_transaction():
            _wait_for_others(connection)
            context.run_migrations()
            _check_foreign_keys(connection)
        after = revision_of(connection)
    if after != before and is_newest(after):
        search_index.catch_up()


def _is_compared(name: str | None, _kind: str, _parents: object) -> bool:
    """The full-text index is in no model: each kind of database has its own."""
    return name not in full_text.SQLITE_TABLES | {full_text.POSTGRES_INDEX}


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    # A rebuilt table is dropped and renamed: with foreign keys on, that would delete its children.
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("PRAGMA busy_timeout=30000")


def _wait_for_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ONE_AT_A_TIME})


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(
            f"The migration would leave rows without their parent: {broken[:3]}. Nothing was changed."
        )


run()

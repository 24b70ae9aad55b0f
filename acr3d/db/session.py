"""Transactions that mean the same on SQLite and PostgreSQL.

SQLite: WAL, foreign keys on, and a writing transaction takes the write lock at its start (BEGIN IMMEDIATE),
so it never fails half-way because another writer was first. On both, a commit is on disk when it returns.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.outage import is_no_outage
from acr3d.db.types import Moment, utc_now

_WRITES = "acr3d_writes"
BUSY_SECONDS = 30
CONNECT_SECONDS = 5  # a request waits no longer for a database that is away
# Every thread of the server and of the poller may hold a connection; values are kept out of tracebacks.
POOL = {"pool_size": 8, "max_overflow": 32, "hide_parameters": True}


def engine_options(url: str) -> dict[str, Any]:
    """Options for `create_engine` that suit the database behind `url`."""
    if url.startswith("sqlite"):
        return POOL | {"connect_args": {"timeout": BUSY_SECONDS}}
    patience = {} if "connect_timeout" in url else {"connect_timeout": CONNECT_SECONDS}
    return POOL | {"pool_pre_ping": True, "connect_args": patience}


def prepare(engine: Engine) -> None:
    """Set up every connection of `engine`."""
    logging.getLogger(f"sqlalchemy.pool.impl.{type(engine.pool).__name__}").addFilter(is_no_outage)
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _prepare_postgres)
        return
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver starts no transactions; _begin_sqlite does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own lower() knows ASCII only.
    connection.create_function("lower", 1, lambda text: text and text.lower(), deterministic=True)


def _prepare_postgres(connection: psycopg.Connection[Any], _record: object) -> None:
    # The record that an order was sent must survive a crash, even of a server set to commit asynchronously.
    connection.autocommit = True
    if connection.execute("SHOW synchronous_commit").fetchone() == ("off",):
        connection.execute("SET synchronous_commit = on")
    connection.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def end_read() -> None:
    """End the reading transaction before something slow, so that it does not stay open."""
    db.session.commit()


@contextmanager
def transaction() -> Iterator[Session]:
    """One writing transaction on the session of this request or step: all or nothing.

    What was read before it began may be stale: read what the decision depends on again inside.
    """
    session = db.session()
    session.commit()  # ends the reading transaction, which cannot become a writing one
    session.expire_all()
    try:
        session.connection(execution_options={_WRITES: True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


def database_now(session: Session) -> datetime:
    """The time that leases are measured by: the database's own on PostgreSQL, this host's on SQLite."""
    if session.get_bind().dialect.name != "postgresql":
        return utc_now()
    return session.execute(select(func.clock_timestamp(type_=Moment))).scalar_one()

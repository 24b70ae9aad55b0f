"""What an error says about the database and the disk: away, or full. And one log line a minute about it.

While a database is away, every request and every pass of the poller fails; a traceback for each of them would
bury the log. SQLite's result codes: sqlite.org/rescode.html. PostgreSQL's: its manual, appendix A.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SECONDS_BETWEEN_LINES = 60.0
_LONGEST_REASON = 200
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
_DISK_RESULTS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_AWAY_RESULTS = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
)
_DISK_STATES = frozenset({"53100", "58030", "25006"})  # disk full, I/O error, read-only
# Connections, resources, shutdown; but 57014 is a query that somebody canceled.
_AWAY_CLASSES = ("08", "53", "57P")

log = logging.getLogger("acr3d.db")


class Outage(StrEnum):
    """What is out of order."""

    AWAY = "away"  # the database does not answer
    FULL = "full"  # it, or the disk, takes nothing more; reading works


def outage_of(error: BaseException | None) -> Outage | None:
    """The outage behind an error; None when there is another cause."""
    if isinstance(error, PoolTimeout):  # all connections wait for the database
        return Outage.AWAY
    if isinstance(error, OSError):
        return Outage.FULL if error.errno in _DISK_ERRORS else None
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    return _of_postgres(cause) if isinstance(cause, psycopg.Error) else None


def report(error: BaseException, doing: str) -> None:
    """Log the outage, unless this process has within the last minute."""
    _line.write(error, doing)


def log_failure(logger: logging.Logger, words: str, *args: object) -> None:
    """Log the exception that is being handled: with its traceback, or an outage with one line a minute."""
    error = sys.exc_info()[1]
    if error is not None and outage_of(error):
        report(error, words % args)
    else:
        logger.exception(words, *args)


def is_no_outage(record: logging.LogRecord) -> bool:
    """A filter for the log of the connection pool, whose traceback says what we log in one line."""
    return record.exc_info is None or outage_of(record.exc_info[1]) is None


@contextmanager
def best_effort(doing: str) -> Iterator[None]:
    """For a write that no answer depends on, in a transaction of its own: an outage only leaves it out."""
    try:
        yield
    except DBAPIError as error:
        if outage_of(error) is None:
            raise
        report(error, doing)


def _of_sqlite(result: int) -> Outage | None:
    if result in _DISK_RESULTS:
        return Outage.FULL
    return Outage.AWAY if result in _AWAY_RESULTS else None


def _of_postgres(error: psycopg.Error) -> Outage | None:
    state = error.sqlstate
    if state in _DISK_STATES:
        return Outage.FULL
    if state is None:  # the connection itself failed
        is_connection = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return Outage.AWAY if is_connection else None
    return Outage.AWAY if state.startswith(_AWAY_CLASSES) else None


class _OneLineAMinute:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0
        self._left_out = 0

    def write(self, error: BaseException, doing: str) -> None:
        with self._lock:
            if time.monotonic() < self._next:
                self._left_out += 1
                return
            left_out, self._left_out = self._left_out, 0
            self._next = time.monotonic() + SECONDS_BETWEEN_LINES
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = " ".join(str(cause).split())[:_LONGEST_REASON]
        log.error(
            "database.%s what=%s why=%s: %s; left_out=%d such lines in the minute before",
            outage_of(error),
            doing,
            type(cause).__name__,
            reason,
            left_out,
        )


_line = _OneLineAMinute()

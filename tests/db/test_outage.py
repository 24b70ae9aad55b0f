"""Which errors mean that the database is away or the disk full, and how often the log says so."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from acr3d.db import outage
from acr3d.db.outage import Outage, best_effort, log_failure, outage_of, report


def _full(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "full.sqlite")) as database:
        database.execute("CREATE TABLE one (text TEXT)")
        database.execute("PRAGMA max_page_count = 2")
        database.execute("INSERT INTO one VALUES (?)", ["x" * 100_000])


def _read_only(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "kept.sqlite")) as database:
        database.execute("PRAGMA query_only = ON")
        database.execute("CREATE TABLE one (text TEXT)")


def _gone(folder: Path) -> None:
    sqlite3.connect(folder / "absent" / "one.sqlite")


def _busy(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "busy.sqlite", timeout=0)) as one:
        one.execute("BEGIN IMMEDIATE")
        with closing(sqlite3.connect(folder / "busy.sqlite", timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")


def _no_table(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "empty.sqlite")) as database:
        database.execute("SELECT * FROM absent")


@pytest.mark.parametrize(
    ("fail", "expected"),
    [
        (_full, Outage.FULL),
        (_read_only, Outage.FULL),
        (_gone, Outage.AWAY),
        (_busy, Outage.AWAY),
        (_no_table, None),
    ],
)
def test_what_sqlite_says(fail: Callable[[Path], None], expected: Outage | None, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error) as failed:
        fail(tmp_path)

    assert outage_of(failed.value) is expected
    assert outage_of(OperationalError("SELECT 1", {}, failed.value)) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("connection refused"), Outage.AWAY),
        (psycopg.errors.AdminShutdown(), Outage.AWAY),
        (psycopg.errors.CannotConnectNow(), Outage.AWAY),
        (psycopg.errors.TooManyConnections(), Outage.AWAY),
        (psycopg.errors.DiskFull(), Outage.FULL),
        (psycopg.errors.ReadOnlySqlTransaction(), Outage.FULL),
        (psycopg.errors.QueryCanceled(), None),
        (psycopg.errors.UndefinedTable(), None),
        (PoolTimeout(), Outage.AWAY),
        (OSError(errno.ENOSPC, "No space left on device"), Outage.FULL),
        (OSError(errno.ENOENT, "No such file"), None),
        (ValueError(), None),
        (None, None),
    ],
)
def test_what_others_say(error: BaseException | None, expected: Outage | None) -> None:
    assert outage_of(error) is expected


def test_an_outage_is_one_line_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(outage, "_line", outage._OneLineAMinute())
    monkeypatch.setattr(outage.time, "monotonic", lambda: now)
    away = psycopg.OperationalError("connection refused")

    for _ in range(100):
        report(away, "request")
        try:
            raise away
        except psycopg.OperationalError:
            log_failure(logging.getLogger("acr3d.poller"), "poller.pass_failed")
    now += 61
    report(away, "request")

    first, second = caplog.records
    assert "database.away what=request why=OperationalError: connection refused" in first.getMessage()
    assert "left_out=199" in second.getMessage()
    assert first.exc_info is None


def test_another_failure_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("ours")
    except ValueError:
        log_failure(logging.getLogger("acr3d.poller"), "poller.pass_failed lane=%s", "download")

    [record] = caplog.records
    assert record.getMessage() == "poller.pass_failed lane=download"
    assert record.exc_info is not None


def test_best_effort_hides_outages_only() -> None:
    with best_effort("a note"):
        raise OperationalError("UPDATE", {}, psycopg.errors.DiskFull())
    with pytest.raises(OperationalError), best_effort("a note"):
        raise OperationalError("UPDATE", {}, psycopg.errors.QueryCanceled())

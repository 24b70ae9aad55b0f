"""What the tests do without, the app as shipped does."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from acr3d.accounts import passwords
from tests.support.speed import SHIPPED


def test_passwords_are_hashed_with_the_parameters_of_owasps_cheat_sheet() -> None:
    shipped = SHIPPED.hasher
    assert (shipped.memory_cost, shipped.time_cost, shipped.parallelism) == (46 * 1024, 1, 1)
    assert not shipped.check_needs_rehash(SHIPPED.no_account), (
        "an unknown address must cost as much as a known one"
    )
    assert passwords._hasher is not shipped


def test_what_is_committed_to_sqlite_is_on_the_disk(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "file.sqlite") as connection:
        SHIPPED.prepare_sqlite(connection, None)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_files_are_synced_by_the_system() -> None:
    assert SHIPPED.fsync.__module__ == "posix"
    assert os.fsync is not SHIPPED.fsync

"""Nightly backups to a folder or a bucket, and the drill that proves the newest."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from acr3d.backup.kept import bucket_at, kept_in
from acr3d.db.extensions import db
from acr3d.db.types import utc_now
from acr3d.storage.blobs import storage
from tests.support import s3
from tests.support.backups import POSTGRES_ONLY, SQLITE_ONLY, Furnished, flask

PLACE = "s3://shop/backups"


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "folder":
        (tmp_path / "backups").mkdir()
        yield str(tmp_path / "backups")
        return
    with s3.s3_server() as address:
        for name, value in s3.environ(address).items():
            monkeypatch.setenv(name, value)
        yield PLACE


def names(app: Flask, place: str) -> list[str]:
    with app.app_context():
        return kept_in(place).names()


def keep_old(app: Flask, place: str, folder: Path, days: int) -> str:
    """An empty file in the place of a backup that was made so long ago."""
    old = folder / f"acr3d-{utc_now() - timedelta(days=days):%Y-%m-%d-%H%M%S}.tar"
    old.write_bytes(b"old")
    with app.app_context():
        if place == PLACE:
            bucket_at(place).put(old)
        else:
            old.rename(Path(place) / old.name)
    return old.name


@SQLITE_ONLY
def test_the_newest_backups_are_kept_and_the_newest_is_proved(
    app: Flask, furnished: Furnished, place: str, tmp_path: Path
) -> None:
    oldest, older = (keep_old(app, place, tmp_path, days) for days in (3, 2))

    made = flask(app, "backup", place, "--keep", "2")
    proved = flask(app, "drill", place)

    assert (made.exit_code, "Deleted 1 older backup(s); 2 are left." in made.output) == (0, True), made.output
    left = names(app, place)
    assert left[0] == older
    assert oldest not in left
    assert proved.exit_code == 0, proved.output
    assert f"{left[-1]} was restored in" in proved.output
    assert "2 part(s), 8 stored file(s); 3 of 3 pages and models open." in proved.output
    with app.app_context():
        assert list(storage().incoming.iterdir()) == []


@SQLITE_ONLY
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_drill_fails_when_the_backup_is_old_damaged_incomplete_or_absent(
    app: Flask, furnished: Furnished, place: str, tmp_path: Path
) -> None:
    absent = flask(app, "drill", place)
    keep_old(app, place, tmp_path, days=9)
    damaged = flask(app, "drill", place)
    with app.app_context():
        storage().delete(f"parts/{furnished.part_id}/models/a-model.glb")
    incomplete = flask(app, "backup", place, "--keep", "1")
    still_there = len(names(app, place))
    [newest] = Path(place).glob(f"{names(app, place)[-1]}")
    newest.rename(newest.with_name(f"acr3d-{utc_now() - timedelta(days=5):%Y-%m-%d-%H%M%S}.tar"))
    old = flask(app, "drill", place)

    assert (absent.exit_code, damaged.exit_code, incomplete.exit_code, old.exit_code) == (1, 1, 1, 1)
    assert "There is no backup at" in absent.output
    assert "“flask restore” failed on the newest backup" in damaged.output
    assert still_there == 2  # nothing is deleted for a backup that lacks files
    assert f"Missing: parts/{furnished.part_id}/models/a-model.glb." in old.output
    assert "It is 120 hours old." in old.output
    assert tarfile.is_tarfile(next(Path(place).glob(f"{names(app, place)[-1]}")))


@SQLITE_ONLY
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_bucket_that_does_not_answer_is_a_sentence(
    app: Flask, furnished: Furnished, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environ("http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("acr3d.storage.bucket._RETRIES", 0)

    made = flask(app, "backup", PLACE)

    assert made.exit_code == 1
    assert f"Error: {PLACE} cannot be written to:" in made.output


@POSTGRES_ONLY
@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_drill_on_postgresql_leaves_no_database_behind(
    app: Flask, furnished: Furnished, place: str
) -> None:
    assert flask(app, "backup", place).exit_code == 0
    with app.app_context(), db.engine.connect() as server:
        server = server.execution_options(isolation_level="AUTOCOMMIT")
        server.execute(text("CREATE DATABASE acr3d_drill_killed TEMPLATE template0"))

    proved = flask(app, "drill", place)

    assert proved.exit_code == 0, proved.output
    assert "3 of 3 pages and models open." in proved.output
    with app.app_context():
        drills = text("SELECT count(*) FROM pg_database WHERE datname LIKE 'acr3d_drill%'")
        assert db.session.scalar(drills) == 0

"""Missing and damaged files are named, and a backup is complete or refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from acr3d.db.models import Base
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from acr3d.storage.index import REFERRING
from tests.support.backups import (
    POSTGRES_ONLY,
    SQLITE_ONLY,
    Elsewhere,
    Furnished,
    back_up,
    flask,
    is_refused,
    redescribed,
    restore,
    rewritten,
    seen,
)
from tests.support.site import ROOT


def test_a_file_that_is_gone_or_damaged_is_named(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    model, gone = (url.removeprefix("/media/") for url in furnished.urls[2:4])
    with app.app_context():
        storage().delete(gone)
        storage().path(model).write_bytes(b"rotten")

    result = flask(app, "backup", target)

    assert result.exit_code == 1
    assert f"Missing: {gone}." in result.output
    assert f"Damaged: {model}." in result.output
    other = elsewhere()
    assert f"Missing: {gone}." in restore(other, target).output
    assert seen(other, ["/parts/BR-100"])[0][0] == 200


def test_every_column_that_names_a_file_is_known(app: Flask) -> None:
    named = {(key.class_.__tablename__, key.key) for _kind, key, _sha256 in REFERRING}

    columns = {(table.name, column.name) for table in Base.metadata.tables.values() for column in table.c}

    assert named == {(table, column) for table, column in columns if column.endswith("_path")}


def test_a_backup_that_was_cut_off_is_never_taken_for_whole(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    whole = back_up(app, target).read_bytes()
    other = elsewhere(migrated=True)
    end = whole.rindex(b"]\n}")  # of the manifest, which is the last thing in the file

    for length in (0, 100, 512, 1024, len(whole) // 2, end - 600, end - 1, end):
        target.write_bytes(whole[:length])
        is_refused(other, target, "The backup is damaged")

    target.write_bytes(whole)
    restore(other, target)


def test_a_backup_that_was_changed_is_refused(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    back_up(app, target)
    other = elsewhere()
    key = f"storage{furnished.urls[2].removeprefix('/media')}"

    def change(files: dict[str, bytes]) -> None:
        files[key] = files[key][:-1] + b"x"

    def remove(files: dict[str, bytes]) -> None:
        del files[key]

    def add(files: dict[str, bytes]) -> None:
        files["storage/parts/x.jpg"] = b"x"

    def climb(files: dict[str, bytes]) -> None:
        files["storage/../secret_key"] = b"x"
        redescribed(files)

    def forget_how(files: dict[str, bytes]) -> None:
        files["manifest.json"] = b"{}"

    for how, sentence in (
        (change, "has changed"),
        (remove, "is missing or does not belong in it"),
        (add, "is missing or does not belong in it"),
        (climb, "that acr3d would never store"),
        (forget_how, "manifest.json cannot be read"),
    ):
        is_refused(other, rewritten(target, how), sentence)


@SQLITE_ONLY
def test_a_backup_that_is_killed_leaves_no_backup(app: Flask, config: Settings, target: Path) -> None:
    script = """
import os, signal, sys
from acr3d.app import create_app
from acr3d.backup import archive
archive.Writer.finish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
create_app().test_cli_runner().invoke(args=["backup", sys.argv[1]])
"""
    environ = os.environ | {"ACR3D_INSTANCE": str(config.instance)}

    killed = subprocess.run([sys.executable, "-c", script, target], cwd=ROOT, env=environ, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    [left] = target.parent.glob(".backup.tar.*")
    assert "The backup is damaged" in flask(app, "restore", left / "partial.tar").output
    back_up(app, target)  # what is left is in nobody's way


def test_no_backup_is_overwritten(app: Flask, target: Path) -> None:
    target.write_text("yesterday's")

    result = flask(app, "backup", target)

    assert result.exit_code == 1
    assert "never overwritten" in result.output
    assert target.read_text() == "yesterday's"


def test_a_place_that_cannot_be_written_is_a_sentence(app: Flask, tmp_path: Path) -> None:
    result = flask(app, "backup", tmp_path / "absent" / "backup.tar")

    assert result.exit_code == 1
    assert "No such file or directory" in result.output


def test_an_empty_place_has_nothing_to_back_up(elsewhere: Elsewhere, target: Path) -> None:
    result = flask(elsewhere(), "backup", target)

    assert result.exit_code == 1
    assert "nothing to back up" in result.output
    assert list(target.parent.glob("*backup*")) == []


@SQLITE_ONLY
def test_a_damaged_database_is_not_backed_up(app: Flask, config: Settings, target: Path) -> None:
    (config.instance / "acr3d.sqlite").write_bytes(b"SQLite format 3\0" + b"rotten" * 2000)

    result = flask(app, "backup", target)

    assert result.exit_code == 1
    assert "No backup was made" in result.output
    assert not target.exists()


@POSTGRES_ONLY
def test_without_postgresqls_programs_there_is_a_sentence(
    app: Flask, elsewhere: Elsewhere, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(app, target)
    other = elsewhere()
    monkeypatch.setenv("PATH", "")

    result = flask(app, "backup", target.with_name("second.tar"))

    assert result.exit_code == 1
    assert "pg_dump is not installed" in result.output
    assert not target.with_name("second.tar").exists()
    is_refused(other, target, "psql is not installed")


@POSTGRES_ONLY
def test_the_password_is_not_among_the_words_of_a_process(
    make_app: Callable[..., Flask], config: Settings, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody on the host can read those."""
    app = make_app(database_url=config.database_url.replace("acr3d@", "acr3d:s3cret%20word@"))
    listener = target.parent / "pg_dump"
    listener.write_text('#!/bin/sh\necho "words: $@" >&2\necho "password: $PGPASSWORD" >&2\nexit 1\n')
    listener.chmod(0o755)
    monkeypatch.setenv("PATH", str(target.parent))

    result = flask(app, "backup", target)

    assert "password: s3cret word" in result.output
    assert "s3cret" not in result.output.partition("password:")[0]

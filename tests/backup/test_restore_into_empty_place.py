"""A restore goes into an empty place only, and changes everything or nothing."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import text

from acr3d.db.extensions import db
from acr3d.storage.blobs import storage
from tests.support.backups import (
    Elsewhere,
    Furnished,
    back_up,
    is_refused,
    redescribed,
    restore,
    rewritten,
    seen,
)
from tests.support.factories import (
    make_part,
)


def test_a_place_in_use_is_left_alone(app: Flask, elsewhere: Elsewhere, target: Path) -> None:
    back_up(app, target)
    in_use, with_a_file, anothers = elsewhere(migrated=True), elsewhere(), elsewhere()
    with in_use.app_context():
        make_part()
    with with_a_file.app_context():
        storage().put("parts/0a1b/raw/4e.glb", b"somebody's")
    with anothers.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER)"))

    is_refused(in_use, target, "The database is not empty")
    is_refused(with_a_file, target, "is not empty: it contains parts/0a1b/raw/4e.glb")
    is_refused(anothers, target, "a table “orders” that does not belong to acr3d")


def test_a_backup_that_does_not_fit_is_refused(app: Flask, elsewhere: Elsewhere, target: Path) -> None:
    back_up(app, target)
    other = elsewhere()

    def described(**changes: object) -> Path:
        return rewritten(target, lambda files: redescribed(files, **changes))

    is_refused(other, described(revision="year_3000"), "this version does not know (revision year_3000)")
    is_refused(other, described(database="oracle"), "This is a backup of a oracle database")
    is_refused(other, described(format=2), "made by a newer version of acr3d")
    is_refused(other, target.parent, "is not a file")


def test_a_database_that_cannot_be_restored_takes_the_files_with_it(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    back_up(app, target)

    def break_database(files: dict[str, bytes]) -> None:
        [name] = (name for name in files if name.startswith("database."))
        files[name] = files[name][: len(files[name]) // 2] + b"\n;SELECT broken;"
        redescribed(files)

    sentence = (
        "cannot be restored" if "sqlite" in str(app.config["SQLALCHEMY_DATABASE_URI"]) else "psql failed"
    )
    is_refused(elsewhere(migrated=True), rewritten(target, break_database), sentence)


def test_a_restore_that_was_killed_is_taken_up_by_the_next(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    back_up(app, target)
    other = elsewhere()
    with app.app_context(), storage().open(furnished.urls[2].removeprefix("/media/")) as file:
        model = file.read()
    with other.app_context():
        storage().put(furnished.urls[2].removeprefix("/media/"), model)

    restore(other, target)

    assert seen(other, furnished.urls) == seen(app, furnished.urls)

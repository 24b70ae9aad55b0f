"""`flask sweep`: the space that each part takes, and files that nothing refers to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import text, update

from acr3d.db.models import ModelVersion, Part
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.errors import Missing
from acr3d.parts.bin import delete_part, restore_part
from acr3d.parts.photos import add_photos, delete_photo, images_of
from acr3d.storage import cleanup
from acr3d.storage.blobs import storage
from tests.support.factories import finished_job, make_part, make_part_with_photos, photo

HOUR = 3600
STRAY = "parts/0a1b/raw/4e.glb"


@pytest.fixture
def sweep(runner: FlaskCliRunner) -> Callable[..., Result]:
    return lambda *words: runner.invoke(args=["sweep", *words])


def store(key: str, size: int, seconds_old: float = 0) -> str:
    storage().put(key, b"x" * size)
    make_older(key, seconds_old)
    return key


def make_older(key: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(storage().path(key), (then, then))


def make_model(part: Part) -> list[str]:
    """A raw model of 2 MB and a version of 1 MB, a day old."""
    raw = store(f"parts/{part.id}/raw/a.glb", 2_000_000, 24 * HOUR)
    key = store(f"parts/{part.id}/models/a.glb", 1_000_000, 24 * HOUR)
    job = finished_job(part.id, raw_storage_path=raw)
    with transaction() as session:
        session.add(job)
        session.flush()
        session.add(
            ModelVersion(
                part_id=part.id,
                job_id=job.id,
                number=1,
                state="rejected",
                storage_path=key,
                sha256="0" * 64,
                file_size_bytes=1_000_000,
                report={},
            )
        )
    return [raw, key]


def stored() -> set[str]:
    return set(storage().keys())


def test_the_space_of_each_part_the_largest_first(in_app: Flask, sweep: Callable[..., Result]) -> None:
    make_part_with_photos("SMALL-1", ("front",))
    large = make_part_with_photos("LARGE-1", ("front",))
    make_model(large)
    delete_part(large.id)
    make_part("EMPTY-1")

    lines = sweep().output.splitlines()

    assert "LARGE-1 (deleted): photos " in lines[0]
    assert lines[0].split()[:2] == ["3", "MB"]
    assert lines[0].endswith("raw models 2 MB, versions 1 MB")
    assert "SMALL-1: photos " in lines[1]
    assert "3 MB" in lines[2]
    assert "in total, for 2 part(s) with files." in lines[2]
    assert lines[3:] == ["No unused files older than an hour."]


def test_a_stray_file_is_only_listed_until_delete_is_given(
    in_app: Flask, sweep: Callable[..., Result]
) -> None:
    make_part_with_photos()
    store(STRAY, 1_500_000, 2 * HOUR)

    listed = sweep()
    assert listed.output.splitlines()[-2].split() == ["1.5", "MB", STRAY]
    assert "Nothing refers to these 1 file(s), 1.5 MB. Delete them with --delete." in listed.output
    assert STRAY in stored()

    removed = sweep("--delete")
    assert removed.exit_code == 0
    assert f"1.5 MB  {STRAY}" in removed.output
    assert "Deleted 1 file(s) that nothing referred to, 1.5 MB." in removed.output
    assert STRAY not in stored()
    assert "0 file(s)" in sweep("--delete").output


def test_everything_that_a_row_refers_to_stays(in_app: Flask, sweep: Callable[..., Result]) -> None:
    """Deleted photos and rejected models too: the rows are still there, and jobs go back to them."""
    part = make_part_with_photos()
    make_model(part)
    delete_photo(images_of(part.id)[0].id)
    before = stored()
    assert len(before) == 11  # three of them WebP
    for key in before:
        make_older(key, 24 * HOUR)

    assert "0 file(s)" in sweep("--delete").output

    assert stored() == before


def test_an_upload_in_progress_is_left_alone(
    in_app: Flask, sweep: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo's file is stored before its row: a sweep in between must not take it."""
    part, swept = make_part_with_photos(), []
    committing = transaction

    def sweep_first() -> object:
        swept.append(sweep("--delete").output)
        return committing()

    monkeypatch.setattr("acr3d.parts.photos.transaction", sweep_first)
    [image] = add_photos(part.id, [photo("red")])

    assert "0 file(s)" in swept[0]
    assert image.storage_path in stored()


def test_a_file_that_is_stored_again_in_the_meantime_is_left_alone(
    in_app: Flask, sweep: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_part_with_photos()
    store(STRAY, 10, 2 * HOUR)
    found = cleanup.inspect_storage()
    store(STRAY, 10)

    assert cleanup.delete_stray_files(found) == []

    assert STRAY in stored()


def test_files_that_are_not_ours_are_left_alone(in_app: Flask, sweep: Callable[..., Result]) -> None:
    make_part_with_photos()
    strange = storage().folder / "Read Me.txt"
    strange.write_text("somebody's")
    os.utime(strange, (0, 0))

    assert "0 file(s)" in sweep("--delete").output

    assert strange.exists()


def test_with_the_wrong_database_nothing_is_removed(in_app: Flask, sweep: Callable[..., Result]) -> None:
    store(STRAY, 10, 2 * HOUR)

    result = sweep("--delete")

    assert result.exit_code == 1
    assert "probably not the one they belong to" in result.output
    assert STRAY in stored()


def test_with_the_database_of_another_version_nothing_is_removed(
    in_app: Flask, sweep: Callable[..., Result]
) -> None:
    """A newer one may refer to files in ways unknown to this version."""
    make_part_with_photos()
    store(STRAY, 10, 2 * HOUR)
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'year_3000'"))

    result = sweep("--delete")

    assert result.exit_code == 1
    assert "is not the one of this version" in result.output
    assert STRAY in stored()


def test_a_deleted_parts_files_go_after_thirty_days_in_the_bin_but_for_raw_models(
    in_app: Flask, sweep: Callable[..., Result]
) -> None:
    part = make_part_with_photos("BR-1", ("front",))
    raw, _version = make_model(part)
    delete_part(part.id)
    kept = stored()
    for key in kept:
        make_older(key, 24 * HOUR)

    sweep("--delete")
    assert stored() == kept
    with transaction() as session:
        long_ago = utc_now() - timedelta(days=30, hours=2)
        session.execute(update(Part).where(Part.id == part.id).values(deleted_at=long_ago))
    sweep("--delete")

    assert stored() == {raw}
    with pytest.raises(Missing):
        restore_part(part.id)

"""The real children make a published model of true size from drawn photos of a box on the sheet."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from flask import Flask

from acr3d.captures import queue, reading, uploads
from acr3d.captures.captures import blobs_of, files_of
from acr3d.captures.report import understood
from acr3d.db.models import User
from acr3d.jobs import from_captures, queries
from acr3d.jobs.true_size import SizeState, true_size
from acr3d.parts.parts import part_by_id
from acr3d.settings import Settings
from tests.jobs.test_builtin_job import run_to_the_end
from tests.support.captures import fresh
from tests.support.factories import make_part

pytestmark = [pytest.mark.needs("spin"), pytest.mark.proof]


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    return sqlite_config


def test_photos_of_a_box_on_the_sheet_become_a_model_of_its_size(
    in_app: Flask, user: User, tmp_path: Path
) -> None:
    from tests.support import sheet_capture

    table = sheet_capture.plain_table()
    pictures = [sheet_capture.photograph(camera, table) for camera in sheet_capture.laps(24)]
    photos = [one.path.read_bytes() for one in sheet_capture.as_photos(pictures, tmp_path)]
    files = [(f"{number}.jpg", len(photo)) for number, photo in enumerate(photos)]
    capture = uploads.begin(make_part().id, 1, files, user)
    for file, photo in zip(files_of(capture.id), photos, strict=True):
        uploads.append(file.id, 0, photo)
    claimed = queue.claim()
    assert claimed is not None

    reading.read(claimed, Event())

    read = fresh(capture)
    assert (read.state, str(read.problem)) == ("ready", "None")
    found = understood(read.report)
    assert found.sheet == "A4"
    assert found.frames_kept == len(blobs_of(capture.id, "frame")) > 16
    assert found.coverage > 0.9
    assert len(read.report["best"]) == 4

    job = from_captures.start(read.part_id, [read.id], None, {}, user)
    assert run_to_the_end(in_app, job).status == "complete", str(job.error)

    [version] = queries.versions_of(read.part_id)
    size = true_size(version, part_by_id(read.part_id))
    (left, front, _floor), (right, back, top) = sheet_capture.BOX
    # So few drawn photos of half the usual size leave some millimetres; how true models are is tests/spin's.
    assert [side.model_mm for side in size.sides] == pytest.approx([right - left, top, back - front], abs=8)
    assert size.state is SizeState.MEASURED
    assert version.state == "published"

"""An import runs in a process of its own, which is stopped, dies, or is left alone."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import func, select

from acr3d.db.extensions import db
from acr3d.db.models import Import, Part
from acr3d.db.session import database_now
from acr3d.db.states import ImportState
from acr3d.imports import actions, queue
from acr3d.worker import import_process

ROWS = 400


def begun(folder: Path) -> queue.Claim:
    file = folder / "parts.csv"
    file.write_text("\n".join(["sku,name", *(f"P-{row},Part {row}" for row in range(ROWS))]))
    actions.begin(actions.copied(file), "parts.csv", None, state=ImportState.IMPORTING)
    claimed = queue.claim()
    assert claimed is not None
    return claimed


def present(claimed: queue.Claim) -> Import:
    db.session.rollback()
    return db.session.get_one(Import, claimed.import_id, populate_existing=True)


def parts() -> int | None:
    return db.session.scalar(select(func.count()).select_from(Part))


def test_a_server_that_stops_lets_others_go_on_at_once(in_app: Flask, tmp_path: Path) -> None:
    claimed, stop = begun(tmp_path), Event()
    stop.set()

    import_process.go_on(claimed, stop)

    left = present(claimed)
    assert (left.state, left.rows_done) == ("importing", parts())
    again = queue.claim()
    assert again is not None
    import_process.go_on(again, Event())
    assert (present(claimed).state, parts()) == ("done", ROWS)


def test_an_import_whose_process_dies_is_tried_again_in_a_minute(
    in_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    claimed = begun(tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")

    import_process.go_on(claimed, Event())

    due_at = present(claimed).due_at
    assert due_at is not None
    assert due_at - database_now(db.session()) < timedelta(minutes=1)
    assert f"import.process_failed import={claimed.import_id} exit=1" in caplog.text

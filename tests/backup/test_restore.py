"""`flask backup` and `flask restore`: a restored place serves the same, even if the app was in use."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import PartImage
from acr3d.db.types import utc_now
from acr3d.parts.photos import add_photos
from acr3d.storage.blobs import storage
from acr3d.storage.local import LocalStorage
from tests.support.accounts import log_in
from tests.support.backups import (
    Elsewhere,
    Furnished,
    back_up,
    flask,
    restore,
    seen,
)
from tests.support.factories import (
    make_part,
    photo,
)


@pytest.mark.parametrize("migrated", [False, True], ids=["no tables", "empty tables"])
def test_a_restored_place_serves_the_same(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path, migrated: bool
) -> None:
    before = seen(app, furnished.urls)
    assert {status for status, _data in before} == {200}
    back_up(app, target)
    other = elsewhere(migrated)

    result = restore(other, target)

    assert "2 part(s), 8 stored file(s)" in result.output
    assert "db upgrade" not in result.output
    assert seen(other, furnished.urls) == before
    assert log_in(other.test_client(), furnished.email).status_code == 302
    part = other.test_client().get(f"/api/admin/parts/{furnished.part_id}", headers=furnished.token)
    assert (part.status_code, len(part.json["images"])) == (200, 2)  # type: ignore[index]
    with other.app_context():
        assert make_part("NEW-1").sku == "NEW-1"  # and it can be worked with
        assert list(storage().incoming.iterdir()) == []


def test_anybody_can_open_a_backup(app: Flask, furnished: Furnished, target: Path, tmp_path: Path) -> None:
    back_up(app, target)

    subprocess.run(["tar", "-xf", target], cwd=tmp_path, check=True)

    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert len(manifest["files"]) == 9
    for name, said in manifest["files"].items():
        data = (tmp_path / name).read_bytes()
        assert said == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}, name
    assert (manifest["app_version"], manifest["rows"]["parts"]) == ("0.2.0", 2)
    if manifest["database"] == "sqlite":
        with closing(sqlite3.connect(tmp_path / "database.sqlite")) as copy:
            assert copy.execute("SELECT count(*) FROM parts").fetchone() == (2,)
    else:
        assert "COPY public.parts" in (tmp_path / "database.sql").read_text()
    assert oct(target.stat().st_mode & 0o777) == "0o600"


def test_no_secret_of_the_place_is_in_a_backup(app: Flask, furnished: Furnished, target: Path) -> None:
    config = app.extensions["acr3d_settings"]

    data = back_up(app, target).read_bytes()

    assert config.secret_key.encode() not in data
    assert furnished.token["Authorization"].split()[1].encode() not in data


def test_in_a_folder_a_backup_is_named_by_its_time(app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    result = flask(app, "backup", folder)

    [made] = folder.iterdir()
    assert made.name.startswith(f"acr3d-{utc_now():%Y-%m-}")
    assert str(made) in result.output


def test_an_older_backup_is_brought_up_by_the_upgrade(app: Flask, elsewhere: Elsewhere, target: Path) -> None:
    with app.app_context():
        make_part()
        db.session.remove()
        flask_migrate.downgrade(revision="old_parts")
    back_up(app, target)
    other = elsewhere()

    result = restore(other, target)

    assert "Run “flask --app wsgi db upgrade” now" in result.output
    with other.app_context():
        flask_migrate.upgrade()
    assert "Bracket BR-100" in other.test_client().get("/").text


def test_uploads_during_the_backup_leave_it_consistent(
    app: Flask, elsewhere: Elsewhere, target: Path
) -> None:
    picture, begun, enough = photo(), threading.Event(), threading.Event()
    made: list[str] = []

    def upload() -> None:
        with app.app_context():
            while not enough.is_set():
                made.append(make_part_with(picture, f"UP-{len(made)}"))
                begun.set()
            db.session.remove()

    uploading = threading.Thread(target=upload)
    uploading.start()
    try:
        assert begun.wait(30)
        back_up(app, target)
    finally:
        enough.set()
        uploading.join()

    other = elsewhere()
    restore(other, target)

    with other.app_context():
        images = db.session.scalars(select(PartImage)).all()
        assert 1 <= len(images) <= len(made)
        for image in images:
            stored = storage().path(image.storage_path or "").read_bytes()
            assert hashlib.sha256(stored).hexdigest() == image.sha256


def make_part_with(picture: Any, sku: str) -> str:
    part = make_part(sku)
    add_photos(part.id, [picture])
    return part.id


def test_a_photo_that_comes_after_the_database_was_copied_is_not_half_there(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = LocalStorage.keys

    def one_more(self: LocalStorage) -> Iterator[str]:
        make_part_with(photo(), "LATE-1")
        return listing(self)

    monkeypatch.setattr(LocalStorage, "keys", one_more)
    back_up(app, target)
    monkeypatch.undo()
    other = elsewhere()
    restore(other, target)

    catalogue = other.test_client().get("/").text
    assert "BR-100" in catalogue
    assert "LATE-1" not in catalogue
    assert "LATE-1" in app.test_client().get("/").text

"""`flask backup` and `flask restore`: what was there is there again elsewhere, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import inspect, select, text, update

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Base, Job, ModelVersion, Part, PartImage
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import queries, service
from acr3d.parts.photos import add_photos, images_of
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from acr3d.storage.index import REFERRING, media_url
from acr3d.storage.local import LocalStorage
from acr3d.worker.loop import JobPoller
from tests.support.accounts import bearer, log_in, make_account
from tests.support.contract.checker import Contract
from tests.support.contract.server import prepared_server
from tests.support.databases import BOTH
from tests.support.factories import (
    box_glb,
    by_angle,
    finished_job,
    make_part,
    make_part_with_photos,
    make_user,
    photo,
)
from tests.support.site import ROOT

SQLITE_ONLY = pytest.mark.parametrize("config", ["sqlite"], indirect=True)
POSTGRES_ONLY = pytest.mark.parametrize("config", BOTH[1:], indirect=True)


@dataclass(frozen=True)
class Furnished:
    """A place with a published part and its model, and somebody who may log in."""

    part_id: str
    urls: list[str]
    email: str
    token: dict[str, str]


@pytest.fixture
def furnished(app: Flask) -> Furnished:
    email, token = make_account(app), bearer(app)
    with app.app_context():
        part = make_part_with_photos(angles=("front", "right"))
        make_part("HIDDEN-1", is_published=False)
        raw, model = f"parts/{part.id}/raw/a-task.glb", f"parts/{part.id}/models/a-model.glb"
        for key in (raw, model):
            storage().put(key, box_glb())
        job = finished_job(part.id, raw_storage_path=raw)
        with transaction() as session:
            session.add(job)
            session.flush()
            session.add(published(job, model))
            session.execute(update(Part).where(Part.id == part.id).values(model_3d_url=media_url(model)))
        files = [url for image in images_of(part.id) for url in (image.image_url, thumbnail(image))]
    return Furnished(part.id, ["/", "/parts/BR-100", media_url(model), *files], email, token)


def published(job: Job, key: str) -> ModelVersion:
    return ModelVersion(
        part_id=job.part_id,
        job_id=job.id,
        number=1,
        state="published",
        storage_path=key,
        sha256=hashlib.sha256(box_glb()).hexdigest(),
        file_size_bytes=len(box_glb()),
        report={},
    )


def thumbnail(image: PartImage) -> str:
    return media_url(image.thumbnail_path or "")


Elsewhere = Callable[..., Flask]


@pytest.fixture
def elsewhere(
    config: Settings, make_app: Callable[..., Flask], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Elsewhere]:
    """Makes an app in an empty place with a database of the same kind, which has tables when `migrated`."""
    made: list[str] = []

    def make(migrated: bool = False, **changes: object) -> Flask:
        name = f"elsewhere_{uuid.uuid4().hex[:12]}"
        environ = {"ACR3D_INSTANCE": str(tmp_path / name)}
        if not config.database_url.startswith("sqlite"):
            server = request.getfixturevalue("postgres")
            server.create(name)
            made.append(name)
            environ["DATABASE_URL"] = server.url(name)
        app = make_app(**vars(settings.from_environment(environ)) | changes)
        if migrated:
            with app.app_context():
                flask_migrate.upgrade()
        return app

    yield make
    for name in made:
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"


def flask(app: Flask, *words: object) -> Result:
    result = app.test_cli_runner().invoke(args=[str(word) for word in words])
    assert isinstance(result.exception, SystemExit | None), result.exception  # no traceback for anybody
    return result


def back_up(app: Flask, target: Path) -> Path:
    result = flask(app, "backup", target)
    assert result.exit_code == 0, result.output
    return target


def restore(app: Flask, target: Path) -> Result:
    result = flask(app, "restore", target)
    assert result.exit_code == 0, result.output
    return result


def seen(app: Flask, urls: list[str]) -> list[tuple[int, bytes]]:
    """What a customer gets at these addresses."""
    client = app.test_client()
    answers = [client.get(url, buffered=True) for url in urls]
    return [(answer.status_code, answer.data) for answer in answers]


def everything_in(app: Flask) -> dict[str, object]:
    """All that a restore could change: each table's rows, each stored file, and what is left lying about."""
    with app.app_context():
        with db.engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            found: dict[str, object] = {
                name: sorted(map(str, connection.execute(text(f"SELECT * FROM {name}")))) for name in tables
            }
        found |= {key: storage().path(key).read_bytes() for key in sorted(storage().keys())}
        found["incoming"] = list(storage().incoming.iterdir())
    return found


def is_refused(app: Flask, target: Path, sentence: str) -> None:
    """The restore says `sentence` and changes nothing."""
    before = everything_in(app)

    result = flask(app, "restore", target)

    assert result.exit_code == 1, result.output
    assert sentence in result.output
    assert everything_in(app) == before


def rewritten(target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A backup with other contents; the manifest stays as `change` leaves it."""
    with tarfile.open(target) as tar:
        files = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}
    change(files)
    other = target.with_name("rewritten.tar")
    with tarfile.open(other, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return other


def redescribed(files: dict[str, bytes], **changes: object) -> None:
    """Let the manifest say what the files now are, and `changes`."""
    described = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
        if name != "manifest.json"
    }
    manifest = json.loads(files["manifest.json"]) | {"files": described} | changes
    files["manifest.json"] = json.dumps(manifest).encode()


def manifest_of(target: Path) -> Any:
    with tarfile.open(target) as tar:
        file = tar.extractfile("manifest.json")
        assert file
        return json.loads(file.read())


# --- there and back ---


@pytest.mark.parametrize("migrated", [False, True], ids=["no tables", "empty tables"])
def test_a_restored_place_serves_the_same(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path, migrated: bool
) -> None:
    before = seen(app, furnished.urls)
    assert {status for status, _data in before} == {200}
    back_up(app, target)
    other = elsewhere(migrated)

    result = restore(other, target)

    assert "2 part(s), 6 stored file(s)" in result.output
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
    assert len(manifest["files"]) == 7
    for name, said in manifest["files"].items():
        data = (tmp_path / name).read_bytes()
        assert said == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}, name
    assert (manifest["app_version"], manifest["rows"]["parts"]) == ("0.1.0", 2)
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

    assert "run “flask --app wsgi db upgrade” now" in result.output
    with other.app_context():
        flask_migrate.upgrade()
    assert "Bracket BR-100" in other.test_client().get("/").text


# --- while the app writes ---


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


# --- what is lost is said ---


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


# --- a backup is whole or none ---


def test_a_backup_that_was_cut_off_is_never_taken_for_whole(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    whole = back_up(app, target).read_bytes()
    other = elsewhere(migrated=True)
    end = whole.rindex(b"]\n}")  # of the manifest, which is the last thing in the file

    for length in (0, 100, 512, 1024, len(whole) // 2, end - 600, end - 1, end):
        target.write_bytes(whole[:length])
        is_refused(other, target, "The backup is not whole")

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
        (change, "is not what was backed up"),
        (remove, "is either missing or does not belong into it"),
        (add, "is either missing or does not belong into it"),
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
    assert "The backup is not whole" in flask(app, "restore", left / "partial.tar").output
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
    assert "no backup was made" in result.output
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


# --- only into an empty place ---


def test_a_place_in_use_is_left_alone(app: Flask, elsewhere: Elsewhere, target: Path) -> None:
    back_up(app, target)
    in_use, with_a_file, anothers = elsewhere(migrated=True), elsewhere(), elsewhere()
    with in_use.app_context():
        make_part()
    with with_a_file.app_context():
        storage().put("parts/0a1b/raw/4e.glb", b"somebody's")
    with anothers.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER)"))

    is_refused(in_use, target, "its table “parts” has 1 row(s)")
    is_refused(with_a_file, target, "is not empty: it holds parts/0a1b/raw/4e.glb")
    is_refused(anothers, target, "a table “orders” that is not acr3d's")


def test_a_backup_that_does_not_fit_is_refused(app: Flask, elsewhere: Elsewhere, target: Path) -> None:
    back_up(app, target)
    other = elsewhere()

    def described(**changes: object) -> Path:
        return rewritten(target, lambda files: redescribed(files, **changes))

    is_refused(other, described(revision="year_3000"), "this version does not know (revision year_3000)")
    is_refused(other, described(database="oracle"), "This is a backup of a oracle database")
    is_refused(other, described(format=2), "made by a newer acr3d")
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
        "cannot be put back" if "sqlite" in str(app.config["SQLALCHEMY_DATABASE_URI"]) else "psql failed"
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


# --- nothing is paid for twice ---


def test_what_waited_to_be_sent_is_not_sent_by_a_restored_place(
    make_app: Callable[..., Flask], elsewhere: Elsewhere, target: Path
) -> None:
    with prepared_server(Contract([])) as meshy:
        account = {"meshy_api_key": "msy_test_0123456789", "meshy_api_base": meshy.base}
        app = make_app(**account)
        with app.app_context():
            user = make_user()
            fresh, sent = (start("meshy", sku, user) for sku in ("FRESH-1", "SENT-1"))
            attempt = Attempt(
                job_id=sent,
                account=meshy_account(sent),
                state="unknown",
                params_sha256="0" * 64,
                sent_at=utc_now(),
            )
            with transaction() as session:
                session.add(attempt)
        back_up(app, target)
        other = elsewhere(**account)

        result = restore(other, target)

        with other.app_context():
            JobPoller(other).run_once()
            for job_id in (fresh, sent):
                job = queries.job_by_id(job_id)
                part = db.session.get_one(Part, job.part_id)
                assert job.status == part.model_status == "failed"
                assert "may have been ordered since" in (job.error_message or "")
                assert part.model_generation_error == job.error_message
                assert queries.events_of(job_id)[-1].actor == "restore"
                assert service.retry_pays(job)
            assert queries.attempts_of(sent)[0].state == "refused"
        assert meshy.requests == []
    assert "2 job(s) may have been sent since" in result.output


def start(engine: str, sku: str, user: Any) -> str:
    part = make_part_with_photos(sku)
    return service.start(part.id, by_angle(part), engine, {}, user).id


def meshy_account(job_id: str) -> str:
    return queries.job_by_id(job_id).account


def test_what_the_engine_has_is_followed_and_the_builtin_engines_work_is_not(
    app: Flask, elsewhere: Elsewhere, target: Path
) -> None:
    with app.app_context():
        user = make_user()
        ours, theirs = start("builtin", "OURS-1", user), start("builtin", "THEIRS-1", user)
        with transaction() as session:
            at_engine = {"status": "processing", "next_step": "poll", "meshy_task_id": "a-task"}
            session.execute(update(Job).values(lease_owner="x", **at_engine))
            session.execute(update(Job).where(Job.id == theirs).values(engine="meshy"))
    back_up(app, target)
    other = elsewhere()

    restore(other, target)

    with other.app_context():
        assert queries.job_by_id(ours).status == "failed"
        assert "it costs nothing" in (queries.job_by_id(ours).error_message or "")
        followed = queries.job_by_id(theirs)
        assert (followed.status, followed.meshy_task_id) == ("processing", "a-task")
        assert followed.lease_owner is None
        [told] = queries.events_of(theirs)
        assert told.actor == "anna@example.com"

"""Pages, the API and htmx while the database is away, or takes nothing more."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from acr3d.db import outage
from acr3d.db.extensions import db
from acr3d.settings import Settings
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller
from tests.support.accounts import bearer, browser, csrf_header, csrf_token, log_in, make_account
from tests.support.databases import BOTH, ON_BOTH
from tests.support.factories import make_part_with_photos, picture

AWAY, RETRY = "The database is not responding", {"Retry-After": "10"}
FULL = "disk is full, so nothing was changed"


@pytest.fixture(autouse=True)
def fresh_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "_line", outage._OneLineAMinute())


@pytest.fixture
def part(app: Flask) -> tuple[str, str]:
    """The id and the SKU of a part with photos."""
    with app.app_context():
        made = make_part_with_photos()
        return made.id, made.sku


def stop_taking_writes(app: Flask) -> None:
    """Every write fails from now on, as on a full disk; reading works."""
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
        statement = "PRAGMA query_only = ON" if is_sqlite else "SET default_transaction_read_only = on"

        def refuse_writes(connection: Any, _record: object) -> None:
            connection.cursor().execute(statement)
            if not is_sqlite:
                connection.commit()

        event.listen(db.engine, "connect", refuse_writes)
        db.engine.dispose()


@ON_BOTH
def test_people_log_in_and_read_on_a_full_disk(app: Flask, part: tuple[str, str]) -> None:
    address, program = make_account(app), bearer(app)
    stop_taking_writes(app)
    client = app.test_client()

    assert log_in(client, address).status_code == 302

    part_id, sku = part
    for page in (
        "/",
        f"/parts/{sku}",
        "/admin/",
        f"/admin/parts/{part_id}",
        "/admin/jobs",
        "/account/password",
    ):
        assert client.get(page).status_code == 200, page
    answer = app.test_client().get(f"/api/admin/parts/{part_id}", headers=program)
    assert (answer.status_code, answer.json["sku"]) == (200, sku)  # type: ignore[index]


@ON_BOTH
def test_a_change_on_a_full_disk_says_why_it_was_not_made(
    app: Flask, part: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    admin = browser(app)
    headers = csrf_header(admin)
    with app.app_context():
        before = sorted(storage().keys())
    stop_taking_writes(app)

    form = {"partId": part[0], "image0": (io.BytesIO(picture()), "a.jpg")}
    answers = [
        admin.post("/api/admin/parts", json={"sku": "NEW", "name": "New"}, headers=headers),
        admin.post("/api/admin/3d-models/upload-images", data=form, headers=headers),
    ]

    for answer in answers:
        assert (answer.status_code, FULL in answer.json["error"]) == (503, True)  # type: ignore[index]
    with app.app_context():
        assert sorted(storage().keys()) == before
    assert [record.exc_info for record in caplog.records if record.levelno >= logging.ERROR] == [None]


@pytest.fixture
def away(request: pytest.FixtureRequest, app: Flask, admin: FlaskClient, config: Settings) -> Iterator[None]:
    """The database goes away after an admin has logged in; a real server is stopped for it."""
    if not config.database_url.startswith("sqlite"):
        server = request.getfixturevalue("postgres")
        server.stop()
        yield
        server.start()
        return
    file = config.instance / "acr3d.sqlite"
    with app.app_context():
        db.engine.dispose()
    kept = file.rename(file.with_suffix(".kept"))
    file.mkdir()
    yield
    file.rmdir()
    kept.rename(file)


@ON_BOTH
@pytest.mark.usefixtures("away")
def test_a_page_without_its_database_tries_again_by_itself(app: Flask, admin: FlaskClient) -> None:
    for client in (app.test_client(), admin):
        for address in ("/", "/parts/BR-100", "/admin/"):
            page = client.get(address)
            if client is not admin and address == "/admin/":
                assert page.status_code == 302  # to the login, without asking the database
                continue
            assert (page.status_code, page.mimetype) == (503, "text/html"), address
            assert '<meta http-equiv="refresh" content="10">' in page.text
            assert AWAY in page.text
            assert (page.headers["Retry-After"], page.headers["Cache-Control"]) == ("10", "no-store")
    german = app.test_client().get("/", headers={"Accept-Language": "de"}).text
    assert "Die Datenbank antwortet nicht" in german
    assert app.test_client().get("/livez").status_code == 200
    assert app.test_client().get("/healthz").status_code == 503


@ON_BOTH
@pytest.mark.usefixtures("away")
def test_programs_and_fragments_are_told_when_to_come_back(app: Flask, admin: FlaskClient) -> None:
    program = {"Authorization": "Bearer acr3d_" + "x" * 43}
    part = "/api/admin/parts/00000000-0000-4000-8000-000000000000"
    api = [
        app.test_client().get(part, headers=program),
        app.test_client().post("/api/admin/parts", json={"sku": "A", "name": "A"}, headers=program),
        app.test_client().get("/api/parts/BR-100"),
    ]
    fragment = admin.get("/admin/jobs/live", headers={"HX-Request": "true"})

    for answer in api:
        assert (answer.status_code, AWAY in answer.json["error"]) == (503, True)  # type: ignore[index]
        assert RETRY.items() <= dict(answer.headers).items()
    assert (fragment.status_code, fragment.mimetype, AWAY in fragment.text) == (503, "text/plain", True)
    assert fragment.headers["Retry-After"] == "10"


@ON_BOTH
def test_a_form_that_was_sent_is_not_sent_again_by_itself(
    app: Flask, admin: FlaskClient, request: pytest.FixtureRequest
) -> None:
    visitor = app.test_client()
    form = {"email": "admin@example.com", "password": "x" * 12, "csrf_token": csrf_token(visitor)}
    request.getfixturevalue("away")

    answer = visitor.post("/login", data=form)

    assert (answer.status_code, AWAY in answer.text, "refresh" in answer.text) == (503, True, False)


@ON_BOTH
@pytest.mark.usefixtures("away")
def test_the_log_says_so_once_for_all_pages_and_passes(
    app: Flask, admin: FlaskClient, config: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    (config.instance / "pollers").mkdir()
    (config.instance / "pollers" / "a-dead-one").touch()
    poller = JobPoller(app)
    poller.start()
    for _ in range(5):
        admin.get("/")
        admin.get("/admin/")
        app.test_client().get("/healthz")
        poller._guarded_pass()
        poller._threads.start("download", lambda _stop: db.session.connection() and None)
        poller._threads.join()
    poller.stop()

    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in said] == ["acr3d.db"], caplog.text
    assert said[0].getMessage().startswith("database.away")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("config", BOTH[1:], indirect=True)
def test_the_site_comes_back_with_its_database(app: Flask, admin: FlaskClient, postgres: Any) -> None:
    assert admin.get("/admin/").status_code == 200
    postgres.stop()
    try:
        assert admin.get("/admin/").status_code == 503
    finally:
        postgres.start()

    assert admin.get("/admin/").status_code == 200

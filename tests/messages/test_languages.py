"""One job's history, waiting line and error are in the language of whoever reads them."""

from __future__ import annotations

import html
import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import update

from acr3d.db.models import EngineAccount, Job, User
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.engine_server.tasks import task_error
from acr3d.jobs import queries, service, transitions
from acr3d.messages.message import Message
from acr3d.messages.wording import worded
from acr3d.web.templating import LANGUAGES
from tests.support.accounts import browser, csrf_header
from tests.support.at_meshy import KEY, created, step, task
from tests.support.contract.server import Answer, PreparedServer, answer
from tests.support.factories import by_angle, make_part_with_photos, make_user

pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


@pytest.fixture
def app(make_app: Callable[..., Flask], meshy: PreparedServer) -> Flask:
    """Without a context around the test: the reader's language is kept in it."""
    return make_app(meshy_api_key=KEY, meshy_api_base=meshy.base)


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return browser(app)


def start_job(app: Flask) -> str:
    with app.app_context():
        part = make_part_with_photos()
        return service.start(part.id, by_angle(part), "meshy", {}, make_user("maker@example.com")).id


def take_steps(app: Flask, meshy: PreparedServer, job_id: str, *answers: Answer, times: int) -> None:
    meshy.answers += answers
    with app.app_context():
        with transaction() as session:
            session.execute(update(EngineAccount).values(probe_at=utc_now()))
        step(app, queries.job_by_id(job_id), times)


def check_the_page_speaks(app: Flask, admin: FlaskClient, job_id: str) -> str:
    """The job's messages are on its part's page in the reader's language, and in no other. Its last code."""
    with app.app_context():
        job = queries.job_by_id(job_id)
        waiting = job.waiting if job.is_live else None
        messages = [*(event.message for event in queries.events_of(job_id)), waiting, job.error]
        told = [in_each_language(message) for message in messages if message is not None]
        part_id, last_code = job.part_id, job.error_code or job.waiting_code or ""
    for language in LANGUAGES:
        text = page(admin, part_id, language)
        for words in told:
            assert len(set(words.values())) == len(LANGUAGES), words
            assert [one for one in LANGUAGES if words[one] in text] == [language], words
    return last_code


def in_each_language(message: Message) -> dict[str, str]:
    words = {}
    for language in LANGUAGES:
        with force_locale(language):
            words[language] = worded(message)
    return words


def page(client: FlaskClient, part_id: str, language: str) -> str:
    answer = client.get(f"/admin/parts/{part_id}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_a_job_that_waits_fails_and_is_retried_speaks_the_readers_language(
    app: Flask, admin: FlaskClient, meshy: PreparedServer
) -> None:
    job_id = start_job(app)
    take_steps(app, meshy, job_id, answer(402, {"message": "Insufficient funds"}), times=1)
    assert check_the_page_speaks(app, admin, job_id) == "breaker.credits"

    took_it = (answer(200, {"balance": 1000}), created(), answer(503, {"message": "Down"}))
    take_steps(app, meshy, job_id, *took_it, times=2)
    assert check_the_page_speaks(app, admin, job_id) == "engine.unanswered"

    take_steps(
        app, meshy, job_id, answer(200, task("FAILED", progress=0, task_error={"message": ""})), times=1
    )
    assert check_the_page_speaks(app, admin, job_id) == "job.task_failed"

    with app.app_context():
        job = service.retry(job_id, user_named("maker@example.com"), pay=True)
        part_id = job.part_id
    assert check_the_page_speaks(app, admin, job_id) == ""
    assert admin.get(f"/api/admin/parts/{part_id}/status").json["error"] is None


def user_named(email: str) -> User:
    with transaction() as session:
        return session.query(User).filter_by(email=email).one()


def test_a_failure_is_told_by_the_api_in_the_readers_language(app: Flask, admin: FlaskClient) -> None:
    job_id = start_job(app)
    with app.app_context(), transaction() as session:
        job, part = queries.locked_job(session, job_id)
        transitions.transition(session, job, part, Status.FAILED, "poller", Message("job.task_lost"))
        part_id = part.id

    def told(path: str, name: str, **headers: str) -> str:
        found = admin.get(path, headers=headers).json
        return str((found["jobs"][0] if name == "error_message" else found)[name])

    part_path = f"/api/admin/parts/{part_id}"
    german, spanish = {"Accept-Language": "de"}, {"Accept-Language": "es-MX"}
    for path, name in (
        (f"{part_path}/status", "error"),
        (part_path, "model_generation_error"),
        (part_path, "error_message"),
    ):
        assert told(path, name).startswith("The engine no longer knows this task")
        assert told(path, name, **german).startswith("Die Engine kennt diesen Auftrag nicht mehr")
        assert told(path, name, **spanish).startswith("El generador ya no conoce esta tarea")


def test_rows_of_an_earlier_version_are_shown_as_they_were_written(app: Flask, admin: FlaskClient) -> None:
    job_id = start_job(app)
    with app.app_context(), transaction() as session:
        job, part = queries.locked_job(session, job_id)
        transitions.transition(session, job, part, Status.FAILED, "poller", Message("job.task_lost"))
        part_id = part.id
        session.flush()
        session.execute(update(Job).values(error_message="It was too dark.", error_code=None))

    assert "It was too dark." in page(admin, part_id, "de")


def test_an_upload_is_refused_in_the_readers_language(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part_id = make_part_with_photos().id
    photo = {"partId": part_id, "image0": (io.BytesIO(b"not a photo"), "a.jpg")}
    german = csrf_header(admin) | {"Accept-Language": "de"}

    refused = admin.post("/api/admin/3d-models/upload-images", data=photo, headers=german)

    assert refused.status_code == 400
    assert refused.json["error"].startswith(
        "Das ist kein Bild im Format JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP oder GIF"
    )


def test_an_option_is_refused_in_the_readers_language(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos()
        asked = {"partId": part.id, "selectedAngles": by_angle(part), "engine": "meshy"}
    german = csrf_header(admin) | {"Accept-Language": "de"}

    refused = admin.post(
        "/api/admin/3d-models/generate", json=asked | {"config": {"target_polycount": 5}}, headers=german
    )

    assert refused.json == {"error": "Die Zahl der Dreiecke muss zwischen 100 und 300000 liegen."}


def test_the_built_in_engines_refusal_speaks_the_readers_language(
    app: Flask, admin: FlaskClient, meshy: PreparedServer
) -> None:
    job_id = start_job(app)
    reason = Message("carving.no_object", angle=Message("angle.front"))
    failed = task("FAILED", task_error=task_error("invalid_input", reason))

    take_steps(app, meshy, job_id, created(), answer(200, failed), times=2)

    with app.app_context():
        part_id = queries.job_by_id(job_id).part_id
    assert "No part was found in the front photo" in page(admin, part_id, "en")
    assert "Im Foto von vorne wurde kein Teil gefunden" in page(admin, part_id, "de")
    assert "No se encontró ninguna pieza en la foto frontal" in page(admin, part_id, "es")

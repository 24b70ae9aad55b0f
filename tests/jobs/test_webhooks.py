"""What Meshy, and strangers, can do at the address that Meshy calls: have a job looked at sooner, no more."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import event, select, update
from werkzeug.test import TestResponse

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.models import Attempt, Job
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.jobs import service
from acr3d.jobs.webhook_hints import MOST_WAITING
from acr3d.messages.message import Message
from acr3d.orders.attempts import attempt_in_flight, mark_accepted
from tests.support.factories import by_angle, make_part_with_photos, make_user
from tests.support.woken import Woken

PATH = "p" * 20
SECRET = "the secret that Meshy showed"
TASK_ID = "01999999-aaaa-7bbb-8ccc-dddddddddddd"
LATER = timedelta(minutes=10)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    changes = {"meshy_api_key": "msy_key", "meshy_api_base": "http://127.0.0.1:1", "webhook_path": PATH}
    return make_app(webhook_secret=SECRET, **changes)


@pytest.fixture
def job(app: Flask) -> Job:
    """A job that Meshy works on, and that is looked at again in ten minutes."""
    with app.app_context():
        part = make_part_with_photos()
        job = service.start(part.id, by_angle(part), "meshy", {}, make_user())
        with transaction() as session:
            session.add(Attempt(job_id=job.id, account=job.account, params_sha256="0" * 64))
        attempt = attempt_in_flight(job.id)
        assert attempt is not None
        mark_accepted(attempt.id, TASK_ID, Message("order.accepted"))
        with transaction() as session:
            kept = session.get_one(Job, job.id)
            kept.next_at = utc_now() + LATER
            session.flush()
            session.refresh(kept)
            session.expunge(kept)
        return kept


RIGHT = {"x-meshy-api-webhook-secret-key": SECRET}


def post(client: FlaskClient, body: bytes, path: str = PATH, headers: dict[str, str] = RIGHT) -> TestResponse:
    return client.post(f"/webhooks/meshy/{path}", data=body, headers=headers, content_type="application/json")


def tell(
    client: FlaskClient, body: object = None, *, path: str = PATH, secret: str | None = SECRET
) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body or {"id": TASK_ID}).encode()
    headers = {"x-meshy-api-webhook-secret-key": secret} if secret is not None else {}
    answer = client.post(
        f"/webhooks/meshy/{path}", data=data, headers=headers, content_type="application/json"
    )
    client.application.extensions["acr3d_hints"].settle()
    return answer


def due_at(app: Flask) -> datetime:
    with app.app_context():
        return db.session.scalars(select(Job.next_at)).one()


@pytest.fixture
def poller(app: Flask) -> Woken:
    app.extensions["acr3d_poller"] = Woken()
    woken: Woken = app.extensions["acr3d_poller"]
    return woken


@pytest.mark.parametrize(
    "body", [{"id": TASK_ID, "status": "SUCCEEDED", "progress": 100}, {"data": {"id": TASK_ID}}]
)
def test_a_hint_makes_the_job_due_and_changes_nothing_else(
    app: Flask, client: FlaskClient, job: Job, poller: Woken, body: dict[str, object]
) -> None:
    assert tell(client, body).status_code == 200

    assert due_at(app) <= utc_now()
    assert poller.times == 1
    with app.app_context():
        now = db.session.get_one(Job, job.id)
        for column in set(Job.__table__.columns.keys()) - {"next_at"}:
            assert getattr(now, column) == getattr(job, column), column


def test_other_bodies_are_taken_and_change_nothing(
    app: Flask, client: FlaskClient, job: Job, poller: Woken
) -> None:
    strange = [
        *(b"", b"{", b"null", b"[]", b'"text"', b"[" * 60_000, b"\xff\xfe"),
        *(b'{"id": 5}', b'{"id": ""}', b'{"id": "a\\u0000b"}', b'{"data": {"data": {"id": "deep"}}}'),
        json.dumps({"id": "x" * 201}).encode(),
        json.dumps({"id": TASK_ID, "padding": "x" * 100_000}).encode(),
        json.dumps({"id": "a stranger's task"}).encode(),
    ]
    for body in strange:
        assert post(client, body).status_code == 200, body[:50]
    app.extensions["acr3d_hints"].settle()

    assert due_at(app) == job.next_at
    assert poller.times == 0


def test_with_a_wrong_secret_or_path_there_is_nothing_here(app: Flask, client: FlaskClient, job: Job) -> None:
    nowhere = client.post("/webhooks/nobody")
    wrong = [tell(client, secret=secret) for secret in (None, "", "wrong", SECRET[:-1], "geheim \xe4")]
    for path in ("wrong", PATH[:-1], f"{PATH}/", f"{PATH}x", "%00", "%ff%fe", "a/b"):
        wrong.append(tell(client, path=path))

    assert nowhere.status_code == 404
    for answer in wrong:
        assert (answer.status_code, answer.data) == (404, nowhere.data)
    assert due_at(app) == job.next_at


def test_without_a_configured_secret_the_path_alone_decides(
    make_app: Callable[..., Flask], client: FlaskClient
) -> None:
    open_one = make_app(webhook_path=PATH).test_client()

    assert tell(open_one, secret=None).status_code == 200
    assert tell(open_one, secret=None, path="wrong").status_code == 404


def test_a_flood_waits_in_bounds_for_one_round_and_asks_the_database_nothing_itself(
    app: Flask, client: FlaskClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []
    go_on = threading.Event()

    def slow_database(task_ids: set[str]) -> None:
        go_on.wait(60)
        rounds.append(len(task_ids))

    monkeypatch.setattr("acr3d.jobs.webhook_hints.poll_soon", slow_database)
    statements: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    for number in range(1200):
        assert post(client, json.dumps({"id": f"task {number}"}).encode()).status_code == 200
    go_on.set()
    app.extensions["acr3d_hints"].settle()

    assert statements == []
    assert len(rounds) == 2
    assert sum(rounds) <= 2 * MOST_WAITING


def test_a_repeat_is_one_question_and_no_change(
    app: Flask, client: FlaskClient, job: Job, poller: Woken
) -> None:
    tell(client)
    due = due_at(app)

    tell(client)

    assert (due_at(app), poller.times) == (due, 1)


def test_a_hint_hurries_no_job_that_waits_after_our_own_failure(
    app: Flask, client: FlaskClient, job: Job, poller: Woken
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Job).values(retry_count=1))

    tell(client)

    assert (due_at(app), poller.times) == (job.next_at, 0)


def test_a_job_that_has_ended_is_left_alone(app: Flask, client: FlaskClient, job: Job, poller: Woken) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Job).values(status="failed", next_step="none"))

    tell(client)

    assert (due_at(app), poller.times) == (job.next_at, 0)


def test_the_path_is_in_no_log_also_when_the_database_is_away(
    app: Flask,
    client: FlaskClient,
    job: Job,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)

    def away(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr("acr3d.jobs.webhook_hints.poll_soon", away)
    answers = [tell(client), tell(client, secret="wrong"), client.get(f"/webhooks/meshy/{PATH}")]

    assert [answer.status_code for answer in answers] == [200, 404, 405]
    assert "job.hint_lost" in caplog.text
    for secret in (PATH, SECRET):
        assert secret not in caplog.text
        assert secret not in repr(app.extensions["acr3d_settings"])
        for answer in answers:
            assert secret not in answer.text


def test_the_address_is_made_once_and_printed_for_whoever_runs_the_host(
    make_app: Callable[..., Flask], runner: FlaskCliRunner, app: Flask
) -> None:
    config = app.extensions["acr3d_settings"]
    local = runner.invoke(args=["webhook", "url"])
    public = make_app(public_url="https://parts.example.com", webhook_path=PATH, webhook_secret=SECRET)
    printed = public.test_cli_runner().invoke(args=["webhook", "url"])

    assert "HTTPS" in local.stderr
    assert printed.stderr == ""
    assert printed.stdout == f"https://parts.example.com/webhooks/meshy/{PATH}\n"
    environ = {"ACR3D_INSTANCE": str(config.instance)}
    made, again = settings.from_environment(environ), settings.from_environment(environ)
    assert made.webhook_path == again.webhook_path
    assert len(made.webhook_path) >= 32
    with pytest.raises(settings.SettingsError, match="ACR3D_WEBHOOK_PATH"):
        settings.from_environment(environ | {"ACR3D_WEBHOOK_PATH": "short"})


def test_a_body_that_never_ends_costs_its_first_bytes_only(app: Flask, client: FlaskClient) -> None:
    class Endless(io.RawIOBase):
        read_so_far = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            self.read_so_far += len(buffer)
            return len(buffer)

    endless = Endless()
    environ = {"wsgi.input": endless, "wsgi.input_terminated": True}
    answer = client.post(
        f"/webhooks/meshy/{PATH}",
        headers={"x-meshy-api-webhook-secret-key": SECRET, "Transfer-Encoding": "chunked"},
        environ_overrides=environ,
    )

    assert answer.status_code == 200
    assert endless.read_so_far < 1_000_000

"""What supervisors and load balancers ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from acr3d.db.extensions import db
from acr3d.db.models import Poller
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.engines.rate_limit import POLLERS_PER_SECOND
from acr3d.photo_checks import queue
from acr3d.worker.loop import JobPoller
from tests.support.accounts import bearer, browser
from tests.support.at_meshy import requests_per_second
from tests.support.databases import ON_BOTH

pytestmark = ON_BOTH


def note_pass(app: Flask, seconds_ago: float) -> None:
    at = utc_now() - timedelta(seconds=seconds_ago)
    with app.app_context(), transaction() as session:
        one = Poller(id=f"poller-{seconds_ago}", host="here", pid=1, seen_at=at, last_pass_at=at)
        session.add(one)


def health(client: FlaskClient) -> tuple[int, str]:
    answer = client.get("/healthz")
    assert answer.json is not None
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json["message"]


def test_the_process_is_alive_whatever_else_is_broken(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("DROP TABLE pollers"))

    answer = client.get("/livez")

    assert (answer.status_code, answer.json) == (200, {"status": "ok", "message": "The server is running."})


def test_healthy_while_a_poller_has_run_lately(app: Flask, client: FlaskClient) -> None:
    assert health(client) == (503, "The job service has not run yet, so jobs are waiting.")

    note_pass(app, seconds_ago=100)
    status, message = health(client)
    assert status == 503
    assert "has not run for more than 90 seconds" in message

    note_pass(app, seconds_ago=80)
    assert health(client)[0] == 200


@pytest.mark.parametrize("poller", ["web", "worker"])
def test_unhealthy_while_every_pass_breaks_from_the_first_one_on(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, poller: str
) -> None:
    app = make_app(poller=poller)
    client, running = app.test_client(), JobPoller(app)
    with monkeypatch.context() as patch:
        patch.setattr(queue, "claim", break_off)
        running._guarded_pass()
        running._guarded_pass()
    status, message = health(client)
    assert (status, "See the server log" in message) == (503, True)

    running._guarded_pass()

    assert health(client)[0] == 200


def test_unhealthy_once_all_passes_break_though_they_came_through_before(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_pass(app, seconds_ago=100)
    monkeypatch.setattr(queue, "claim", break_off)

    JobPoller(app)._guarded_pass()

    status, message = health(client)
    assert (status, "See the server log" in message) == (503, True)


def test_a_poller_whose_passes_break_has_its_share_of_the_rate(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(meshy_api_key="msy_test")
    monkeypatch.setattr(queue, "claim", break_off)

    for _poller in range(3):
        JobPoller(app)._guarded_pass()

    assert requests_per_second(app) == POLLERS_PER_SECOND / 3


def break_off() -> None:
    raise RuntimeError("this part of the pass breaks")


@pytest.mark.parametrize(
    ("workers", "command"), [("inline", "flask jobs work"), ("procrastinate", "flask worker")]
)
def test_where_the_poller_is_a_process_of_its_own_its_absence_says_how_to_start_it(
    make_app: Callable[..., Flask], workers: str, command: str
) -> None:
    client = make_app(poller="worker", workers=workers).test_client()

    assert health(client) == (
        503,
        f"No job service is running, so jobs are waiting. Start it with “{command}”.",
    )


def test_a_single_pass_counts_as_a_sign_of_life_for_a_while(app: Flask, client: FlaskClient) -> None:
    note_pass(app, seconds_ago=3 * 24 * 3600)

    JobPoller(app).run_once()

    assert health(client)[0] == 200
    with app.app_context():
        assert len(db.session.scalars(select(Poller)).all()) == 1  # long forgotten ones are dropped


def test_a_slow_poller_has_three_rounds_of_patience(make_app: Callable[..., Flask]) -> None:
    app = make_app(poll_seconds=100)

    note_pass(app, seconds_ago=310)
    assert health(app.test_client())[0] == 503

    note_pass(app, seconds_ago=290)
    assert health(app.test_client())[0] == 200


def test_unhealthy_when_the_database_does_not_answer(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("DROP TABLE pollers"))

    status, message = health(client)

    assert status == 503
    assert message == "The database is not responding, so no page with parts can be shown."


def test_admins_are_told_the_figures_behind_it_and_nobody_else(app: Flask) -> None:
    note_pass(app, seconds_ago=5)

    for asking in (app.test_client(), browser(app, "editor")):
        assert asking.get("/healthz").json.keys() == {"status", "message"}  # type: ignore[union-attr]
    told = browser(app).get("/healthz").json
    by_token = app.test_client().get("/healthz", headers=bearer(app)).json

    assert told is not None
    assert told["details"].keys() == by_token["details"].keys()  # type: ignore[index]
    assert told["details"]["database"]["schema_is_current"] is True
    assert 5 <= told["details"]["seconds_since_pass"] < 30
    assert told["details"]["disk_free_mb"]["storage"] > 0
    assert (told["details"]["pollers"], told["details"]["unfinished_jobs"]) == (1, {})

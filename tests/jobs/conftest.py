"""An app with an account at a server in Meshy's place, and a job that begins there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from acr3d.generation import pace, requests
from acr3d.models import Job, Part, User
from tests.contract.server import PreparedServer
from tests.jobs.at_meshy import KEY
from tests.making import by_angle, make_part_with_photos, make_user


@pytest.fixture(autouse=True)
def nobody_waits_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace of requests has tests of its own (tests/test_pace.py)."""
    monkeypatch.setattr(pace, "POLLERS_A_SECOND", 1000)


@pytest.fixture
def app(make_app: Callable[..., Flask], meshy: PreparedServer) -> Iterator[Flask]:
    app = make_app(meshy_api_key=KEY, meshy_api_base=meshy.base)
    with app.app_context():
        yield app


@pytest.fixture
def user(app: Flask) -> User:
    return make_user()


@pytest.fixture
def part(app: Flask) -> Part:
    return make_part_with_photos()


@pytest.fixture
def job(part: Part, user: User) -> Job:
    return requests.start(part.id, by_angle(part), "meshy", {"texture_prompt": "brushed steel"}, user)

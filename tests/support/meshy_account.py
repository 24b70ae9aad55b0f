"""Fixtures: an app with a Meshy account at a prepared server, and a job that starts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from acr3d.db.models import Job, Part, User
from acr3d.engines import rate_limit
from acr3d.jobs import service
from tests.support.at_meshy import KEY
from tests.support.contract.server import PreparedServer
from tests.support.factories import by_angle, make_part_with_photos, make_user


@pytest.fixture(autouse=True)
def no_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace of requests has tests of its own (tests/engines/test_rate_limit.py)."""
    monkeypatch.setattr(rate_limit, "POLLERS_PER_SECOND", 1000)


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
    return service.start(part.id, by_angle(part), "meshy", {"texture_prompt": "brushed steel"}, user)

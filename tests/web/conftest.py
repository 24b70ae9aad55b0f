"""Pages and the API on SQLite, and the admin who uses them.

What they ask of the database is tested on both kinds in the packages that do it (parts, jobs, orders, …).
A file whose own queries or texts reach the database carries `ON_BOTH`.
"""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.settings import Settings
from tests.support.accounts import browser


@pytest.fixture
def config(request: pytest.FixtureRequest) -> Settings:
    database = getattr(request, "param", "sqlite")
    return request.getfixturevalue(f"{database}_config")  # type: ignore[no-any-return]


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    """A browser in which an admin is logged in."""
    return browser(app)

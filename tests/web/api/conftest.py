"""The admin of the API's tests is a program."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.accounts import bearer


@pytest.fixture
def admin(app: Flask) -> dict[str, str]:
    """The headers of a program with an admin's token."""
    return bearer(app)

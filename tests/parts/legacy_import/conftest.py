"""The server that has an adopted database's pictures, and one that must never be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.support.contract.checker import Contract
from tests.support.contract.server import (
    PreparedServer,
    prepared_server,
)


@pytest.fixture
def old_host() -> Iterator[PreparedServer]:
    """Where the old database's pictures lie; the operator has configured it."""
    with prepared_server(Contract([])) as running:
        yield running


@pytest.fixture
def inside() -> Iterator[PreparedServer]:
    """A server of our own network that nobody has configured."""
    with prepared_server(Contract([])) as running:
        yield running
        assert running.requests == []


@pytest.fixture
def app(make_app: Callable[..., Flask], old_host: PreparedServer) -> Flask:
    return make_app(asset_origins=(old_host.base,))

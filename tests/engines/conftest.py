"""A client of a real server on a port, which checks every request and answer against the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acr3d.engines.meshy.client import MeshyClient, Timeouts
from tests.engines.samples import KEY
from tests.support.contract.checker import DESCRIPTIONS, Contract
from tests.support.contract.server import PreparedServer, prepared_server


@pytest.fixture(params=DESCRIPTIONS, ids=lambda path: path.stem, scope="module")
def description(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def server(description: Path) -> Iterator[PreparedServer]:
    with prepared_server(Contract([description])) as running:
        yield running


@pytest.fixture
def client(server: PreparedServer) -> Iterator[MeshyClient]:
    with MeshyClient(server.base, KEY, timeouts=Timeouts(connect=2, read=0.5, create=0.5)) as made:
        yield made

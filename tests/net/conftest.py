"""Fixtures of the download tests."""

from collections.abc import Iterator

import pytest

from tests.support.contract.checker import Contract
from tests.support.contract.server import PreparedServer, prepared_server


@pytest.fixture
def server() -> Iterator[PreparedServer]:
    with prepared_server(Contract([])) as running:
        yield running

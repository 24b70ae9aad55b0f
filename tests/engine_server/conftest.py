"""Fixtures of the tests of the built-in engine's server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.contract.checker import DESCRIPTIONS, Contract
from tests.support.engine_server import EngineHarness


@pytest.fixture
def contract() -> Iterator[Contract]:
    """Checks every answer of the engine against all descriptions of the contract."""
    made = Contract(DESCRIPTIONS)
    yield made
    assert made.problems == []


@pytest.fixture
def harness(tmp_path: Path, contract: Contract) -> Iterator[EngineHarness]:
    made = EngineHarness(tmp_path / "engine", contract)
    yield made
    made.engine.stop()

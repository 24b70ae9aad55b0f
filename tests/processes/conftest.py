"""A site and an engine that the tests of one file share."""

from __future__ import annotations

import pytest

from tests.support.kills import Place


@pytest.fixture
def place(one_place: Place) -> Place:
    """The file's own `one_place`, with its engine as new."""
    one_place.engine.begin_afresh()
    return one_place

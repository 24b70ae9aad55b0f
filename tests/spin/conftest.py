"""Pictures of a box on the sheet, drawn once."""

from __future__ import annotations

import numpy as np
import pytest

from acr3d.spin.camera import Camera
from tests.support.sheet_capture import laps, photograph, plain_table


@pytest.fixture(scope="session")
def cameras() -> list[Camera]:
    """Two laps of twelve."""
    return laps(24)


@pytest.fixture(scope="session")
def pictures(cameras: list[Camera]) -> list[np.ndarray]:
    table = plain_table()
    return [photograph(camera, table) for camera in cameras]

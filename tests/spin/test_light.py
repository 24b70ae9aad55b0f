"""A frame in the ground's light: sheet and table each become what they are from everywhere."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.needs("spin")


def test_a_glossy_table_does_not_darken_the_sheet() -> None:
    from acr3d.spin.light import even_out

    sheet = np.zeros((240, 320), bool)
    sheet[60:180, 100:220] = True
    ground = np.where(sheet[..., None], (205, 206, 200), (90, 70, 60)).astype(np.uint8)
    across = np.linspace(0.9, 1.1, 320)[None, :, None]
    pixels = (ground * np.where(sheet[..., None], 1.05 * across, 0.8 / across)).astype(np.uint8)
    part = np.s_[100:140, 130:170]
    pixels[part] = 30

    off = np.abs(even_out(pixels, ground, np.ones_like(sheet), sheet) - ground)

    assert off[part].max() > 100
    off[part] = 0
    assert off.max() < 3

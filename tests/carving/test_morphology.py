"""Morphology gives the same results as scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from acr3d.carving.morphology import dilated, eroded, opened

MASK = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(60, 50)), 1.5) > 0.02


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_results_equal_scipys_up_to_the_border(pixels: int) -> None:
    assert (dilated(MASK, pixels) == ndimage.binary_dilation(MASK, iterations=pixels)).all()
    assert (eroded(MASK, pixels) == ndimage.binary_erosion(MASK, iterations=pixels)).all()
    assert (opened(MASK, pixels) == ndimage.binary_opening(MASK, iterations=pixels)).all()
    assert MASK.any()
    assert eroded(np.ones((20, 20), bool), pixels).sum() == (20 - 2 * pixels) ** 2

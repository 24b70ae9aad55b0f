"""A swap of two labels is named only when it explains most of what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from acr3d.photo_checks.inspection import label_consistency
from acr3d.photo_checks.inspection.label_consistency import LabelledView, find_label_problems

ANGLES = ("front", "right", "top")
SWAPPED = ("right", "front", "top")


class AnyShape:
    """A silhouette that fits no better when it is turned."""

    def rotated(self, _quarters: int) -> AnyShape:
        return self


def codes(monkeypatch: pytest.MonkeyPatch, left_over: float) -> list[str]:
    """What is found in photos of inconsistency 10, of which swapping front and right leaves `left_over`."""

    def scores(photos: Sequence[LabelledView]) -> Any:
        total = left_over if tuple(photo.angle for photo in photos) == SWAPPED else 10.0
        return np.array([total, 0.0, 0.0])

    monkeypatch.setattr(label_consistency, "_scores", scores)
    monkeypatch.setattr(label_consistency, "_contradiction", lambda *_photos: None)
    monkeypatch.setattr(label_consistency, "_differing_opposite_pair", lambda _photos: None)
    shape: Any = AnyShape()
    views = [LabelledView(place, angle, shape, np.zeros(1)) for place, angle in enumerate(ANGLES)]
    return [finding.code for finding in find_label_problems(views)]


def test_a_swap_that_explains_most_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(monkeypatch, left_over=4.4) == ["swapped"]


def test_a_swap_that_explains_too_little_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert codes(monkeypatch, left_over=4.6) == []

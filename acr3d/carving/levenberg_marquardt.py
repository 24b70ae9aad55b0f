"""Least squares that a few wild residuals cannot spoil: Levenberg and Marquardt's way, with "soft L1" loss.

scipy's `least_squares` takes as many steps, but spends most of its time on the decomposition of a matrix
that is far taller than wide; with some forty unknowns the normal equations are exact enough and quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_STEPS = 30
_ENOUGH = 1e-3  # a step that lowers the cost by less than this share is the last


class Place(Protocol):
    """One set of unknowns: what is wrong there, and, if asked, how that changes from there."""

    @property
    def errors(self) -> Vector: ...

    def slopes(self) -> Vector:
        """The errors' derivatives, (errors, unknowns)."""


@dataclass(frozen=True)
class Lowest:
    """Where the descent ended, and the cost there."""

    unknowns: Vector
    cost: float


def descend(at: Callable[[Vector], Place], start: Vector) -> Lowest:
    """The unknowns near `start` that make the sum of 2 (√(1 + error²) - 1) over its errors least."""
    unknowns, place = start, at(start)
    cost, damping = _cost(place.errors), 1e-2
    for _ in range(_STEPS):
        slope = place.slopes()
        weights = 1 / np.sqrt(1 + place.errors**2)
        normal, pull = slope.T @ (slope * weights[:, None]), slope.T @ (weights * place.errors)
        for _ in range(6):
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), pull)
            tried = at(unknowns - step)
            if _cost(tried.errors) < cost:
                break
            damping *= 5
        else:
            break
        gain = 1 - _cost(tried.errors) / cost
        unknowns, place, cost, damping = unknowns - step, tried, _cost(tried.errors), damping / 5
        if gain < _ENOUGH:
            break
    return Lowest(unknowns, cost)


def _cost(errors: Vector) -> float:
    return float(2 * (np.sqrt(1 + errors**2) - 1).sum())

"""Least squares that a few wild residuals cannot spoil: Levenberg and Marquardt's way, with "soft L1" loss.

scipy's `least_squares` takes as many steps, but spends most of its time on the decomposition of a matrix
that is far taller than wide; with some forty unknowns the normal equations are exact enough and quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_STEPS = 30
_ENOUGH = 1e-3  # a step that lowers the cost by less than this share is the last


@dataclass(frozen=True)
class Lowest:
    """Where the descent ended, and the cost there."""

    unknowns: Vector
    cost: float


def descend(errors: Callable[[Vector], Vector], slopes: Callable[[Vector], Vector], start: Vector) -> Lowest:
    """The unknowns near `start` that make the sum of 2 (√(1 + error²) - 1) least.

    `slopes` gives the errors' derivatives, (errors, unknowns).
    """
    unknowns, misses = start, errors(start)
    cost, damping = _cost(misses), 1e-2
    for _ in range(_STEPS):
        slope = slopes(unknowns)
        weights = 1 / np.sqrt(1 + misses**2)
        normal, pull = slope.T @ (slope * weights[:, None]), slope.T @ (weights * misses)
        for _ in range(6):
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), pull)
            tried = errors(unknowns - step)
            if _cost(tried) < cost:
                break
            damping *= 5
        else:
            break
        gain = 1 - _cost(tried) / cost
        unknowns, misses, cost, damping = unknowns - step, tried, _cost(tried), damping / 5
        if gain < _ENOUGH:
            break
    return Lowest(unknowns, cost)


def _cost(errors: Vector) -> float:
    return float(2 * (np.sqrt(1 + errors**2) - 1).sum())

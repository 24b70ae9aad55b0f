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

_MAX_ITERATIONS = 30
_MIN_GAIN = 1e-3  # a step that lowers the cost by less than this share is the last


class Evaluation(Protocol):
    """One set of unknowns: what is wrong there, and, if asked, how that changes from there."""

    @property
    def residuals(self) -> Vector: ...

    def jacobian(self) -> Vector:
        """The errors' derivatives, (errors, unknowns)."""


@dataclass(frozen=True)
class Solution:
    """Where the descent ended, and the cost there."""

    unknowns: Vector
    cost: float


def minimize(evaluate: Callable[[Vector], Evaluation], start: Vector) -> Solution:
    """The unknowns near `start` that make the sum of 2 (√(1 + error²) - 1) over its errors least."""
    unknowns, current = start, evaluate(start)
    cost, damping = _cost(current.residuals), 1e-2
    for _ in range(_MAX_ITERATIONS):
        jacobian = current.jacobian()
        weights = 1 / np.sqrt(1 + current.residuals**2)
        normal, gradient = (
            jacobian.T @ (jacobian * weights[:, None]),
            jacobian.T @ (weights * current.residuals),
        )
        for _ in range(6):
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
            trial = evaluate(unknowns - step)
            if _cost(trial.residuals) < cost:
                break
            damping *= 5
        else:
            break
        gain = 1 - _cost(trial.residuals) / cost
        unknowns, current, cost, damping = unknowns - step, trial, _cost(trial.residuals), damping / 5
        if gain < _MIN_GAIN:
            break
    return Solution(unknowns, cost)


def _cost(residuals: Vector) -> float:
    return float(2 * (np.sqrt(1 + residuals**2) - 1).sum())

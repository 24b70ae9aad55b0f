"""Robust least squares: the Levenberg–Marquardt method with soft L1 loss, so outliers count less.

scipy's `least_squares` needs as many steps but spends most of its time decomposing a matrix that is far
taller than wide. With about forty unknowns the normal equations are accurate enough and much faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_MAX_ITERATIONS = 30
_MIN_GAIN = 1e-3  # stop after a step that lowers the cost by less than this share
_MAX_DAMPING_TRIES = 6


class ResidualEvaluation(Protocol):
    """The problem at one set of unknowns: the residuals, and their derivatives on demand."""

    @property
    def residuals(self) -> Vector: ...

    def jacobian(self) -> Vector:
        """The residuals' derivatives, (residuals, unknowns)."""


@dataclass(frozen=True)
class Solution:
    """Where the minimization ended, and the cost there."""

    unknowns: Vector
    cost: float


def minimize(evaluate: Callable[[Vector], ResidualEvaluation], start: Vector) -> Solution:
    """Minimize the soft L1 loss, the sum of 2 (√(1 + residual²) - 1), from `start`."""
    unknowns, current = start, evaluate(start)
    cost, damping = _cost(current.residuals), 1e-2
    for _ in range(_MAX_ITERATIONS):
        jacobian = current.jacobian()
        weights = 1 / np.sqrt(1 + current.residuals**2)
        normal = jacobian.T @ (jacobian * weights[:, None])
        gradient = jacobian.T @ (weights * current.residuals)
        for _ in range(_MAX_DAMPING_TRIES):
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

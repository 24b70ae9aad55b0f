"""The 24 ways to lay a model on its sides, in the words of the optimizer's `--turn`."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from acr3d.optimize.steps.orientation import Turn

Matrix = NDArray[np.float64]

_STEPS = [f"{axis}{degrees}" for axis in "xyz" for degrees in (90, 180, 270)]


def matrix_of(text: str) -> Matrix:
    """The turn that `text` says. Raises ValueError."""
    turn = Turn.parse(text)
    return np.array(turn.rows, np.float64) if turn else np.eye(3)


def _all_turns() -> dict[str, Matrix]:
    """Each by its shortest name; the empty one first."""
    found: dict[str, Matrix] = {"": np.eye(3)}
    for count in (1, 2):
        for steps in itertools.product(_STEPS, repeat=count):
            matrix = matrix_of(",".join(steps))
            if not any((matrix == other).all() for other in found.values()):
                found[",".join(steps)] = matrix
    return found


TURNS = _all_turns()

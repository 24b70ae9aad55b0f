"""What simplifiers compare: positions, and the attributes that affect the look, with their weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array

# The weight of one unit of a normal, or of the whole texture, relative to the model's size.
WEIGHTS = {"NORMAL": 0.5, "TEXCOORD_0": 1.0, "COLOR_0": 0.5}


def weighted_attributes(attributes: dict[str, Array]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positions (n, 3), and all attributes of WEIGHTS side by side, multiplied by their weights."""
    columns = [
        as_floats(attributes[name]) * np.float32(WEIGHTS[name]) for name in WEIGHTS if name in attributes
    ]
    positions = np.ascontiguousarray(as_floats(attributes["POSITION"]))
    return positions, np.concatenate([np.empty((len(positions), 0), np.float32), *columns], axis=1)


def as_floats(values: Array) -> NDArray[np.float32]:
    """Integers as fractions of their type's range, which is what they usually stand for."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    return (values / np.iinfo(values.dtype).max).astype(np.float32)


def extreme_vertices(positions: Array) -> NDArray[np.intp]:
    """The outermost vertex in each direction. They are locked so that the model keeps its size."""
    return np.concatenate([positions.argmin(axis=0), positions.argmax(axis=0)])

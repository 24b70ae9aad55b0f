"""Skin weights as normalized 16-bit integers: half the bytes of floats, with a sum of exactly one."""

from __future__ import annotations

import numpy as np

from acr3d.gltf.accessors import Array

_ONE = 65535
# glTF requires a sum of one. three.js scales any weights to that sum, other readers do not.
_UNEVEN = 1e-3


def to_unorm16(weights: dict[str, Array]) -> dict[str, Array] | None:
    """All float weights of a primitive, (vertices, 4) by attribute name; None if they do not sum to one."""
    sets = np.concatenate([*weights.values()], axis=1).astype(float)
    sums = sets.sum(axis=1, keepdims=True)
    if sets.min() < 0 or np.abs(sums - 1).max() > _UNEVEN:
        return None
    integers = np.round(sets / sums * _ONE).astype(np.int64)
    # The largest weight takes up the rounding error.
    integers[np.arange(len(integers)), integers.argmax(axis=1)] += _ONE - integers.sum(axis=1)
    columns = np.split(integers.astype(np.uint16), len(weights), axis=1)
    return {name: np.ascontiguousarray(column) for name, column in zip(weights, columns, strict=True)}

"""Bone weights as fractions of sixteen bits: half the bytes of floats, and exactly one in sum."""

from __future__ import annotations

import numpy as np

from acr3d.gltf.accessors import Array

_ONE = 65535
# glTF asks for a sum of one; three.js scales whatever it finds, other readers do not.
_UNEVEN = 1e-3


def as_fractions(weights: dict[str, Array]) -> dict[str, Array] | None:
    """All of a primitive's float weights (vertices, 4) by glTF name; None where they do not sum to one."""
    sets = np.concatenate([*weights.values()], axis=1).astype(float)
    sums = sets.sum(axis=1, keepdims=True)
    if sets.min() < 0 or np.abs(sums - 1).max() > _UNEVEN:
        return None
    whole = np.round(sets / sums * _ONE).astype(np.int64)
    # The bone that counts most takes up what rounding left.
    whole[np.arange(len(whole)), whole.argmax(axis=1)] += _ONE - whole.sum(axis=1)
    columns = np.split(whole.astype(np.uint16), len(weights), axis=1)
    return {name: np.ascontiguousarray(column) for name, column in zip(weights, columns, strict=True)}

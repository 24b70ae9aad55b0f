"""Finding rows that are equal bit for bit, by a 64-bit hash of each row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array

_WORD = 8
# Odd, so that multiplying loses no information; the golden ratio spreads values well (Knuth, TAOCP, 6.4).
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def unique_rows(rows: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The distinct rows of an array (count, width).

    Returns the index of the first occurrence of each distinct row, and for every row the number of its
    distinct row.
    """
    content = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
    content = np.pad(content, ((0, 0), (0, -content.shape[1] % _WORD)))
    words = content.view(np.uint64)
    first, which = _grouped(_hashed(words))
    if (words[first[which]] == words).all():
        return first, which
    # Two different rows with the same hash: a malicious file can cause that.
    whole = content.view(f"V{content.shape[1]}")[:, 0]
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return first, which


def _hashed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    hashed = np.zeros(len(words), np.uint64)
    for column in words.T:
        hashed = (hashed ^ column) * _FACTOR
        hashed ^= hashed >> np.uint64(29)
    return hashed


def _grouped(keys: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    order = np.argsort(keys)
    is_new = np.diff(keys[order], prepend=~keys[order[:1]]) != 0
    which = np.empty(len(keys), np.intp)
    which[order] = np.cumsum(is_new) - 1
    return np.minimum.reduceat(order, np.flatnonzero(is_new)), which

"""Rows that are equal bit for bit, found by a short number for each of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array

_WORD = 8
# Odd, so that no word is lost; the fraction of the golden ratio spreads well (Knuth, 6.4).
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def equal_rows(rows: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Of an array's rows (count, width): where each distinct one stands first, and for every row, which."""
    content = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)
    content = np.pad(content, ((0, 0), (0, -content.shape[1] % _WORD)))
    words = content.view(np.uint64)
    first, which = _grouped(_mixed(words))
    if (words[first[which]] == words).all():
        return first, which
    # Two different rows with one number: a file can be made so.
    whole = content.view(f"V{content.shape[1]}")[:, 0]
    _, first, which = np.unique(whole, return_index=True, return_inverse=True)
    return first, which


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = np.zeros(len(words), np.uint64)
    for column in words.T:
        mixed = (mixed ^ column) * _FACTOR
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _grouped(keys: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    order = np.argsort(keys)
    is_new = np.diff(keys[order], prepend=~keys[order[:1]]) != 0
    which = np.empty(len(keys), np.intp)
    which[order] = np.cumsum(is_new) - 1
    return np.minimum.reduceat(order, np.flatnonzero(is_new)), which

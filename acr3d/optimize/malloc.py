"""Returning freed memory to the system: glibc keeps free memory that lies between blocks in use."""

from __future__ import annotations

import contextlib
import ctypes


def release_memory() -> None:
    """Return free memory to the system after work with many small blocks, such as Draco's.

    Does nothing without glibc.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)

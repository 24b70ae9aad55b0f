"""Linux system calls that the C library gives no name."""

from __future__ import annotations

import ctypes
import os

_PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def syscall(number: int, *arguments: object) -> int:
    """The call's result. Raises OSError."""
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments))


def set_no_new_privileges() -> None:
    """No program that this process starts gets more rights than it has (PR_SET_NO_NEW_PRIVS, prctl(2))."""
    one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, one, zero, zero, zero))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

"""Landlock: a process gives up its access to all files but those it names.

The constants are those of linux/landlock.h; landlock(7) says which version (ABI) of the kernel's interface
brought which of them. The rules hold for the calling thread and what it starts, and cannot be taken back.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from acr3d.sandbox.kernel import set_no_new_privileges, syscall

# The same numbers on every processor.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REGULAR = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_REFER, _TRUNCATE = 1 << 13, 1 << 14
# By ABI: how many of the rights it knows, counted from the lowest bit.
_KNOWN_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NEWEST = max(_KNOWN_RIGHTS)
_TCP, _TCP_SINCE = 0b11, 4  # bind, connect
_ABSTRACT_SOCKETS_AND_SIGNALS, _SCOPES_SINCE = 0b11, 6

_READ = _EXECUTE | _READ_FILE | _READ_DIR
# No links, pipes or devices: the parent opens what it finds in a child's folder.
_WRITE = _WRITE_FILE | _TRUNCATE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REGULAR | _REFER
_FOR_FILES = _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi() -> int:
    """The version of Landlock in this kernel; 0 where it has none, or where it is turned off."""
    try:
        return syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except OSError:
        return 0


def blocks_tcp() -> bool:
    """Whether `restrict` also takes away TCP connections."""
    return abi() >= _TCP_SINCE


def restrict(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """Leave this thread only `readable` (also to execute) and `writable`, files or whole folders.

    What does not exist, or is not ours to open, is skipped. From ABI 4 on there is no TCP, from 6 on no
    signal to a process outside. The kernel must have Landlock. Raises OSError.
    """
    version = abi()
    handled = (1 << _KNOWN_RIGHTS[min(version, _NEWEST)]) - 1
    ruleset = _Ruleset(
        handled,
        _TCP if version >= _TCP_SINCE else 0,
        _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPES_SINCE else 0,
    )
    size = ctypes.c_size_t(ctypes.sizeof(ruleset))
    rules = syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, ctypes.c_uint32(0))
    try:
        for paths, rights in ((readable, _READ), (writable, _READ | _WRITE)):
            for path in paths:
                _allow(rules, path, rights & handled)
        set_no_new_privileges()
        syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # what cannot be opened cannot be read either
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _FOR_FILES
        rule = ctypes.byref(_PathBeneath(rights, opened))
        syscall(_ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(opened)

"""seccomp: a process gives up system calls: those of the network, and what Landlock does not watch.

The filter is classic BPF (seccomp(2), linux/filter.h). It holds for the calling thread and what it starts,
and cannot be taken back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass

from acr3d.sandbox.kernel import set_no_new_privileges, syscall


@dataclass(frozen=True)
class _Processor:
    """How one kind of processor numbers system calls.

    `architecture`: its AUDIT_ARCH_… of linux/audit.h. `flags_of`: which argument of an opening call is flags.
    """

    architecture: int
    seccomp: int
    denied: tuple[int, ...]
    flags_of: dict[int, int]


# `denied`: socket and io_uring_setup (which can make sockets); truncate, chmod, fchmod, fchmodat, fchmodat2,
# chown, fchown, lchown, fchownat, open_by_handle_at and openat2, as far as the processor has them.
_PROCESSORS = {
    "x86_64": _Processor(
        architecture=0xC000003E,
        seccomp=317,
        denied=(41, 425, 76, 90, 91, 268, 452, 92, 93, 94, 260, 304, 437),
        flags_of={2: 1, 257: 2},  # open, openat
    ),
    "aarch64": _Processor(
        architecture=0xC00000B7,
        seccomp=277,
        denied=(198, 425, 45, 52, 53, 452, 55, 54, 265, 437),
        flags_of={56: 2},  # openat
    ),
}

_X32_NUMBERS = 0x40000000  # from here on; what they mean is not in `denied`

_SET_MODE_FILTER, _GET_ACTION_AVAIL = 1, 2
_SPEC_ALLOW = 1 << 2  # or kernels before 5.16 make the whole process slower, against Spectre
_RETURN_ERRNO, _RETURN_ALLOW = 0x00050000, 0x7FFF0000

# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_LOAD, _AND, _JUMP_EQUAL, _JUMP_NOT_LESS, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jump_true", ctypes.c_uint8),
        ("jump_false", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction)))


def is_available() -> bool:
    """Whether this kernel and processor have what `block` needs."""
    processor = _PROCESSORS.get(platform.machine())
    if processor is None:
        return False
    action = ctypes.c_uint32(_RETURN_ERRNO)
    try:
        syscall(processor.seccomp, ctypes.c_uint(_GET_ACTION_AVAIL), ctypes.c_uint(0), ctypes.byref(action))
    except OSError:
        return False
    return True


def block() -> None:
    """Let this thread's calls for sockets fail, and those that change files it may only read.

    They end with EPERM. `is_available` must hold. Raises OSError.
    """
    processor = _PROCESSORS[platform.machine()]
    instructions = list(_filter(processor))
    array = (_Instruction * len(instructions))(*instructions)
    set_no_new_privileges()
    program = ctypes.byref(_Program(len(instructions), array))
    syscall(processor.seccomp, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(_SPEC_ALLOW), program)


def _filter(processor: _Processor) -> Iterator[_Instruction]:
    deny = _Instruction(_RETURN, 0, 0, _RETURN_ERRNO | errno.EPERM)
    load_number = _Instruction(_LOAD, 0, 0, _NUMBER_AT)
    yield _Instruction(_LOAD, 0, 0, _ARCHITECTURE_AT)
    yield _Instruction(_JUMP_EQUAL, 1, 0, processor.architecture)  # a 32-bit call has other numbers
    yield deny
    yield load_number
    yield _Instruction(_JUMP_NOT_LESS, 0, 1, _X32_NUMBERS)
    yield deny
    for number in processor.denied:
        yield _Instruction(_JUMP_EQUAL, 0, 1, number)
        yield deny
    # Opened for reading, a file can be emptied all the same; Landlock watches that from its ABI 3 on.
    for number, argument in processor.flags_of.items():
        yield _Instruction(_JUMP_EQUAL, 0, 5, number)
        yield _Instruction(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)
        yield _Instruction(_AND, 0, 0, os.O_TRUNC | os.O_ACCMODE)
        yield _Instruction(_JUMP_EQUAL, 0, 1, os.O_TRUNC | os.O_RDONLY)
        yield deny
        yield load_number
    yield _Instruction(_RETURN, 0, 0, _RETURN_ALLOW)

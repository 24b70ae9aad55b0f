"""A child process for tests that tries, through the C library, what a broken-into decoder would try.

Its arguments: a folder that is none of its business, a file that it was given, and its own folder. It reports
the names of the attempts that succeeded.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_IO_URING_SETUP = 425
_libc = ctypes.CDLL(None, use_errno=True)


def attempts(others: Path, given: Path, own: Path) -> dict[str, Callable[[], int]]:
    """Each returns less than zero when it failed, as in C. `others` holds `secret` and an empty `folder`."""
    secret, parent = bytes(others / "secret"), os.getppid()
    return {
        "read a file": lambda: _open(secret, os.O_RDONLY),
        "write a file": lambda: _open(secret, os.O_WRONLY),
        "list a folder": lambda: _open(bytes(others), os.O_RDONLY | os.O_DIRECTORY),
        "make a file": lambda: _open(bytes(others / "new"), os.O_WRONLY | os.O_CREAT),
        "empty a file": lambda: _libc.truncate(secret, ctypes.c_long(0)),
        "remove a file": lambda: _libc.unlink(secret),
        "remove a folder": lambda: _libc.rmdir(bytes(others / "folder")),
        "move a file": lambda: _libc.rename(secret, bytes(own / "secret")),
        "link a file": lambda: _libc.link(secret, bytes(own / "linked")),
        "leave a symbolic link": lambda: _libc.symlink(secret, bytes(own / "model.glb")),
        "leave a pipe": lambda: _libc.mkfifo(bytes(own / "pipe"), 0o600),
        "open a file to everybody": lambda: _libc.chmod(secret, 0o666),
        "give a file away": lambda: _libc.chown(secret, os.getuid(), os.getgid()),
        "write its input": lambda: _open(bytes(given), os.O_WRONLY),
        "empty its input": lambda: _libc.truncate(bytes(given), ctypes.c_long(0)),
        "empty its input while opening": lambda: _open(bytes(given), os.O_RDONLY | os.O_TRUNC),
        "read the server's environment": lambda: _open(f"/proc/{parent}/environ".encode(), os.O_RDONLY),
        "read the server's memory": lambda: _open(f"/proc/{parent}/mem".encode(), os.O_RDONLY),
        "signal the server": lambda: _libc.kill(parent, 0),
        "open an IPv4 socket": lambda: _libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0),
        "open an IPv6 datagram socket": lambda: _libc.socket(socket.AF_INET6, socket.SOCK_DGRAM, 0),
        "open a socket in another thread": _in_a_thread(lambda: _libc.socket(socket.AF_INET, 1, 0)),
        "reach a daemon of this host": lambda: _libc.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0),
        "open sockets by io_uring": lambda: _libc.syscall(_IO_URING_SETUP, 1, bytes(120)),
    }


def needed(given: Path, own: Path) -> dict[str, Callable[[], int]]:
    """What a child must be able to do."""
    return {
        "read its input": lambda: _open(bytes(given), os.O_RDONLY),
        "make a file of its own": lambda: _open(bytes(own / "made"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        "make a folder of its own": lambda: _libc.mkdir(bytes(own / "inner"), 0o700),
        "move its file": lambda: _libc.rename(bytes(own / "made"), bytes(own / "inner" / "moved")),
        "throw away": lambda: _open(b"/dev/null", os.O_WRONLY),
    }


def _open(path: bytes, flags: int) -> int:
    return int(_libc.open(path, flags, 0o600))


def _in_a_thread(attempt: Callable[[], int]) -> Callable[[], int]:
    def run() -> int:
        results: list[int] = []
        thread = threading.Thread(target=lambda: results.append(attempt()))
        thread.start()
        thread.join()
        return results[0]

    return run


if __name__ == "__main__":
    others, given, own = (Path(argument) for argument in sys.argv[1:4])
    tried = needed(given, own) | attempts(others, given, own)
    print(json.dumps({"report": {"succeeded": [name for name, attempt in tried.items() if attempt() >= 0]}}))

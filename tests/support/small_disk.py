"""A disk that a test can fill: a tmpfs whose size is cut, or, where none can be mounted, a telltale fsync.

It is mounted where only this process and its children see it, so that a killed run leaves nothing behind.
Mounting takes root, and in most containers more than that. Without it the poller runs under
`tests.support.killed_at full-disk`, whose `os.fsync` reports ENOSPC as a full disk does, while the file named
by FULL_DISK exists.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOM = "4g"  # as long as nothing is written, it costs nothing
_CLONE_NEWNS = 0x00020000  # linux/sched.h; `os.unshare` comes with Python 3.12


class Tmpfs:
    """The file system mounted at `folder`."""

    point = None
    environ: dict[str, str] = {}  # noqa: RUF012 - nothing to be told

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill(self) -> None:
        """Leave room for nothing more."""
        while not self._resize(self._used()):  # what was written in between is more than that
            pass

    def make_room(self) -> None:
        assert self._resize(ROOM)

    def _used(self) -> str:
        disk = os.statvfs(self._folder)
        return str((disk.f_blocks - disk.f_bfree) * disk.f_frsize)

    def _resize(self, size: str) -> bool:
        return _mount("-o", f"remount,size={size}", str(self._folder))


class Told:
    """A disk that only the poller takes for full."""

    point = "full-disk"

    def __init__(self, file: Path) -> None:
        self._file = file
        self.environ = {"FULL_DISK": str(file)}

    def fill(self) -> None:
        self._file.touch()

    def make_room(self) -> None:
        self._file.unlink()


Disk = Tmpfs | Told


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk at `folder`, which is made, while the block runs."""
    folder.mkdir()
    if not (_has_mounts_of_its_own() and _mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder))):
        yield Told(folder.with_suffix(".full"))
        return
    try:
        yield Tmpfs(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@functools.cache
def can_mount() -> bool:
    """Whether a `small_disk` is a Tmpfs."""
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder) / "disk") as disk:
        return isinstance(disk, Tmpfs)


@functools.cache
def _has_mounts_of_its_own() -> bool:
    """Give this thread, and what it starts from now on, mounts that end with the last of these processes."""
    return ctypes.CDLL(None).unshare(_CLONE_NEWNS) == 0 and _mount("--make-rprivate", "/")


def _mount(*words: str) -> bool:
    try:
        return subprocess.run(["mount", *words], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        return False

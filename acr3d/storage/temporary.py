"""Files that are being made, in the storage's own folder, so that storing one is a rename."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acr3d.storage.blobs import storage


@contextmanager
def temporary_file() -> Iterator[Path]:
    """A free file name; what is left there at the end of the block is removed."""
    path = storage().temporary()
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder, for a child process to write to; it is removed at the end of the block."""
    path = storage().temporary()
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

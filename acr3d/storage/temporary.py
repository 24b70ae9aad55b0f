"""Files that are being made, in the storage's own folder, so that storing one is a rename."""

from __future__ import annotations

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

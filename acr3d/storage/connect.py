"""Which storage an address names."""

from __future__ import annotations

from pathlib import Path

from acr3d.storage.blobs import Storage
from acr3d.storage.local import LocalStorage


def connect(bucket: str, folder: Path, room_mb: int) -> Storage:
    """The storage in `bucket` (`s3://bucket/prefix`), with `folder` for copies; without one, in `folder`."""
    if not bucket:
        return LocalStorage(folder)
    from acr3d.storage.bucket import BucketStorage

    return BucketStorage(bucket, folder, room_mb << 20)

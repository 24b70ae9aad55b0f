"""Where backups are kept: a folder, or a bucket (`s3://bucket/prefix`). Only files with our names count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from acr3d import settings
from acr3d.backup.errors import BackupError

_OURS = re.compile(r"acr3d-\d{4}-\d{2}-\d{2}-\d{6}\.tar")
_CHUNK = 8 << 20


class Kept(Protocol):
    """A place with backups. Every method raises BackupError."""

    def names(self) -> list[str]:
        """The names of its backups, oldest first."""

    def fetched(self, name: str, folder: Path) -> Path:
        """A file with the backup; a new one in `folder` if it is not on this machine."""

    def delete(self, name: str) -> None: ...


def kept_in(place: str) -> Kept:
    """The backups at `place`. Raises BackupError."""
    return bucket_at(place) if place.startswith("s3://") else _Folder(Path(place))


def bucket_at(place: str) -> Bucket:
    """The bucket at `place`. Raises BackupError."""
    try:
        address, _copies = settings.storage_place(place, settings.current().instance, "The place")
    except settings.SettingsError as error:
        raise BackupError(str(error)) from error
    return Bucket(address)


def forget_all_but(kept: Kept, count: int) -> list[str]:
    """Delete the oldest backups until `count` are left; returns their names."""
    too_many = kept.names()[:-count]
    for name in too_many:
        kept.delete(name)
    return too_many


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise BackupError(f"{folder} is not a folder with backups.")

    def names(self) -> list[str]:
        return sorted(path.name for path in self._folder.iterdir() if _OURS.fullmatch(path.name))

    def fetched(self, name: str, folder: Path) -> Path:
        return self._folder / name

    def delete(self, name: str) -> None:
        (self._folder / name).unlink()


class Bucket:
    """A bucket with backups, which are made elsewhere and put there."""

    def __init__(self, address: str) -> None:
        from acr3d.storage.bucket import open_bucket

        self._address = address
        self._bucket = open_bucket(address)

    def names(self) -> list[str]:
        with self._failing("read"):
            found = [one["path"] for page in self._bucket.list() for one in page]
        return sorted(name for name in found if _OURS.fullmatch(name))

    def put(self, made: Path) -> str:
        """Keep a backup; returns where it is."""
        with self._failing("written to"):
            self._bucket.put(made.name, made)
        return f"{self._address}/{made.name}"

    def fetched(self, name: str, folder: Path) -> Path:
        target = folder / name
        with self._failing("read"), target.open("wb") as file:
            for chunk in self._bucket.get(name).stream(min_chunk_size=_CHUNK):
                file.write(chunk)
        return target

    def delete(self, name: str) -> None:
        with self._failing("changed"):
            self._bucket.delete(name)

    @contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            why = str(error).partition("\n")[0]
            raise BackupError(f"{self._address} cannot be {doing}: {why}") from error

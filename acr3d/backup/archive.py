"""The backup file: a .tar that any tool can open.

database.sqlite or database.sql
storage/parts/…          every stored file under its key
manifest.json            size and SHA-256 of each file; written last, so that a truncated backup has none
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from acr3d.backup import manifest
from acr3d.backup.errors import BackupError
from acr3d.backup.manifest import Entry, Manifest
from acr3d.storage.local import fsync_path

STORED = "storage/"
_CHUNK = 1 << 20
_NO_TAR = "it is truncated or not a .tar file"
_LARGEST_MANIFEST = 256 << 20  # of a million files
_LONGEST_HEADER = 1 << 16  # of a long name
_MALFORMED = (tarfile.TarError, ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)


class Writer:
    """Adds files to a backup and records their size and hash."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, Entry] = {}

    def add(self, name: str, source: IO[bytes]) -> Entry:
        """Add the open file `source`, from its current position to its end."""
        info = tarfile.TarInfo(name)
        info.size = os.fstat(source.fileno()).st_size
        info.mtime = int(time.time())
        info.mode = 0o600
        hashing = _Hashing(source)
        self._tar.addfile(info, hashing)
        self.files[name] = Entry(info.size, hashing.sha256.hexdigest())
        return self.files[name]

    def finish(self, contents: Manifest) -> None:
        """Write the manifest, which makes the file a valid backup."""
        data = contents.to_json()
        info = tarfile.TarInfo(manifest.NAME)
        info.size = len(data)
        info.mtime = int(time.time())
        info.mode = 0o600
        self._tar.addfile(info, io.BytesIO(data))


@contextmanager
def writing_to(target: Path) -> Iterator[tuple[Writer, Path]]:
    """A writer and a folder for temporary files. `target` appears, synced and complete, when the block ends.

    Until then everything is in a hidden folder beside it. Raises BackupError if the disk fails.
    """
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as name:
            partial = Path(name, "partial.tar")
            with partial.open("xb") as file:
                partial.chmod(0o600)  # it holds password hashes and unpublished parts
                with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                    yield Writer(tar), Path(name)
            fsync_path(partial)
            partial.rename(target)
            fsync_path(target.parent)
    except OSError as error:
        raise BackupError(
            f"The backup could not be written to {target} ({error.strerror or error}). No backup was made."
        ) from error


class Archive:
    """A backup whose manifest names exactly the files that it holds; `verify` reads them."""

    def __init__(self, tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo], contents: Manifest) -> None:
        self._tar = tar
        self._members = members
        self.manifest = contents

    @property
    def keys(self) -> list[str]:
        """The keys of the stored files in the backup."""
        return [name.removeprefix(STORED) for name in self.manifest.files if name.startswith(STORED)]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(entry.size for entry in self.manifest.files.values())

    def entry(self, key: str) -> Entry:
        return self.manifest.files[STORED + key]

    def copy_out(self, name: str, target: Path) -> None:
        """Write the file called `name` to `target`. Raises BackupError if it is damaged."""
        with target.open("wb") as file:
            self._read(name, file)

    def verify(self) -> None:
        """Read and check every file. Raises BackupError."""
        for name in self.manifest.files:
            self._read(name, None)

    def _read(self, name: str, into: IO[bytes] | None) -> None:
        source = self._tar.extractfile(self._members[name])
        if source is None:
            raise _damaged(f"{name} is not a file")
        sha256, size = hashlib.sha256(), 0
        while chunk := source.read(_CHUNK):
            sha256.update(chunk)
            size += len(chunk)
            if into is not None:
                into.write(chunk)
        if Entry(size, sha256.hexdigest()) != self.manifest.files[name]:
            raise _damaged(f"{name} has changed")


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The backup in `path`, not verified yet. Raises BackupError if it is truncated or not a backup."""
    try:
        with path.open("rb") as file, _as_tar(file) as tar:
            yield _read_contents(tar)
    except tarfile.TarError as error:
        raise _damaged(_NO_TAR) from error
    except OSError as error:
        raise BackupError(f"The backup cannot be restored ({error.strerror or error}).") from error


class _Member(tarfile.TarInfo):
    """A header that is looked at before tarfile reads on by what it says."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        is_file = header.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
        is_about_next = header.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME)
        if not (is_file or is_about_next) or (is_about_next and header.size > _LONGEST_HEADER):
            raise _damaged(f"{header.name!r} does not belong in it")
        if header.size < 0:
            raise _damaged(f"{header.name!r} has a negative size")
        return header


def _as_tar(file: IO[bytes]) -> tarfile.TarFile:
    facts = os.fstat(file.fileno())
    if 0 < facts.st_blocks * 512 < facts.st_size // 10:  # it would be read for hours
        raise _damaged("it consists of holes")
    try:
        return tarfile.open(fileobj=file, mode="r:", tarinfo=_Member)
    except _MALFORMED as error:
        raise _damaged(_NO_TAR) from error


def _read_contents(tar: tarfile.TarFile) -> Archive:
    try:
        members = _members(tar)
    except _MALFORMED as error:
        raise _damaged(_NO_TAR) from error
    described = members.pop(manifest.NAME, None)
    source = tar.extractfile(described) if described else None
    if source is None:
        raise _damaged(f"it has no {manifest.NAME}, so it is truncated or not a backup")
    contents = Manifest.from_json(source.read(_LARGEST_MANIFEST))
    if differing := sorted(set(members) ^ set(contents.files)):
        raise _damaged(f"{differing[0]} is missing or does not belong in it")
    for name, member in members.items():
        if member.size != contents.files[name].size:
            raise _damaged(f"{name} has changed")
    return Archive(tar, members, contents)


def _members(tar: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    members: dict[str, tarfile.TarInfo] = {}
    for member in tar:
        if member.name in members or not member.isreg() or member.issparse() or member.size < 0:
            raise _damaged(f"{member.name!r} does not belong in it")
        members[member.name] = member
    return members


class _Hashing:
    """Hashes a file while it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


def _damaged(why: str) -> BackupError:
    return BackupError(f"The backup is damaged: {why}. Restore a different one.")

"""Photos in a folder or a ZIP file from outside: each with its path, and a sentence for what is left out.

Nothing is unpacked by its name, so no path can lead anywhere; one file is in memory or on disk at a time.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from flask_babel import gettext as _

from acr3d.errors import InvalidInput
from acr3d.photos.limits import MAX_FILE_BYTES

MOST_FILES = 20_000
MOST_DIRECTORY_BYTES = 8_000_000
"""Of a ZIP file's list of its files, which is read into memory."""
MOST_BYTES = 4_000_000_000
MOST_UNPACKED_BYTES = 20_000_000_000
MOST_RATIO = 200
"""Unpacked over packed. Photos are packed already."""
_IN_MEMORY = 1_000_000
_CHUNK_BYTES = 1 << 18
_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .tif .tiff .heic .heif .avif".split()  # noqa: SIM905
)
_ARCHIVES = frozenset(".zip .rar .7z .tar .gz .tgz .bz2 .xz .cbz .jar".split())  # noqa: SIM905
_OF_SYSTEMS = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_END = b"PK\x05\x06"  # of the record that ends a ZIP file


@dataclass(frozen=True)
class PhotoFile:
    """A file that may be a photo: its path from the top, `/` between folders; or why it is left out."""

    path: str
    problem: str = ""
    entry: zipfile.ZipInfo | None = None

    @property
    def source(self) -> str:
        """Tells the same content in another ZIP file; empty for a file in a folder."""
        return f"{self.entry.CRC:08x}-{self.entry.file_size}" if self.entry else ""


class PhotoFiles:
    """The files of a folder or a ZIP file. Use it as a context."""

    def __init__(self, place: Path) -> None:
        """Raises InvalidInput for what is neither, or has too many files."""
        self._place = place
        self._stack = ExitStack()
        self._zip = None if place.is_dir() else self._stack.enter_context(_opened(place))

    def __enter__(self) -> PhotoFiles:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def files(self) -> Iterator[PhotoFile]:
        """All of them but folders and what operating systems leave behind."""
        found = _in_folder(self._place) if self._zip is None else map(_in_zip, self._zip.infolist())
        for number, one in enumerate(found):
            if number >= MOST_FILES:
                raise InvalidInput(_too_many())
            is_left_behind = one.path.endswith("/") or any(word in one.path for word in _OF_SYSTEMS)
            if not is_left_behind:
                yield one

    @contextmanager
    def opened(self, file: PhotoFile) -> Iterator[BinaryIO]:
        """The file's content, seekable. Raises InvalidInput for what cannot be read."""
        if self._zip is None:
            with (self._place / file.path).open("rb") as stream:
                yield stream
            return
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
            try:
                with self._zip.open(cast(zipfile.ZipInfo, file.entry)) as packed:
                    while chunk := packed.read(_CHUNK_BYTES):
                        copy.write(chunk)
                        if copy.tell() > MAX_FILE_BYTES:
                            raise InvalidInput(_too_large())
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                raise InvalidInput(_("It cannot be unpacked: the ZIP file is damaged there.")) from error
            copy.seek(0)
            yield cast(BinaryIO, copy)


def check(place: Path) -> None:
    """Raises InvalidInput for what is no ZIP file of photos, or is beyond the limits."""
    with PhotoFiles(place):
        pass


def packed(folder: Path, into: Path) -> None:
    """Put the photos of a folder into a ZIP file, without what is left out. Raises InvalidInput."""
    with (
        PhotoFiles(folder) as source,
        zipfile.ZipFile(into, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive,
    ):
        for file in source.files():
            if not file.problem:
                archive.write(folder / file.path, file.path)


def _opened(place: Path) -> zipfile.ZipFile:
    if _directory_bytes(place) > MOST_DIRECTORY_BYTES:
        raise InvalidInput(_too_many())
    try:
        archive = zipfile.ZipFile(place)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise InvalidInput(_("The photos must be a folder or a ZIP file that is not damaged.")) from error
    problem = _problem_of_all(archive.infolist())
    if problem:
        archive.close()
        raise InvalidInput(problem)
    return archive


def _problem_of_all(entries: list[zipfile.ZipInfo]) -> str:
    if len(entries) > MOST_FILES:
        return _too_many()
    if sum(one.file_size for one in entries) > MOST_UNPACKED_BYTES:
        most = MOST_UNPACKED_BYTES // 1_000_000_000
        return str(
            _("Unpacked, the ZIP file has more than %(most)s GB. Import it in several parts.", most=most)
        )
    return ""


def _directory_bytes(place: Path) -> int:
    """How long a ZIP file's list of its files says it is; 0 where there is none."""
    with place.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 66_000))
        tail = file.read()
    # As `zipfile` does: a record without a comment is the last thing; else the last signature counts.
    is_last = tail[-22:-18] == _END and tail.endswith(b"\0\0")
    at = len(tail) - 22 if is_last else tail.rfind(_END)
    if not 0 <= at <= len(tail) - 22:
        return 0
    size = int(struct.unpack_from("<I", tail, at + 12)[0])
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # ZIP64, whose record is before its locator
        size = max(size, int(struct.unpack_from("<Q", tail, at - 76 + 40)[0]))
    return size


def _in_folder(place: Path) -> Iterator[PhotoFile]:
    for folder, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            path = file.relative_to(place).as_posix()
            mode = file.lstat().st_mode
            yield PhotoFile(path, _problem(path, mode, file.lstat().st_size))


def _in_zip(entry: zipfile.ZipInfo) -> PhotoFile:
    path = entry.filename.replace("\\", "/")
    if entry.flag_bits & 0x1:
        return PhotoFile(path, _("It is encrypted. Make the ZIP file without a password."))
    if entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        return PhotoFile(path, _("Unpacked, it is far larger than any photo of its size."))
    mode = entry.external_attr >> 16 if entry.create_system == 3 else stat.S_IFREG
    return PhotoFile(
        path, _problem(path, mode if stat.S_IFMT(mode) else stat.S_IFREG, entry.file_size), entry
    )


def _problem(path: str, mode: int, size: int) -> str:
    """Why a file with this path, mode and size is left out; empty if it is not."""
    parts, suffix = PurePosixPath(path).parts, PurePosixPath(path).suffix.lower()
    if not (stat.S_ISREG(mode) or path.endswith("/")):
        return str(_("It is a link or a device, and no file."))
    if path.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
        return str(_("Its path leads out of the ZIP file."))
    if suffix in _ARCHIVES:
        return str(_("It is an archive inside the archive. Unpack it first."))
    if suffix not in _SUFFIXES:
        return str(_("Its name is not that of a photo."))
    return _too_large() if size > MAX_FILE_BYTES else ""


def _too_large() -> str:
    return str(_("It has more than %(most)s MB.", most=MAX_FILE_BYTES // 1_000_000))


def _too_many() -> str:
    return str(_("There are more than %(most)s files. Import the photos in several parts.", most=MOST_FILES))

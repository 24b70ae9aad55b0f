"""Thousands of uploaded photos in one ZIP file on disk: one file each would be too many open files."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, cast

from flask import Flask, Request, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from acr3d.imports.photo_files import MOST_FILES
from acr3d.storage.blobs import storage

_TAKES = "takes_photo_archive"
_ALONE = frozenset((".zip", ".csv", ".tsv", ".txt", ".xlsx", ".ods", ".xls", ".jsonl"))
_MOST_ALONE = 10
"""Tables and ZIP files in one request; further ones go into the archive like photos."""


def take(view: Callable[..., ResponseReturnValue]) -> None:
    """Let `view` take thousands of files; its request's `archive` holds those that are no table or ZIP."""
    setattr(view, _TAKES, True)


def install(app: Flask) -> None:
    app.request_class = UploadRequest
    app.before_request(_prepare)


class PhotoArchive:
    """The ZIP file while it is written. It is gone with the request unless somebody keeps it."""

    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile(dir=storage().temporary().parent)  # noqa: SIM115 - the request's
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)

    def entry(self, name: str) -> IO[bytes]:
        """What a file of this name is written to."""
        return cast(IO[bytes], _Entry(self._zip.open(zipfile.ZipInfo(name), "w", force_zip64=True)))

    def kept(self) -> Path:
        """The finished file under a name that stays."""
        self._zip.close()
        self._file.flush()
        path = storage().temporary()
        os.link(self._file.name, path)
        return path


class UploadRequest(Request):
    """A request that writes loose photos into one archive, if its view takes that."""

    takes_archive = False
    archive: PhotoArchive | None = None
    _alone = 0

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        suffix = PurePosixPath(filename or "").suffix.lower()
        is_alone = not filename or (suffix in _ALONE and "/" not in filename)  # what is in a folder is not
        if not self.takes_archive or (is_alone and self._alone < _MOST_ALONE):
            self._alone += 1
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        self.archive = self.archive or PhotoArchive()
        return self.archive.entry(filename or "")


class _Entry(io.RawIOBase):
    """A file of the archive: written once; the form's parser rewinds it when it is whole."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed = packed

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._packed.write(cast(bytes, data))

    def seek(self, _place: int, _whence: int = 0) -> int:
        self._packed.close()
        return 0


def is_inside(sent: FileStorage) -> bool:
    """Whether a sent file was taken for a photo, by its name, and cannot be read by itself."""
    return isinstance(sent.stream, _Entry)


def _prepare() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, _TAKES, False):
        sent = cast(UploadRequest, request._get_current_object())  # type: ignore[attr-defined]
        sent.takes_archive, sent.max_form_parts = True, MOST_FILES + _MOST_ALONE

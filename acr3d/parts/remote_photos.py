"""Downloads a photo from an untrusted address."""

from __future__ import annotations

import tempfile
from typing import BinaryIO

from acr3d import settings
from acr3d.net.download import DownloadSpec, download_file
from acr3d.parts.conversion import converted
from acr3d.photos.photo import Photo

SECONDS = 120
STALL_SECONDS = 20


def fetched(url: str, spec: DownloadSpec) -> Photo:
    """Download it under the rules for downloads and photos. Raises DownloadError, PhotoRefused, OSError."""
    with tempfile.TemporaryFile() as file:
        downloaded(url, file, spec)
        return converted(file)


def downloaded(url: str, file: BinaryIO, spec: DownloadSpec) -> None:
    """Download it into `file`, as it is. Raises DownloadError, OSError."""
    download_file(
        url,
        file,
        spec,
        allowed_origins=None,
        private_origins=settings.current().asset_origins,
        seconds=SECONDS,
        stall_seconds=STALL_SECONDS,
    )

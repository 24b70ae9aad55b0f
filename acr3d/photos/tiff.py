"""What stands in a TIFF file besides a photo: a camera's raw data, further pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from acr3d.photos.limits import PhotoRefused

_NEW_SUBFILE_TYPE, _PHOTOMETRIC, _MAKE, _SUB_IFDS, _DNG_VERSION = 254, 262, 271, 330, 50706  # tags
_IS_PREVIEW = 1
_SENSOR_DATA = (32803, 34892)  # CFA and LinearRaw (DNG 1.7, PhotometricInterpretation)
_MOST_DIRECTORIES = 16
_RAW_NAMES = {
    "Nikon": "NEF",
    "Sony": "ARW",
    "Pentax": "PEF",
    "Ricoh": "PEF",
    "Samsung": "SRW",
    "Kodak": "DCR",
}


def check_tiff(stream: BinaryIO) -> None:
    """Refuse raw files, most of which are TIFF files, and documents.

    Raises PhotoRefused, or anything for a damaged file.
    """
    pages = list(_pages(stream))
    _check_raw([*pages, *(one for page in pages for one in _sub_directories(stream, page))])
    if any(not page.get(_NEW_SUBFILE_TYPE, 0) & _IS_PREVIEW for page in pages[1:]):
        raise PhotoRefused("photo.several_pages", format="TIFF")


def _check_raw(directories: list[ImageFileDirectory_v2]) -> None:
    if any(_DNG_VERSION in one for one in directories):
        raise PhotoRefused("photo.raw_of_any_camera", name="DNG")
    if not any(one.get(_PHOTOMETRIC) in _SENSOR_DATA for one in directories):
        return
    maker = str(directories[0].get(_MAKE, "")).strip(" \0").partition(" ")[0].capitalize()
    if maker not in _RAW_NAMES:
        raise PhotoRefused("photo.raw_of_any_camera", name="TIFF")
    raise PhotoRefused("photo.raw", maker=maker, name=_RAW_NAMES[maker])


def _pages(stream: BinaryIO) -> Iterator[ImageFileDirectory_v2]:
    offset = ImageFileDirectory_v2(_header(stream)).next
    for _ in range(_MOST_DIRECTORIES):
        if not offset:
            return
        page = _directory(stream, offset)
        yield page
        offset = page.next


def _sub_directories(stream: BinaryIO, page: ImageFileDirectory_v2) -> Iterator[ImageFileDirectory_v2]:
    offsets = page.get(_SUB_IFDS, ())
    for offset in (offsets if isinstance(offsets, tuple) else (offsets,))[:_MOST_DIRECTORIES]:
        yield _directory(stream, offset)


def _directory(stream: BinaryIO, offset: int) -> ImageFileDirectory_v2:
    directory = ImageFileDirectory_v2(_header(stream))
    stream.seek(offset)
    directory.load(stream)
    if not directory:
        raise ValueError("an empty or cut-off directory")
    return directory


def _header(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(8)

"""An untrusted upload becomes a clean JPEG and its facts.

Every stored photo is an upright sRGB JPEG of at most 2048 pixels a side, without transparency and without
metadata. Pure: nothing here knows a database, a web framework or numpy.

Memory is the hard part: a small file can expand to hundreds of megabytes. So the size in a file's header is
checked before anything is decoded (`limits`), the whole process decodes one picture at a time, and pixels
are flattened and shrunk in strips (`convert`), so a second full-size copy never exists. The figures are in
docs/decisions/0016-photos-memory.md; `bench/photos.py` measures them.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import threading
import traceback
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

from acr3d.photos.convert import fitted, upright_srgb
from acr3d.photos.decode import decoded
from acr3d.photos.limits import PhotoRefused, check_length

__all__ = ["Photo", "PhotoRefused", "clean"]

THUMBNAIL_SIDE = 480
_JPEG_QUALITY = 90
_THUMBNAIL_QUALITY = 80

_M_MMAP_THRESHOLD = -3  # from glibc's malloc.h

_one_decode = threading.Semaphore(1)


@dataclass(frozen=True)
class Photo:
    """A picture ready to be stored and served. Size and hash are those of `jpeg`."""

    jpeg: bytes
    width_px: int
    height_px: int
    sha256: str
    thumbnail: bytes
    """A JPEG of the same picture within 480 × 480, for lists."""
    mime_type: str = "image/jpeg"


def clean(stream: BinaryIO) -> Photo:
    """Check and convert one upload. `stream` must be seekable; it is read from its beginning and left open.

    Pass the upload's own (spooled) file rather than its bytes, so that waiting uploads need no memory.
    Raises PhotoRefused. Blocks while another picture is being decoded.
    """
    check_length(stream)
    with _one_decode:
        try:
            return _stored(upright_srgb(decoded(stream)))
        except PhotoRefused as refusal:
            _forget_frames(refusal)
            raise


def _stored(image: Image.Image) -> Photo:
    jpeg = _jpeg(image, _JPEG_QUALITY)
    small = fitted(image.size, THUMBNAIL_SIDE)
    preview = image.resize(small, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return Photo(
        jpeg=jpeg,
        width_px=image.width,
        height_px=image.height,
        sha256=hashlib.sha256(jpeg).hexdigest(),
        thumbnail=_jpeg(preview, _THUMBNAIL_QUALITY),
    )


def _jpeg(image: Image.Image, quality: int) -> bytes:
    image.info.clear()  # so no profile, EXIF or comment can be written
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _forget_frames(error: BaseException | None) -> None:
    """Otherwise the exception's frames keep the decoded pixels alive while the next picture is decoded."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _return_large_blocks() -> None:
    """Make glibc return every freed block of a megabyte or more to the system at once.

    By default its threshold grows with the first freed picture; each thread then keeps up to 64 MB, which
    even malloc_trim does not release. Other C libraries have neither this call nor this behaviour.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)


_return_large_blocks()

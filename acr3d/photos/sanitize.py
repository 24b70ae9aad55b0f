"""An untrusted upload becomes a clean JPEG and its facts.

Every stored photo is an upright sRGB JPEG of at most 2048 pixels a side, without transparency and without
metadata. Pure: nothing here knows a database, a web framework or numpy.

Memory is the hard part: a small file can expand to hundreds of megabytes. So the size in a file's header is
checked before anything is decoded (`limits`), and pixels are flattened and shrunk in strips (`convert`), so a
second full-size copy never exists. The figures are in docs/decisions/0016-photos-memory.md; `bench/photos.py`
measures them. Files that people send are converted in a child process (`acr3d.parts.conversion`), because no
check of a header bounds a decoder's time.
"""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from PIL import Image

from acr3d.photos.convert import Upright, fitted, upright_srgb
from acr3d.photos.cutout import with_margin
from acr3d.photos.decode import decoded
from acr3d.photos.limits import PhotoRefused, check_file
from acr3d.photos.look import look_of
from acr3d.photos.photo import THUMBNAIL_SIDE, Photo
from acr3d.photos.widths import as_webp, in_widths

__all__ = ["Photo", "PhotoRefused", "clean"]

_OUTLINE_SIDE = 1024
_JPEG_QUALITY = 90
_THUMBNAIL_QUALITY = 80


def clean(stream: BinaryIO) -> Photo:
    """Check and convert one upload. `stream` must be seekable; it is read from its beginning and left open.

    Raises PhotoRefused.
    """
    check_file(stream)
    return _stored(with_margin(upright_srgb(decoded(stream))))


def _stored(upright: Upright) -> Photo:
    image = upright.image
    jpeg = _jpeg(image, _JPEG_QUALITY)
    pictures = in_widths(image)
    preview = pictures[min(pictures)].resize(fitted(image.size, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return Photo(
        jpeg=jpeg,
        width_px=image.width,
        height_px=image.height,
        sha256=hashlib.sha256(jpeg).hexdigest(),
        thumbnail=_jpeg(preview, _THUMBNAIL_QUALITY),
        look=look_of(preview),
        webp={width: as_webp(picture) for width, picture in pictures.items()},
        outline=_outline(upright.alpha) if upright.alpha else None,
    )


def _outline(alpha: Image.Image) -> bytes:
    small = alpha.resize(fitted(alpha.size, _OUTLINE_SIDE), Image.Resampling.BOX)
    out = io.BytesIO()
    small.point(lambda value: 255 * (value > 127)).convert("1").save(out, "PNG")
    return out.getvalue()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    image.info.clear()  # so no profile, EXIF or comment can be written
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()

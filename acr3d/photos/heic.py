"""Decoding of HEIC, which Pillow cannot read."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image

from acr3d.messages.message import Message
from acr3d.photos.convert import Pixels
from acr3d.photos.formats import PhotoFormat
from acr3d.photos.limits import check_decoder_bytes, check_size, damaged
from acr3d.photos.pillow_file import reading
from acr3d.sandbox import default_threads

if TYPE_CHECKING:
    import pillow_heif

_SAMPLES_PER_PIXEL = {420: 1.5, 422: 2.0, 444: 3.0}
_USUAL_PLANE_BYTES = 1.5  # 4:2:0 with 8 bits


def decoded_heic(stream: BinaryIO, photo_format: PhotoFormat) -> Pixels:
    """The main picture of a HEIC file. libheif turns it upright; its EXIF orientation only repeats that."""
    import pillow_heif  # only now: other photos need none of its memory

    if not _is_whole(stream):
        raise damaged()
    pillow_heif.options.DECODE_THREADS = default_threads()
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    with reading(photo_format):
        container = pillow_heif.open_heif(stream, convert_hdr_to_8bit=True, remove_stride=False)
        picture = container[container.primary_index]
    check_size(picture.size, photo_format)
    check_decoder_bytes(Message("photo.kind_deep_heic"), picture.size, _bytes_per_pixel(picture))
    with reading(photo_format):
        data, stride = picture.data, picture.stride
    (width, _), mode = picture.size, picture.mode

    def rows(first: int, end: int) -> Image.Image:
        part = data[first * stride : end * stride]
        return Image.frombuffer(mode, (width, end - first), part, "raw", mode, stride, 1)

    icc = picture.info.get("icc_profile")
    return Pixels(picture.size, rows, icc if isinstance(icc, bytes) else None, orientation=1)


def _bytes_per_pixel(picture: pillow_heif.HeifImage) -> float:
    """Measured: libheif holds its planes, and the pixels it returns; all but a phone's usual planes twice."""
    info: dict[str, Any] = picture.info
    samples = _SAMPLES_PER_PIXEL.get(info.get("chroma", 444), 3.0) + picture.has_alpha
    bytes_per_sample = 2 if info["bit_depth"] > 8 else 1
    copies = 1 if samples * bytes_per_sample == _USUAL_PLANE_BYTES else 2
    return copies * samples * bytes_per_sample + len(picture.mode)


def _is_whole(stream: BinaryIO) -> bool:
    """Whether all top-level boxes end inside the file (ISO/IEC 14496-12, 4.2). Rewinds `stream`.

    libheif does not report a cut-off picture: it paints the missing tiles black.
    """
    end = stream.seek(0, io.SEEK_END)
    start = 0
    while start < end:
        stream.seek(start)
        head = stream.read(16).ljust(16, b"\0")
        (size,) = struct.unpack(">I", head[:4])
        if size == 1:
            (size,) = struct.unpack(">Q", head[8:])
        elif size == 0:  # "to the end of the file"
            break
        if size < 8:
            return False
        start += size
    stream.seek(0)
    return start <= end

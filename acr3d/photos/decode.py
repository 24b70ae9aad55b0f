"""A stream of unknown content becomes pixels, or is refused, by what is in it and never by its name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import (
    Image,
    JpegImagePlugin,  # noqa: F401 - imported by name, or Pillow would load all its plugins to find them
    PngImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from acr3d.messages.message import Message
from acr3d.photos.convert import STORED_SIDE, Pixels, fitted
from acr3d.photos.file_headers import heic_is_whole, jpeg_layout
from acr3d.photos.limits import (
    MEGAPIXELS,
    animated,
    check_decoder_bytes,
    check_size,
    damaged,
    not_a_photo,
    too_many_pixels,
)

if TYPE_CHECKING:
    import pillow_heif

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs")
_HEIC_SAMPLES_PER_PIXEL = {420: 1.5, 422: 2.0, 444: 3.0}
_JPEG_COEFFICIENT_BYTES = 2
_EXIF_ORIENTATION = 0x0112


def decoded(stream: BinaryIO) -> Pixels:
    """The picture in `stream`, which is at its beginning. Raises PhotoRefused."""
    kind = _kind(stream.read(16))
    stream.seek(0)
    if kind is None:
        raise not_a_photo()
    return _decoded_heic(stream) if kind == "HEIC" else _decoded_by_pillow(stream, kind)


def _kind(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "HEIC"
    return None


def _decoded_by_pillow(stream: BinaryIO, kind: str) -> Pixels:
    with _reading(kind):
        image = Image.open(stream, formats=[kind])
    check_size(image.size, kind)
    if kind == "JPEG":  # a phone's MPO is one too: the first of its pictures is the photo
        _check_jpeg_memory(stream, image.size)
        image.draft(None, fitted(image.size, STORED_SIDE))
    elif getattr(image, "is_animated", False):
        raise animated()
    with _reading(kind):
        image.load()
    width = image.width
    return Pixels(
        size=image.size,
        rows=lambda first, end: image.crop((0, first, width, end)),
        icc=image.info.get("icc_profile"),
        orientation=_orientation(image),
    )


def _check_jpeg_memory(stream: BinaryIO, size: tuple[int, int]) -> None:
    with _reading("JPEG"):
        layout = jpeg_layout(stream)
    if layout.several_scans:
        check_decoder_bytes(
            Message("photo.kind_progressive"), size, layout.samples_per_pixel * _JPEG_COEFFICIENT_BYTES
        )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF comes as any exception; the picture itself is fine
        return 1


def _decoded_heic(stream: BinaryIO) -> Pixels:
    """The main picture of a HEIC file. libheif turns it upright; its EXIF orientation only echoes that."""
    import pillow_heif  # late: memory that many servers never need

    if not heic_is_whole(stream):
        raise damaged()
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    with _reading("HEIC"):
        container = pillow_heif.open_heif(stream, convert_hdr_to_8bit=True, remove_stride=False)
        picture = container[container.primary_index]
    check_size(picture.size, "HEIC")
    check_decoder_bytes(Message("photo.kind_deep_heic"), picture.size, _heic_bytes_per_pixel(picture))
    with _reading("HEIC"):
        data, stride = picture.data, picture.stride
    (width, _), mode = picture.size, picture.mode

    def rows(first: int, end: int) -> Image.Image:
        part = data[first * stride : end * stride]
        return Image.frombuffer(mode, (width, end - first), part, "raw", mode, stride, 1)

    icc = picture.info.get("icc_profile")
    return Pixels(picture.size, rows, icc if isinstance(icc, bytes) else None, orientation=1)


def _heic_bytes_per_pixel(picture: pillow_heif.HeifImage) -> float:
    """Measured: libheif holds its planes twice, and beside them the pixels it hands out."""
    info: dict[str, Any] = picture.info
    samples = _HEIC_SAMPLES_PER_PIXEL.get(info.get("chroma", 444), 3.0) + picture.has_alpha
    bytes_per_sample = 2 if info["bit_depth"] > 8 else 1
    return 2 * samples * bytes_per_sample + len(picture.mode)


@contextlib.contextmanager
def _reading(kind: str) -> Iterator[None]:
    """Turn whatever a decoder throws at a hostile file into a refusal."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many_pixels(kind, None, MEGAPIXELS[kind]) from None
    except Exception as error:
        raise damaged() from error

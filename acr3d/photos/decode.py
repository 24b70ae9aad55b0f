"""A stream of unknown content becomes pixels, or is refused: by its content, never by its name."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image

from acr3d.messages.message import Message
from acr3d.photos.convert import STORED_SIDE, Pixels, fitted
from acr3d.photos.file_headers import heic_is_whole, jpeg_layout
from acr3d.photos.formats import SNIFFED_BYTES, PhotoFormat, format_of
from acr3d.photos.limits import (
    animated,
    check_decoder_bytes,
    check_size,
    damaged,
    not_a_photo,
    too_many_pixels,
)

if TYPE_CHECKING:
    import pillow_heif

_HEIC_SAMPLES_PER_PIXEL = {420: 1.5, 422: 2.0, 444: 3.0}
_JPEG_COEFFICIENT_BYTES = 2
_EXIF_ORIENTATION = 0x0112


def decoded(stream: BinaryIO) -> Pixels:
    """The picture in `stream`, which is at its beginning. Raises PhotoRefused."""
    photo_format = format_of(stream.read(SNIFFED_BYTES))
    stream.seek(0)
    if photo_format is None:
        raise not_a_photo()
    if photo_format.pillow_plugin is None:
        return _decoded_heic(stream, photo_format)
    # Imported by name, or Pillow loads all its plugins to find the one.
    importlib.import_module(f"PIL.{photo_format.pillow_plugin}")
    return _decoded_by_pillow(stream, photo_format)


def _decoded_by_pillow(stream: BinaryIO, photo_format: PhotoFormat) -> Pixels:
    with _reading(photo_format):
        image = Image.open(stream, formats=[photo_format.name])
    check_size(image.size, photo_format)
    if photo_format.name == "JPEG":  # a phone's MPO is one too: the first of its pictures is the photo
        _check_jpeg_memory(stream, image.size, photo_format)
        image.draft(None, fitted(image.size, STORED_SIDE))
    elif getattr(image, "is_animated", False):
        raise animated()
    with _reading(photo_format):
        image.load()
    width = image.width
    return Pixels(
        size=image.size,
        rows=lambda first, end: image.crop((0, first, width, end)),
        icc=image.info.get("icc_profile"),
        orientation=_orientation(image),
    )


def _check_jpeg_memory(stream: BinaryIO, size: tuple[int, int], photo_format: PhotoFormat) -> None:
    with _reading(photo_format):
        layout = jpeg_layout(stream)
    if layout.several_scans:
        check_decoder_bytes(
            Message("photo.kind_progressive"), size, layout.samples_per_pixel * _JPEG_COEFFICIENT_BYTES
        )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF raises anything; the picture itself is fine
        return 1


def _decoded_heic(stream: BinaryIO, photo_format: PhotoFormat) -> Pixels:
    """The main picture of a HEIC file. libheif turns it upright; its EXIF orientation only repeats that."""
    import pillow_heif  # only now: many servers never need its memory

    if not heic_is_whole(stream):
        raise damaged()
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    with _reading(photo_format):
        container = pillow_heif.open_heif(stream, convert_hdr_to_8bit=True, remove_stride=False)
        picture = container[container.primary_index]
    check_size(picture.size, photo_format)
    check_decoder_bytes(Message("photo.kind_deep_heic"), picture.size, _heic_bytes_per_pixel(picture))
    with _reading(photo_format):
        data, stride = picture.data, picture.stride
    (width, _), mode = picture.size, picture.mode

    def rows(first: int, end: int) -> Image.Image:
        part = data[first * stride : end * stride]
        return Image.frombuffer(mode, (width, end - first), part, "raw", mode, stride, 1)

    icc = picture.info.get("icc_profile")
    return Pixels(picture.size, rows, icc if isinstance(icc, bytes) else None, orientation=1)


def _heic_bytes_per_pixel(picture: pillow_heif.HeifImage) -> float:
    """Measured: libheif holds its planes twice, and the pixels it returns."""
    info: dict[str, Any] = picture.info
    samples = _HEIC_SAMPLES_PER_PIXEL.get(info.get("chroma", 444), 3.0) + picture.has_alpha
    bytes_per_sample = 2 if info["bit_depth"] > 8 else 1
    return 2 * samples * bytes_per_sample + len(picture.mode)


@contextlib.contextmanager
def _reading(photo_format: PhotoFormat) -> Iterator[None]:
    """Turn whatever a decoder raises on a hostile file into a refusal."""
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many_pixels(photo_format.name, None, photo_format.max_megapixels) from None
    except Exception as error:
        raise damaged() from error

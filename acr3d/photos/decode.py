"""A stream of unknown content becomes pixels, or is refused: by its content, never by its name."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image

from acr3d.exif import orientation
from acr3d.photos.avif import opened_avif
from acr3d.photos.convert import Pixels
from acr3d.photos.formats import SNIFFED_BYTES, PhotoFormat, format_of
from acr3d.photos.heic import decoded_heic
from acr3d.photos.jpeg import loaded_jpeg
from acr3d.photos.limits import PhotoRefused, animated, not_a_photo
from acr3d.photos.pillow_file import opened, reading
from acr3d.photos.tiff import check_tiff

_UNUSUAL_MODES = ("I", "F", "LAB")
"""Of TIFF: 32 bits a sample, fractions, and a colour space of print shops."""


def decoded(stream: BinaryIO) -> Pixels:
    """The picture in `stream`, which is at its beginning. Raises PhotoRefused."""
    photo_format = format_of(stream.read(SNIFFED_BYTES))
    stream.seek(0)
    if photo_format is None:
        raise not_a_photo()
    if photo_format.pillow_plugin is None:
        return decoded_heic(stream, photo_format)
    with reading(photo_format):
        image = _loaded(stream, photo_format)
    width = image.width
    return Pixels(
        size=image.size,
        rows=lambda first, end: image.crop((0, first, width, end)),
        icc=image.info.get("icc_profile"),
        orientation=orientation(image),
    )


def _loaded(stream: BinaryIO, photo_format: PhotoFormat) -> Image.Image:
    if photo_format.name == "JPEG":
        return loaded_jpeg(stream, photo_format)
    if photo_format.name == "TIFF":
        check_tiff(stream)
    image = (opened_avif if photo_format.name == "AVIF" else opened)(stream, photo_format)
    if image.mode in _UNUSUAL_MODES:
        raise PhotoRefused("photo.unusual_pixels", format=photo_format.name)
    if photo_format.name != "TIFF" and getattr(image, "is_animated", False):
        raise animated(photo_format.name)
    image.load()
    return image

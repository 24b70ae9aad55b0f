"""Opening a file with one of Pillow's decoders, and what these raise on hostile files."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image

from acr3d.exif import forget_xmp
from acr3d.photos.formats import PhotoFormat
from acr3d.photos.limits import PhotoRefused, check_size, damaged, too_many_pixels


def opened(stream: BinaryIO, photo_format: PhotoFormat) -> Image.Image:
    """The file's picture, of an allowed size and not yet decoded. Raises PhotoRefused, or anything."""
    # Imported by name, or Pillow loads all its plugins to find the one.
    importlib.import_module(f"PIL.{photo_format.pillow_plugin}")
    stream.seek(0)
    image = Image.open(stream, formats=[photo_format.name])
    check_size(image.size, photo_format)
    forget_xmp(image)
    return image


@contextlib.contextmanager
def reading(photo_format: PhotoFormat) -> Iterator[None]:
    """Turn whatever a decoder raises on a hostile file into a refusal."""
    try:
        yield
    except PhotoRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many_pixels(photo_format.name, None, photo_format.max_megapixels) from None
    except Exception as error:
        raise damaged() from error

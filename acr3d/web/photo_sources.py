"""What an `<img>` of a photo says of its files and their sizes."""

from __future__ import annotations

from acr3d.db.models import PartImage
from acr3d.photos.photo import THUMBNAIL_SIDE
from acr3d.storage.index import media_url
from acr3d.storage.webp_keys import webp_key


def shown_size(image: PartImage) -> tuple[int, int]:
    """The photo's width and height in pixels, for the room that a page keeps for it."""
    return image.width_px or THUMBNAIL_SIDE, image.height_px or THUMBNAIL_SIDE


def webp(image: PartImage) -> str:
    """The photo's WebP files for a `srcset`; empty until they are made."""
    widths, path = image.webp_widths or (), image.storage_path or ""
    return ", ".join(f"{media_url(webp_key(path, width))} {width}w" for width in widths)


def jpeg(image: PartImage) -> str:
    """The thumbnail and the photo for a `srcset`."""
    width, height = shown_size(image)
    small = round(width * min(1, THUMBNAIL_SIDE / max(width, height)))
    return f"{media_url(image.thumbnail_path or '')} {small}w, {image.image_url} {width}w"

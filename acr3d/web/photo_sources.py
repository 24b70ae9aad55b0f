"""What an `<img>` of a photo says of its files and their sizes."""

from __future__ import annotations

from acr3d.clean_photos.shown import ShownPhoto
from acr3d.photos.photo import THUMBNAIL_SIDE
from acr3d.storage.index import media_url
from acr3d.storage.webp_keys import webp_key


def shown_size(photo: ShownPhoto) -> tuple[int, int]:
    """The photo's width and height in pixels, for the room that a page keeps for it."""
    return photo.width_px or THUMBNAIL_SIDE, photo.height_px or THUMBNAIL_SIDE


def webp(photo: ShownPhoto) -> str:
    """The photo's WebP files for a `srcset`; empty until they are made."""
    path = photo.storage_path or ""
    return ", ".join(f"{media_url(webp_key(path, width))} {width}w" for width in photo.webp_widths)


def jpeg(photo: ShownPhoto) -> str:
    """The thumbnail and the photo for a `srcset`."""
    width, height = shown_size(photo)
    small = round(width * min(1, THUMBNAIL_SIDE / max(width, height)))
    return f"{media_url(photo.thumbnail_path or '')} {small}w, {photo.url} {width}w"

"""The stored files of a part's photos: their keys, storing them, and taking them away when a change fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from acr3d.db.models import PartImage
from acr3d.outlines.stored import own_key
from acr3d.photos.photo import Photo
from acr3d.storage.blobs import discard, storage
from acr3d.storage.index import media_url
from acr3d.storage.webp_keys import webp_key


def photo_key(image: PartImage, photo: Photo) -> str:
    return f"parts/{image.part_id}/photos/{image.id}-{photo.sha256[:16]}.jpg"


def thumbnail_key(image: PartImage, photo: Photo) -> str:
    return f"parts/{image.part_id}/thumbnails/{image.id}-{photo.sha256[:16]}.jpg"


def set_file_columns(image: PartImage, photo: Photo) -> None:
    """Let the row say what is stored for it."""
    image.storage_path = photo_key(image, photo)
    image.thumbnail_path = thumbnail_key(image, photo)
    image.image_url = media_url(image.storage_path)
    image.sha256, image.look = photo.sha256, photo.look
    image.webp_widths = sorted(photo.webp)
    image.file_size_bytes = len(photo.jpeg)
    image.width_px, image.height_px = photo.width_px, photo.height_px
    image.mime_type = photo.mime_type


def _files(image: PartImage, photo: Photo) -> list[tuple[str, bytes]]:
    files = [(photo_key(image, photo), photo.jpeg), (thumbnail_key(image, photo), photo.thumbnail)]
    files += [(webp_key(photo_key(image, photo), width), data) for width, data in photo.webp.items()]
    return [*files, (own_key(image), photo.outline)] if photo.outline else files


@contextmanager
def stored_files(images: Sequence[PartImage], photos: Sequence[Photo]) -> Iterator[None]:
    """Store the photos' files before the block, and delete them again when it fails."""
    blobs = dict(blob for image, photo in zip(images, photos, strict=True) for blob in _files(image, photo))
    try:
        storage().put_all(blobs)
        yield
    except BaseException as error:
        # A COMMIT whose answer was lost may have succeeded. If it has not, `flask sweep` finds the files.
        may_be_committed = isinstance(error, DBAPIError) and error.connection_invalidated
        if not may_be_committed:
            discard(blobs)
        raise

"""Which picture of a photo customers see: as it was taken, or its clean photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acr3d.db.models import CleanPhoto, PartImage
from acr3d.shop import options
from acr3d.storage.index import media_url


@dataclass(frozen=True)
class ShownPhoto:
    """The stored files of a picture, and its size in pixels if it is known."""

    storage_path: str | None
    thumbnail_path: str | None
    webp_widths: Sequence[int]
    width_px: int | None
    height_px: int | None
    url: str


def shown(image: PartImage) -> ShownPhoto:
    """The picture that customers see of the photo."""
    clean = clean_of(image)
    return on_white(clean) if clean and wants_white(image) else as_taken(image)


def wants_white(image: PartImage) -> bool:
    """Whether customers shall see the photo on white, as soon as it can be."""
    return (image.background or options.last_known().shop.photo_background) == "white"


def clean_of(image: PartImage) -> CleanPhoto | None:
    """The photo's clean photo, if there is one."""
    return image.clean if image.clean is not None and image.clean.storage_path else None


def on_white(clean: CleanPhoto) -> ShownPhoto:
    widths, side = clean.webp_widths or (), clean.side_px
    url = media_url(clean.storage_path or "")
    return ShownPhoto(clean.storage_path, clean.thumbnail_path, widths, side, side, url)


def as_taken(image: PartImage) -> ShownPhoto:
    return ShownPhoto(
        image.storage_path,
        image.thumbnail_path,
        image.webp_widths or (),
        image.width_px,
        image.height_px,
        image.image_url,
    )

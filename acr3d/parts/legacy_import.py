"""Importing the pictures of which an adopted database has only the addresses.

Until then such a picture is "to import": a row of `part_images` without a file. No page links its address.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage
from acr3d.errors import Missing
from acr3d.messages.message import Message
from acr3d.net.download import DownloadError, DownloadSpec, origin_of
from acr3d.parts.photos import import_photo
from acr3d.parts.remote_photos import fetched
from acr3d.photos.limits import MAX_FILE_BYTES, PhotoRefused
from acr3d.storage.blobs import StorageError

_PICTURE = DownloadSpec(
    max_bytes=MAX_FILE_BYTES,
    if_interrupted=Message("download.run_again"),
    if_gone=Message("download.by_hand"),
    if_refused=Message("download.by_hand"),
    if_too_large=Message("download.smaller_by_hand"),
)


class NotImported(Exception):
    """A picture stays "to import". `str()` says which one, on which host, why, and what to do."""


@dataclass(frozen=True)
class RemotePicture:
    """A picture that is to be imported: the id of its `part_images` row, its part's SKU, and its address."""

    image_id: str
    sku: str
    url: str

    @property
    def host(self) -> str:
        """Host and port, all that may be shown of the address; empty when it is not a web address."""
        try:
            return origin_of(self.url).partition("://")[2]
        except ValueError:
            return ""


def pictures_to_import() -> list[RemotePicture]:
    """Every picture that is to be imported, by SKU and place, without those of deleted parts."""
    query = (
        select(PartImage.id, Part.sku, PartImage.image_url)
        .join(Part, Part.id == PartImage.part_id)
        .where(PartImage.storage_path.is_(None), PartImage.deleted_at.is_(None), Part.deleted_at.is_(None))
        .order_by(Part.sku_key, PartImage.display_order)
    )
    found = [RemotePicture(*row) for row in db.session.execute(query)]
    db.session.commit()  # no transaction stays open during the downloads
    return found


def import_picture(picture: RemotePicture) -> bool:
    """Download a picture and store it like an uploaded photo.

    Returns False when it was deleted, replaced or imported in the meantime. Raises NotImported, and changes
    nothing then.
    """
    try:
        return import_photo(picture.image_id, fetched(picture.url, _PICTURE))
    except Missing:
        return False
    except (DownloadError, PhotoRefused) as problem:
        raise NotImported(f"{_named(picture)} was not imported. {problem}") from problem
    except (StorageError, OSError) as problem:
        reason = (
            f"The file could not be stored ({problem.strerror})." if isinstance(problem, OSError) else problem
        )
        advice = "Check this server's disk, then run the command again."
        raise NotImported(f"{_named(picture)} was not imported. {reason} {advice}") from problem


def _named(picture: RemotePicture) -> str:
    return f"{picture.sku}: the picture at {picture.host}" if picture.host else f"{picture.sku}: the picture"

"""A part's photos: add, replace, reorder, label, delete. Six at most, in places 0 to 5 without a gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import ANGLES, Part, PartImage
from acr3d.db.session import transaction
from acr3d.db.types import is_id, new_id, utc_now
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.parts.parts import images_of, locked_part
from acr3d.photo_checks import queue
from acr3d.photos.sanitize import Photo
from acr3d.storage.blobs import storage
from acr3d.storage.index import media_url

PHOTOS_PER_PART = 6
TEXT_LENGTH = 300
LABELS = ("angle_label", "alt_text", "caption")


class OrderChanged(Conflict):
    """Somebody else changed the photos meanwhile; `images` is the present order."""

    def __init__(self, message: str, images: list[PartImage]) -> None:
        super().__init__(message)
        self.images = images


def add_photos(
    part_id: str, photos: Sequence[Photo], labels: dict[str, Any] | None = None
) -> list[PartImage]:
    """Put `photos` behind the present ones, with `labels` (see LABELS) on each; all or none.

    Raises Missing, or Refused when there is no room for all of them.
    """
    fresh = [PartImage(id=new_id(), part_id=part_id) for _photo in photos]
    with _files_kept(fresh, photos), transaction() as session:
        part = locked_part(session, part_id)
        present = images_of(part_id, session)
        _check_room(len(present), len(photos))
        for place, (image, photo) in enumerate(zip(fresh, photos, strict=True), start=len(present)):
            _describe(image, photo)
            image.display_order = place
            _label(image, labels or {})
            session.add(image)
        _mirror(part, present + fresh)
        queue.request_check(part)
    queue.wake()
    return fresh


def replace_photo(image_id: str, photo: Photo) -> PartImage:
    """Put another picture in the same place with the same labels. The old one is kept out of sight."""
    old = image_by_id(image_id)
    new = PartImage(id=new_id(), part_id=old.part_id)
    with _files_kept([new], [photo]), transaction() as session:
        part = locked_part(session, old.part_id)
        old = _present_image(session, image_id)
        _describe(new, photo)
        for column in ("display_order", "is_selected_for_3d_generation", *LABELS):
            setattr(new, column, getattr(old, column))
        old.deleted_at = utc_now()
        session.flush()  # frees the place before the new one takes it
        session.add(new)
        session.flush()
        _mirror(part, images_of(part.id, session))
        queue.request_check(part)
    queue.wake()
    return new


def import_photo(image_id: str, photo: Photo) -> bool:
    """Give a photo that is "to import" its picture; its id, place and labels stay.

    False, and nothing changed, when it is no longer to be imported. Raises Missing when it is gone.
    """
    part_id = image_by_id(image_id).part_id
    with transaction() as session:
        part = locked_part(session, part_id)
        image = _present_image(session, image_id)
        if image.storage_path is not None:
            return False
        # Stored while the part is held: another import of this photo would use the same names, and must not
        # take these files away when it finds itself second. After a kill the next import uses them again.
        with _files_kept([image], [photo]):
            _describe(image, photo)
            session.flush()
            _mirror(part, images_of(part_id, session))
        queue.request_check(part)
    queue.wake()
    return True


def reorder(part_id: str, image_ids: Sequence[object]) -> list[PartImage]:
    """Bring the photos into the given order.

    Raises OrderChanged when `image_ids` is not a permutation of the present photos.
    """
    with transaction() as session:
        part = locked_part(session, part_id)
        present = {image.id: image for image in images_of(part_id, session)}
        if len(image_ids) != len(present) or set(map(str, image_ids)) != set(present):
            message = _("The photos were changed meanwhile. Here is their present order; please sort again.")
            raise OrderChanged(message, list(present.values()))
        ordered = [present[str(image_id)] for image_id in image_ids]
        _place(session, ordered)
        _mirror(part, ordered)
    return ordered


def label_photo(image_id: str, labels: dict[str, Any]) -> PartImage:
    """Change the labels that are given. Raises Missing or Refused."""
    part_id = image_by_id(image_id).part_id
    with transaction() as session:
        part = locked_part(session, part_id)
        image = _present_image(session, image_id)
        angle = image.angle_label
        _label(image, labels)
        part.revision += 1
        if image.angle_label != angle:
            queue.request_check(part)
    queue.wake()
    return image


def delete_photo(image_id: str) -> str:
    """Take a photo away; the rest move up. Returns the part's id. Raises Missing."""
    part_id = image_by_id(image_id).part_id
    with transaction() as session:
        part = locked_part(session, part_id)
        image = _present_image(session, image_id)
        image.deleted_at = utc_now()
        image.is_selected_for_3d_generation = False
        session.flush()
        rest = images_of(part_id, session)
        _place(session, rest)
        _mirror(part, rest)
        queue.request_check(part)
    queue.wake()
    return part_id


def image_by_id(image_id: str) -> PartImage:
    """A photo that is there. Raises Missing."""
    return _present_image(db.session(), image_id)


def covers_of(part_ids: Sequence[str]) -> dict[str, PartImage]:
    """The first photo of each part that has one, by part id."""
    query = select(PartImage).where(
        PartImage.part_id.in_(part_ids), PartImage.deleted_at.is_(None), PartImage.display_order == 0
    )
    return {image.part_id: image for image in db.session.scalars(query)}


def photo_key(image: PartImage, photo: Photo) -> str:
    return f"parts/{image.part_id}/photos/{image.id}-{photo.sha256[:16]}.jpg"


def thumbnail_key(image: PartImage, photo: Photo) -> str:
    return f"parts/{image.part_id}/thumbnails/{image.id}-{photo.sha256[:16]}.jpg"


class _files_kept:  # noqa: N801 - used like a function
    """The photos' files are stored while the block runs, and gone again when it fails."""

    def __init__(self, images: Sequence[PartImage], photos: Sequence[Photo]) -> None:
        self.blobs: list[tuple[str, bytes]] = []
        for image, photo in zip(images, photos, strict=True):
            self.blobs.append((photo_key(image, photo), photo.jpeg))
            self.blobs.append((thumbnail_key(image, photo), photo.thumbnail))

    def __enter__(self) -> None:
        try:
            for key, data in self.blobs:
                storage().put(key, data)
        except BaseException:
            self._forget()
            raise

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        # A COMMIT whose answer was lost may hold all the same; if not, the sweep finds the files.
        was_cut = isinstance(error, DBAPIError) and error.connection_invalidated
        if error is not None and not was_cut:
            self._forget()

    def _forget(self) -> None:
        for key, _data in self.blobs:
            storage().delete(key)


def _check_room(present: int, more: int) -> None:
    if present + more <= PHOTOS_PER_PART:
        return
    if present == PHOTOS_PER_PART:
        raise InvalidInput(_("A part has at most six photos. Delete or replace one first."))
    raise InvalidInput(
        _("A part has at most six photos; there is room for %(n)s more.", n=PHOTOS_PER_PART - present)
    )


def _present_image(session: Session, image_id: str) -> PartImage:
    query = select(PartImage).where(PartImage.id == image_id, PartImage.deleted_at.is_(None))
    image = session.scalar(query) if is_id(image_id) else None
    if image is None:
        raise Missing(_("There is no such photo. It may have been deleted or replaced."))
    return image


def _describe(image: PartImage, photo: Photo) -> None:
    image.storage_path = photo_key(image, photo)
    image.thumbnail_path = thumbnail_key(image, photo)
    image.image_url = media_url(image.storage_path)
    image.sha256 = photo.sha256
    image.file_size_bytes = len(photo.jpeg)
    image.width_px, image.height_px = photo.width_px, photo.height_px
    image.mime_type = photo.mime_type


def _label(image: PartImage, labels: dict[str, Any]) -> None:
    unknown = sorted(set(labels) - set(LABELS))
    if unknown:
        raise InvalidInput(_("Unknown field: %(name)s.", name=unknown[0]))
    for name, value in labels.items():
        if value is not None and not isinstance(value, str):
            raise InvalidInput(_("“%(name)s” must be text.", name=name))
        text = (value or "").strip() or None
        if name == "angle_label" and text is not None and text not in ANGLES:
            raise InvalidInput(_("The angle must be one of: %(angles)s.", angles=", ".join(ANGLES)))
        if text is not None and (len(text) > TEXT_LENGTH or "\x00" in text):
            raise InvalidInput(_("A text beside a photo has at most %(n)s characters.", n=TEXT_LENGTH))
        setattr(image, name, text)


def _place(session: Session, ordered: Sequence[PartImage]) -> None:
    """Two phases, since the unique order is checked row by row."""
    for place, image in enumerate(ordered):
        image.display_order = -1 - place
    session.flush()
    for place, image in enumerate(ordered):
        image.display_order = place
    session.flush()


def _mirror(part: Part, ordered: Sequence[PartImage]) -> None:
    has_cover = bool(ordered) and ordered[0].storage_path is not None
    part.primary_image_url = ordered[0].image_url if has_cover else None
    part.revision += 1

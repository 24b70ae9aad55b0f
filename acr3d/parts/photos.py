"""A part's photos: add, replace, reorder, label, delete. Six at most, in places 0 to 5 without a gap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import ANGLES, BACKGROUNDS, Part, PartImage
from acr3d.db.session import end_read, transaction
from acr3d.db.types import is_id, new_id, utc_now
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.notify import wake
from acr3d.outlines.stored import add_own
from acr3d.parts.angle_words import guessed_angle
from acr3d.parts.parts import locked_part
from acr3d.parts.photo_files import set_file_columns, stored_files
from acr3d.parts.same_photos import is_same, known_as
from acr3d.parts.stale import Seen
from acr3d.photos.photo import Photo

PHOTOS_PER_PART = 6
TEXT_LENGTH = 300
LABELS = ("angle_label", "alt_text", "caption", "background")
CHECK_DELAY = timedelta(seconds=1)
"""How long the photos must stay unchanged before they are checked: an upload of six is one change."""


Also = Callable[[Session, Part, list[PartImage]], None]
"""What else belongs to the transaction that adds photos."""


class OrderChanged(Conflict):
    """Somebody else changed the photos in the meantime. `images` are the photos in their current order."""

    def __init__(self, message: str, images: list[PartImage]) -> None:
        super().__init__(message)
        self.images = images


def add_photos(
    part_id: str,
    photos: Sequence[Photo],
    labels: dict[str, Any] | None = None,
    file_names: Sequence[str] = (),
    also: Also | None = None,
) -> list[PartImage]:
    """Add `photos` behind the present ones, each with `labels` (see LABELS); all or none.

    Without an angle among the labels, it is guessed from the `file_names`, as long as no photo has it.
    Raises Missing, or InvalidInput when there is no room for all of them.
    """
    fresh = [PartImage(id=new_id(), part_id=part_id) for _photo in photos]
    same = _same_pictures(part_id, fresh, photos)
    with stored_files(fresh, photos), transaction() as session:
        part = locked_part(session, part_id)
        present = images_of(part_id, session)
        _check_count(len(present), len(photos))
        for place, (image, photo) in enumerate(zip(fresh, photos, strict=True), start=len(present)):
            set_file_columns(image, photo)
            image.display_order = place
            _label(image, labels or {})
            _add(session, image, photo)
            session.flush()  # a later photo may be the same as this one
            image.same_as_id = same.get(image.id)
        if "angle_label" not in (labels or {}):
            _guess_angles(part, present, fresh, file_names)
        _sync_cover(part, present + fresh)
        request_check(part)
        if also is not None:
            also(session, part, fresh)
    wake()
    return fresh


def replace_photo(image_id: str, photo: Photo) -> PartImage:
    """Put another photo in the same place with the same labels. The old one is soft-deleted."""
    old = image_by_id(image_id)
    new = PartImage(id=new_id(), part_id=old.part_id)
    same_as = _same_pictures(old.part_id, [new], [photo]).get(new.id)
    with stored_files([new], [photo]), transaction() as session:
        part = locked_part(session, old.part_id)
        old = _present_image(session, image_id)
        set_file_columns(new, photo)
        for column in ("display_order", "is_selected_for_3d_generation", *LABELS):
            setattr(new, column, getattr(old, column))
        new.same_as_id = same_as
        old.deleted_at = utc_now()
        session.flush()  # frees the place before the new one takes it
        _add(session, new, photo)
        session.flush()
        _sync_cover(part, images_of(part.id, session))
        request_check(part)
    wake()
    return new


def import_photo(image_id: str, photo: Photo) -> bool:
    """Give a photo that is "to import" its file; its id, place and labels stay.

    Returns False, and changes nothing, when it is no longer to be imported. Raises Missing when it is gone.
    """
    part_id = image_by_id(image_id).part_id
    with transaction() as session:
        part = locked_part(session, part_id)
        image = _present_image(session, image_id)
        if image.storage_path is not None:
            return False
        # Stored while the part is locked: another import of this photo uses the same keys, and must not
        # delete these files when it comes second. After a kill, the next import stores them again.
        with stored_files([image], [photo]):
            set_file_columns(image, photo)
            _add(session, image, photo)
            session.flush()
            _sync_cover(part, images_of(part_id, session))
        request_check(part)
    wake()
    return True


def reorder(
    part_id: str,
    image_ids: Sequence[object],
    *,
    seen: Seen | None = None,
    seen_order: Sequence[object] | None = None,
) -> list[PartImage]:
    """Put the photos into the given order.

    `seen`, `seen_order`: the part, or the order of its photos, that was looked at. Raises OrderChanged when
    it is another one now, or `image_ids` are not exactly the part's photos.
    """
    with transaction() as session:
        part = locked_part(session, part_id)
        present = {image.id: image for image in images_of(part_id, session)}
        is_stale = seen is not None and seen.revision != part.revision
        is_stale = is_stale or (seen_order is not None and list(map(str, seen_order)) != list(present))
        if is_stale or len(image_ids) != len(present) or set(map(str, image_ids)) != set(present):
            message = _("Someone else changed the photos. This is their current order; please sort again.")
            raise OrderChanged(message, list(present.values()))
        ordered = [present[str(image_id)] for image_id in image_ids]
        _set_order(session, ordered)
        _sync_cover(part, ordered)
    return ordered


def label_photo(image_id: str, labels: dict[str, Any]) -> PartImage:
    """Change the given labels. Raises Missing or InvalidInput."""
    part_id = image_by_id(image_id).part_id
    with transaction() as session:
        part = locked_part(session, part_id)
        image = _present_image(session, image_id)
        angle = image.angle_label
        _label(image, labels)
        part.revision += 1
        if image.angle_label != angle:
            request_check(part)
    wake()
    return image


def set_angles(part_id: str, angles: dict[str, str]) -> None:
    """Give photos of the part these angles, by their IDs, all or none: a second call changes nothing.

    Raises Missing or InvalidInput.
    """
    with transaction() as session:
        part = locked_part(session, part_id)
        for image_id, angle in angles.items():
            image = _present_image(session, image_id)
            if image.part_id != part_id:
                raise Missing(_("There is no such photo. It may have been deleted or replaced."))
            _label(image, {"angle_label": angle})
        part.revision += 1
        request_check(part)
    wake()


def delete_photo(image_id: str) -> str:
    """Delete a photo; the rest move up. Returns the part's id. Raises Missing."""
    part_id = image_by_id(image_id).part_id
    with transaction() as session:
        part = locked_part(session, part_id)
        take_away(session, part, _present_image(session, image_id))
    wake()
    return part_id


def take_away(session: Session, part: Part, image: PartImage) -> None:
    """Delete a photo of the locked part in the caller's transaction; the rest move up."""
    image.deleted_at = utc_now()
    image.is_selected_for_3d_generation = False
    session.flush()
    rest = images_of(part.id, session)
    _set_order(session, rest)
    _sync_cover(part, rest)
    request_check(part)


def image_by_id(image_id: str) -> PartImage:
    """A photo that is not deleted. Raises Missing."""
    return _present_image(db.session(), image_id)


def images_of(part_id: str, session: Session | None = None) -> list[PartImage]:
    """The part's photos in their order."""
    query = select(PartImage).where(PartImage.part_id == part_id, PartImage.deleted_at.is_(None))
    return list((session or db.session).scalars(query.order_by(PartImage.display_order)))


def images_of_parts(part_ids: Sequence[str]) -> dict[str, list[PartImage]]:
    """The photos of each of these parts in their order."""
    query = select(PartImage).where(PartImage.part_id.in_(part_ids), PartImage.deleted_at.is_(None))
    found: dict[str, list[PartImage]] = {part_id: [] for part_id in part_ids}
    for image in db.session.scalars(query.order_by(PartImage.display_order)):
        found[image.part_id].append(image)
    return found


def covers_of(part_ids: Sequence[str]) -> dict[str, PartImage]:
    """The first photo of each part that has one, by part id."""
    query = select(PartImage).where(
        PartImage.part_id.in_(part_ids), PartImage.deleted_at.is_(None), PartImage.display_order == 0
    )
    return {image.part_id: image for image in db.session.scalars(query)}


def request_check(part: Part) -> None:
    """Photos or labels change with this transaction. Call `wake` when it has ended."""
    part.check_due_at = utc_now() + CHECK_DELAY


def _same_pictures(part_id: str, fresh: Sequence[PartImage], photos: Sequence[Photo]) -> dict[str, str]:
    """By the id of each new photo that is the same picture as an earlier one: that one's id."""
    same: dict[str, str] = {}
    present = known_as(photos, part_id)
    for place, (image, photo) in enumerate(zip(fresh, photos, strict=True)):
        earlier = zip(fresh[:place], photos[:place], strict=True)
        look = int(photo.look, 16)
        together = [one.id for one, other in earlier if is_same(look, int(other.look, 16))]
        known = together[0] if together else present[place]
        if known:
            same[image.id] = known
    end_read()
    return same


def _check_count(present: int, more: int) -> None:
    if present + more <= PHOTOS_PER_PART:
        return
    if present == PHOTOS_PER_PART:
        raise no_room()
    raise InvalidInput(
        _("A part has at most six photos; there is room for %(n)s more.", n=PHOTOS_PER_PART - present)
    )


def no_room() -> InvalidInput:
    """Why a part with six photos takes no other one."""
    return InvalidInput(_("A part has at most six photos. Delete or replace one first."))


def _present_image(session: Session, image_id: str) -> PartImage:
    query = select(PartImage).where(PartImage.id == image_id, PartImage.deleted_at.is_(None))
    image = session.scalar(query) if is_id(image_id) else None
    if image is None:
        raise Missing(_("There is no such photo. It may have been deleted or replaced."))
    return image


def _add(session: Session, image: PartImage, photo: Photo) -> None:
    session.add(image)
    if photo.outline:
        add_own(session, image)


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
        if name == "background" and text is not None and text not in BACKGROUNDS:
            raise InvalidInput(_("The background must be one of: %(all)s.", all=", ".join(BACKGROUNDS)))
        if text is not None and (len(text) > TEXT_LENGTH or "\x00" in text):
            raise InvalidInput(_("A text beside a photo has at most %(n)s characters.", n=TEXT_LENGTH))
        setattr(image, name, text)


def _guess_angles(
    part: Part, present: Sequence[PartImage], fresh: Sequence[PartImage], file_names: Sequence[str]
) -> None:
    taken = {image.angle_label for image in present}
    for image, name in zip(fresh, file_names, strict=False):
        angle = guessed_angle(name, part.name)
        if angle not in taken:
            image.angle_label = angle
            taken.add(angle)


def _set_order(session: Session, ordered: Sequence[PartImage]) -> None:
    """Number the photos. In two phases, since the database checks the unique order row by row."""
    for place, image in enumerate(ordered):
        image.display_order = -1 - place
    session.flush()
    for place, image in enumerate(ordered):
        image.display_order = place
    session.flush()


def _sync_cover(part: Part, ordered: Sequence[PartImage]) -> None:
    """Let the part show its first photo, if that is not still to be imported."""
    has_cover = bool(ordered) and ordered[0].storage_path is not None
    part.primary_image_url = ordered[0].image_url if has_cover else None
    part.revision += 1

"""The same picture twice, in one part or in two: a slip that would be paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import aliased

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage
from acr3d.photos.photo import Photo

MOST_DIFFERENT_BITS = 30
"""Pictures whose looks differ in no more bits are the same one (docs/decisions/0040-part-facts.md)."""


@dataclass(frozen=True)
class SamePhoto:
    """`image` is the same picture as `other`, of `part`."""

    image: PartImage
    other: PartImage
    part: Part


def known_as(photo: Photo, part_id: str) -> str | None:
    """The id of a present photo that is the same picture; rather one of this part than of others."""
    present = (
        select(PartImage.id, PartImage.look)
        .join(Part, Part.id == PartImage.part_id)
        .where(PartImage.deleted_at.is_(None), Part.deleted_at.is_(None))
        .order_by(PartImage.part_id != part_id, PartImage.created_at)
    )
    same_file: str | None = db.session.scalar(present.where(PartImage.sha256 == photo.sha256).limit(1))
    if same_file is not None:
        return same_file
    look = int(photo.look, 16)
    rows = db.session.execute(present.where(PartImage.look.is_not(None)))
    found = (image_id for image_id, other in rows if is_same(look, int(other or "0", 16)))
    return next(found, None)


def is_same(look: int, other: int) -> bool:
    return (look ^ other).bit_count() <= MOST_DIFFERENT_BITS


def same_photos(images: Sequence[PartImage]) -> list[SamePhoto]:
    """Which of these photos are the same picture as another present one."""
    ids = [image.id for image in images if image.same_as_id]
    if not ids:
        return []
    one, other = aliased(PartImage), aliased(PartImage)
    query = (
        select(one.id, other, Part)
        .join(other, other.id == one.same_as_id)
        .join(Part, Part.id == other.part_id)
        .where(one.id.in_(ids), other.deleted_at.is_(None), Part.deleted_at.is_(None))
    )
    by_id = {image.id: image for image in images}
    return [SamePhoto(by_id[image_id], again, part) for image_id, again, part in db.session.execute(query)]

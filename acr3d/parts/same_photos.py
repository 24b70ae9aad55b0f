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


def known_as(photos: Sequence[Photo], part_id: str) -> list[str | None]:
    """For each photo: the id of a present one that is the same picture, if there is one.

    Rather one of the same bytes than one that looks alike, and rather one of this part than of others.
    """
    present = (
        select(PartImage.id, PartImage.sha256, PartImage.look)
        .join(Part, Part.id == PartImage.part_id)
        .where(PartImage.deleted_at.is_(None), Part.deleted_at.is_(None))
        .order_by(PartImage.part_id != part_id, PartImage.created_at)
    )
    looks = [int(photo.look, 16) for photo in photos]
    alike: dict[int, str] = {}
    same_file: dict[str | None, str] = {}
    for image_id, sha256, other in db.session.execute(present):
        same_file.setdefault(sha256, image_id)
        if other is None:
            continue
        other_look = int(other, 16)
        for place, look in enumerate(looks):
            if is_same(look, other_look):
                alike.setdefault(place, image_id)
    return [same_file.get(photo.sha256, alike.get(place)) for place, photo in enumerate(photos)]


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

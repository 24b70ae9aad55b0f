"""The parts that customers may see, in bulk, for the site map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from acr3d.clean_photos.shown import shown
from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage

_AT_ONCE = 1_000
_IS_PUBLIC = (Part.is_published.is_(True), Part.deleted_at.is_(None))


@dataclass(frozen=True)
class ListedPart:
    """A part's number, when it last changed, and the paths of its photos in their order."""

    sku: str
    updated_at: datetime
    images: list[str]


def count_parts() -> int:
    """How many parts customers may see."""
    return db.session.scalar(select(func.count()).select_from(Part).where(*_IS_PUBLIC)) or 0


def parts(first: int, count: int) -> Iterator[ListedPart]:
    """`count` of them from the `first` (0, 1, …) on, in a fixed order."""
    for offset in range(first, first + count, _AT_ONCE):
        most = min(_AT_ONCE, first + count - offset)
        page = select(Part.id, Part.sku, Part.updated_at).where(*_IS_PUBLIC).order_by(Part.id)
        rows = db.session.execute(page.offset(offset).limit(most)).all()
        images = _images([row.id for row in rows])
        for row in rows:
            yield ListedPart(row.sku, row.updated_at, images.get(row.id, []))
        if len(rows) < most:
            return


def _images(part_ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    photos = select(PartImage).where(
        PartImage.part_id.in_(part_ids), PartImage.deleted_at.is_(None), PartImage.storage_path.is_not(None)
    )
    for image in db.session.scalars(photos.order_by(PartImage.display_order)):
        found.setdefault(image.part_id, []).append(shown(image).url)
    return found

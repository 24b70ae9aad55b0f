"""The parts that customers may see and that have an offer, in bulk, for the feeds of other shops."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from acr3d.db.extensions import db
from acr3d.db.models import Part

_AT_ONCE = 500
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


def offers() -> Iterator[list[Part]]:
    """Those with price, currency and availability, some hundred at a time, with numbers and category."""
    offered = (
        Part.is_published.is_(True),
        Part.deleted_at.is_(None),
        Part.price.is_not(None),
        Part.currency.is_not(None),
        Part.availability.is_not(None),
    )
    facts = (selectinload(Part.number_rows), selectinload(Part.category_row))
    query = select(Part).where(*offered).options(*facts).order_by(Part.id).limit(_AT_ONCE)
    last = _BEFORE_ALL
    while parts := list(db.session.scalars(query.where(Part.id > last))):
        last = parts[-1].id
        yield parts

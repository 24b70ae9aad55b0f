"""Finding parts: for the catalogue, the staff's list and the site map."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.parts.parts import present_parts

PAGE_SIZE = 24


@dataclass(frozen=True)
class Page:
    """One page of the parts that were found; `count` is the number of pages, `total` of parts."""

    parts: list[Part]
    number: int
    count: int
    total: int
    query: str


def search(query: str, page: int, *, published_only: bool) -> Page:
    """Parts whose SKU, name or description hold every word of `query`, by name; pages count from 1."""
    wanted = [_holds(word) for word in query.replace("\x00", " ").split()]
    if published_only:
        wanted.append(Part.is_published.is_(True))
    found = present_parts().where(*wanted)
    total = db.session.scalar(select(func.count()).select_from(found.subquery())) or 0
    count = max(1, math.ceil(total / PAGE_SIZE))
    number = min(max(1, page), count)
    ordered = found.order_by(func.lower(Part.name), Part.id)
    parts = db.session.scalars(ordered.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(list(parts), number, count, total, query)


def published_parts() -> list[Part]:
    """Every part that customers may see, for the site map."""
    return list(db.session.scalars(present_parts().where(Part.is_published).order_by(Part.sku_key)))


def _holds(word: str) -> ColumnElement[bool]:
    columns = (Part.sku_key, func.lower(Part.name), func.lower(Part.description))
    spelt = (word.casefold(), word.lower(), word.lower())
    return or_(*(column.contains(text, autoescape=True) for column, text in zip(columns, spelt, strict=True)))

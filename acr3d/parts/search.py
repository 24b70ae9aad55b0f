"""Finding parts: for the catalogue, the staff's list and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import selectinload

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartSearch
from acr3d.parts import keyset
from acr3d.parts.filters import Facets, Filters, facets
from acr3d.parts.keyset import Cursor, Order, Rows, as_id, as_moment, as_rank, as_text
from acr3d.parts.parts import present_parts
from acr3d.parts.search_query import Near, Query
from acr3d.parts.typos import words_near

PAGE_SIZE = 24
COUNTED = 10_000
"""So many parts are counted exactly; a search lists no more."""
_FEW = 10
"""A search that finds fewer also forgives typos."""
_CORRECTED = "-corrected"

ORDERS = {
    "name": Order((PartSearch.name_key, PartSearch.sku_key, PartSearch.part_id), (as_text, as_text, as_id)),
    # Parts that have something to look at, then the others; each by name.
    "pictures": Order(
        (PartSearch.is_bare, PartSearch.name_key, PartSearch.sku_key, PartSearch.part_id),
        (bool, as_text, as_text, as_id),
    ),
    "sku": Order((PartSearch.sku_key, PartSearch.part_id), (as_text, as_id)),
    "newest": Order((PartSearch.created_at, PartSearch.part_id), (as_moment, as_id), is_descending=True),
}
RELEVANCE = "relevance"


@dataclass(frozen=True)
class Page:
    """One page of a list. `total` is at most COUNTED; `is_more` says that there are more."""

    parts: list[Part]
    total: int
    is_more: bool
    next: Cursor | None
    previous: Cursor | None
    query: str = ""
    filters: Filters = field(default_factory=Filters)
    facets: Facets | None = None
    """How many parts other filters would leave; None for a search."""


def search(text: str, filters: Filters, *, order: str = "", cursor: str = "", limit: int = PAGE_SIZE) -> Page:
    """A page of the parts that `text` finds, or of all of them if it is empty.

    `order` is a key of ORDERS; without one, a search begins with the best and a list goes by name. `cursor`
    is one of a page before. Raises InvalidInput for the cursor of another list.
    """
    query = Query(text)
    if not query and text.strip():
        return Page([], 0, False, None, None, text, filters)  # nothing but punctuation
    counted = None
    if query:
        rows, total = _found(query, filters, order or RELEVANCE, cursor, limit)
    else:
        counted = facets(filters.category)
        rows, total = _listed(filters, order or "name", cursor, limit), counted.count(filters)
    parts = _parts([row[-1] for row in rows.rows])
    return Page(parts, min(total, COUNTED), total > COUNTED, rows.next, rows.previous, text, filters, counted)


def all_ids(text: str, filters: Filters, order: str = "") -> list[str]:
    """The ids of all the parts that `search` lists page by page, also of those behind COUNTED."""
    query = Query(text)
    if not query:
        return [] if text.strip() else _ids(filters.conditions(), ORDERS[order or "name"].sorted_columns())
    kind = ORDERS.get(order) or _by_rank(query)

    def found(near: Near | None) -> list[str]:
        condition = query.condition(db.engine.dialect.name, near)
        return _ids([condition, *filters.conditions()], kind.sorted_columns())

    ids = found(None)
    if len(ids) >= _FEW:
        return ids
    near = words_near(query.plain_words)
    return found(near.__getitem__) if any(near.values()) else ids


def load_facts(parts: Sequence[Part]) -> None:
    """Read at once what each of `parts` would otherwise read by itself: numbers, vehicles, category."""
    facts = (selectinload(Part.number_rows), selectinload(Part.fitment_rows), selectinload(Part.category_row))
    wanted = select(Part).where(Part.id.in_([part.id for part in parts])).options(*facts)
    db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def _listed(filters: Filters, order: str, cursor: str, limit: int) -> Rows:
    at = keyset.read(cursor, {order: ORDERS[order]}) if cursor else None
    # Only this order's index begins with a filter; those of the others are read in order, and pass over.
    conditions = filters.conditions(by_index=order == "pictures")
    query = select(*ORDERS[order].columns).where(*conditions)
    return keyset.rows(query, order, ORDERS[order], at, limit)


def _found(query: Query, filters: Filters, order: str, cursor: str, limit: int) -> tuple[Rows, int]:
    """The rows that are found, with typos put right if there are few; and how many in all."""
    kind = ORDERS.get(order) or _by_rank(query)
    corrected = order + _CORRECTED
    at = keyset.read(cursor, {order: kind, corrected: kind}) if cursor else None
    if at is None or at.order == order:
        rows, total = _hits(query, None, filters, order, kind, at, limit)
        if at or total >= _FEW:
            return rows, total
    near = words_near(query.plain_words)
    if at is None and not any(near.values()):
        return rows, total
    return _hits(query, near.__getitem__, filters, corrected, kind, at, limit)


def _by_rank(query: Query) -> Order:
    return Order((query.rank(), *ORDERS["name"].columns), (as_rank, *ORDERS["name"].read))


def _ids(conditions: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]]) -> list[str]:
    return list(db.session.scalars(select(PartSearch.part_id).where(*conditions).order_by(*order)))


def _hits(
    query: Query, near: Near | None, filters: Filters, order: str, kind: Order, at: Cursor | None, limit: int
) -> tuple[Rows, int]:
    condition = query.condition(db.engine.dialect.name, near)
    keys: list[ColumnElement[Any]] = [
        column.label(f"key_{place}") for place, column in enumerate(kind.columns)
    ]
    found = select(*keys).where(condition, *filters.conditions()).limit(COUNTED + 1).cte("found")
    rows = keyset.rows(select(found), order, replace(kind, columns=tuple(found.c)), at, limit)
    return rows, db.session.scalar(select(func.count()).select_from(found)) or 0


def _parts(part_ids: list[str]) -> list[Part]:
    found = {part.id: part for part in db.session.scalars(present_parts().where(Part.id.in_(part_ids)))}
    return [found[part_id] for part_id in part_ids if part_id in found]

"""All parts as a table that an import takes back: a column for each field, in the order of the SKUs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.imports.cells import from_value
from acr3d.parts.fields import FIELDS, values_of
from acr3d.tables.writing import FORMATS

_BATCH = 500


def exported(table_format: str) -> Iterator[bytes]:
    """The parts in one of `FORMATS`, some at a time, so that memory stays small."""
    columns = [field.name for field in FIELDS]
    is_json = table_format == "jsonl"  # which tells numbers, truth and nothing from text
    rows = _parts() if is_json else map(_as_cells, _parts())
    return FORMATS[table_format](columns, rows)


def _as_cells(values: dict[str, Any]) -> dict[str, Any]:
    return {field.name: from_value(values[field.name], field) for field in FIELDS}


def _parts() -> Iterator[dict[str, Any]]:
    present = select(Part).where(Part.deleted_at.is_(None)).order_by(Part.sku_key, Part.id).limit(_BATCH)
    page = db.session.scalars(present).all()
    while page:
        yield from map(values_of, page)
        last = page[-1]
        after = (Part.sku_key > last.sku_key) | ((Part.sku_key == last.sku_key) & (Part.id > last.id))
        db.session.expunge_all()
        db.session.rollback()
        page = db.session.scalars(present.where(after)).all()

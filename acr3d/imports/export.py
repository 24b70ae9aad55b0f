"""All parts as a table that an import takes back: a column for each field, in the order of the SKUs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.imports.cells import from_value
from acr3d.parts.fields import FIELDS, values_of
from acr3d.tables.writing import FORMATS

_BATCH = 500


def exported(table_format: str, part_ids: Sequence[str] | None = None) -> Iterator[bytes]:
    """The parts in one of `FORMATS`, some at a time, so that memory stays small. `part_ids`: only these."""
    columns = [field.name for field in FIELDS]
    parts = _parts() if part_ids is None else _chosen(part_ids)
    is_json = table_format == "jsonl"  # which tells numbers, truth and nothing from text
    return FORMATS[table_format](columns, parts if is_json else map(_as_cells, parts))


def _as_cells(values: dict[str, Any]) -> dict[str, Any]:
    return {field.name: from_value(values[field.name], field) for field in FIELDS}


def _chosen(part_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(part_ids), _BATCH):
        ids = part_ids[start : start + _BATCH]
        found = {one.id: one for one in db.session.scalars(_present().where(Part.id.in_(ids)))}
        yield from [values_of(found[one]) for one in ids if one in found]
        _forget()


def _parts() -> Iterator[dict[str, Any]]:
    ordered = _present().order_by(Part.sku_key, Part.id).limit(_BATCH)
    page = db.session.scalars(ordered).all()
    while page:
        yield from map(values_of, page)
        last = page[-1]
        after = (Part.sku_key > last.sku_key) | ((Part.sku_key == last.sku_key) & (Part.id > last.id))
        _forget()
        page = db.session.scalars(ordered.where(after)).all()


def _present() -> Select[Part]:
    lists = (selectinload(Part.number_rows), selectinload(Part.fitment_rows), selectinload(Part.category_row))
    return select(Part).where(Part.deleted_at.is_(None)).options(*lists)


def _forget() -> None:
    """Let go of what was read, and end the reading transaction."""
    db.session.expunge_all()
    db.session.rollback()

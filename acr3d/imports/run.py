"""Write a batch of a table's rows to the parts, in the caller's transaction; and what a table would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.types import new_id
from acr3d.imports.plan import Action, Planned, Planner, Row
from acr3d.imports.table import Table
from acr3d.parts import sku_lookup
from acr3d.parts.fields import FIELDS, column_of, default_values

BATCH = 200
_COLUMNS = {field.name: column_of(field.name) for field in FIELDS}


def preview(table: Table, planner: Planner) -> Iterator[Planned]:
    """What importing the table would do; changes nothing."""
    for rows in batches(table):
        yield from planner.plan(db.session(), rows)
        db.session.rollback()  # a long file must not hold one transaction open


def write(session: Session, planned: Sequence[Planned]) -> dict[int, Part]:
    """Write the new and changed parts; returns them by their rows' numbers."""
    defaults = default_values()
    new = {one.number: _new(defaults | dict(one.values)) for one in planned if one.action == Action.NEW}
    sku_lookup.claim_free(session, list(new.values()))
    session.add_all(new.values())
    changed = {}
    for one in planned:
        if one.action == Action.CHANGED and one.part is not None:
            set_values(one.part, one.values)
            one.part.revision += 1
            changed[one.number] = one.part
    return new | changed


def set_values(part: Part, values: Mapping[str, Any]) -> None:
    """Set fields to values that they have parsed before."""
    for name, value in values.items():
        setattr(part, _COLUMNS[name], value)


def batches(table: Table) -> Iterator[list[Row]]:
    """The table's rows, some at a time."""
    rows: Iterator[Row] = table.rows()
    while batch := list(islice(rows, BATCH)):
        yield batch


def _new(values: Mapping[str, Any]) -> Part:
    part = Part(id=new_id(), revision=1)
    set_values(part, values)
    return part

"""Write a table's rows to the parts, some at a time: whatever ends it in between, the same file goes on.

A row that is already in effect changes nothing, so running a file again after a kill finishes the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.exc import IntegrityError

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.session import transaction
from acr3d.errors import InvalidInput
from acr3d.imports.plan import Action, Planned, Planner, Row
from acr3d.imports.table import Table
from acr3d.parts import sku_lookup
from acr3d.parts.fields import assign, column_of, new_part_values

_BATCH = 200


def preview(table: Table, planner: Planner) -> Iterator[Planned]:
    """What importing the table would do; changes nothing."""
    for rows in _batches(table):
        yield from planner.plan(db.session(), rows)
        db.session.rollback()  # a long file must not hold one transaction open


def run(table: Table, planner: Planner) -> Iterator[Planned]:
    """Import the table; each row as it was done."""
    for rows in _batches(table):
        try:
            yield from _written(planner, rows)
        except IntegrityError:  # another person gave one of these SKUs to a part in the meantime
            for row in rows:
                yield _alone(planner, row)


def _written(planner: Planner, rows: Sequence[Row]) -> list[Planned]:
    with transaction() as session, session.no_autoflush:
        planned = planner.plan(session, rows, lock=True)
        new = [_new(one.values) for one in planned if one.action == Action.NEW]
        sku_lookup.claim_free(session, new)
        session.add_all(new)
        for one in planned:
            if one.action == Action.CHANGED and one.part is not None:
                _change(one.part, one.values)
    return planned


def _new(values: Mapping[str, Any]) -> Part:
    part = Part()
    assign(part, {name: value for name, value in new_part_values().items() if name not in values})
    _write(part, values)
    return part


def _change(part: Part, values: Mapping[str, Any]) -> None:
    _write(part, values)
    part.revision += 1


def _write(part: Part, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(part, column_of(name), value)


def _alone(planner: Planner, row: Row) -> Planned:
    try:
        return _written(planner, [row])[0]
    except (InvalidInput, IntegrityError):
        return planner.refused_meanwhile(row)


def _batches(table: Table) -> Iterator[list[Row]]:
    rows: Iterator[Row] = table.rows()
    while batch := list(islice(rows, _BATCH)):
        yield batch

"""The rows of an import, for people: some at a time, one kind of them, each field old and new in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from acr3d.db.extensions import db
from acr3d.db.models import Import, ImportRow
from acr3d.imports.plan import Action
from acr3d.parts.fields import FIELDS, Field

PAGE_SIZE = 50
LEFT = "left"
"""Beside the actions: rows that the undoing left."""
KINDS = (*Action, LEFT)
_LONGEST = 200
_BATCH = 1000


@dataclass(frozen=True)
class Difference:
    """One field that a row changes, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class RowPage:
    """Some rows; `next` is the `after` of the next page, None on the last one."""

    rows: list[ImportRow]
    next: int | None


def page(record: Import, kind: str = "", after: int = -1) -> RowPage:
    """The rows of one kind (see KINDS; empty for all) behind the row with this number."""
    query = _of(record.id, kind).where(ImportRow.number > after).limit(PAGE_SIZE + 1)
    found = list(db.session.scalars(query))
    shown = found[:PAGE_SIZE]
    return RowPage(shown, shown[-1].number if len(found) > PAGE_SIZE else None)


def problems(import_id: str) -> Iterator[list[tuple[int, str, str]]]:
    """Number, SKU and sentence of all refused rows and those that the undoing left, some at a time."""
    for kind in (Action.REFUSED, LEFT):
        after = -1
        while found := list(
            db.session.scalars(_of(import_id, kind).where(ImportRow.number > after).limit(_BATCH))
        ):
            after = found[-1].number
            yield [(row.number, row.sku, row.problem or row.not_undone) for row in found]


def differences(row: ImportRow) -> list[Difference]:
    """What a row changes, or what a new part begins with."""
    shown = [field for field in FIELDS if field.name in row.after]
    if row.action == Action.NEW:
        shown = [field for field in shown if field.name != "sku"]
    return [
        Difference(
            str(one.label), _in_words(one, row.before.get(one.name)), _in_words(one, row.after[one.name])
        )
        for one in shown
    ]


def _of(import_id: str, kind: str) -> Select[ImportRow]:
    query = select(ImportRow).where(ImportRow.import_id == import_id).order_by(ImportRow.number)
    if kind == LEFT:
        return query.where(ImportRow.not_undone != "")
    return query.where(ImportRow.action == kind) if kind else query


def _in_words(field: Field, value: Any) -> str:
    words = field.kind.in_words(field.kind.to_form(value))
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "…"

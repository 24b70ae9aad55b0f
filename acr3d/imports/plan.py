"""What a row would do: make a part, change one, nothing, or be refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flask_babel import gettext
from sqlalchemy.orm import Session

from acr3d.db.models import Part
from acr3d.errors import InvalidInput
from acr3d.imports.cells import decimal_sign, to_value
from acr3d.imports.headings import PHOTOS
from acr3d.imports.table import Table
from acr3d.parts import categories
from acr3d.parts.fact_kinds import Amount
from acr3d.parts.fields import FIELDS, Quantity, column_of, required_names
from acr3d.parts.sku_lookup import SkuInUse, parts_by_look
from acr3d.parts.skus import canonical, look
from acr3d.tables.limits import Cell

Row = tuple[int, Mapping[str, Cell]]

_FIELDS = {one.name: one for one in FIELDS}


class Action(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Planned:
    """One row's fate. `values` are those to write; `before` what the part has in the same fields."""

    number: int
    sku: str
    action: Action
    values: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    part: Part | None = None
    problem: str = ""


class Planner:
    """Plans the rows of one table, in the order of the file. An empty cell leaves what the part has."""

    def __init__(self, table: Table, sign: str | None = None, makes_categories: bool = False) -> None:
        """`sign`: the decimal sign in text, None to find it. `makes_categories`: a category that there is not
        yet is no fault. Raises InvalidInput without a SKU column.
        """
        self._units = {one.field: one.unit for one in table.columns if one.field}
        if "sku" not in self._units:
            raise InvalidInput(
                gettext(
                    "No column holds part numbers (SKU), so the rows cannot be matched with parts. Nothing "
                    "was imported. Name that column “SKU”, or say which it is."
                )
            )
        self.sign = sign or _sign(table)
        self._makes_categories = makes_categories
        self._rows_by_look: dict[str, int] = {}

    def plan(self, session: Session, rows: Sequence[Row], lock: bool = False) -> list[Planned]:
        """What each row would do now. With `lock`, the parts stay as they are until the transaction ends."""
        skus = {number: sku_in(cells) for number, cells in rows}
        parts = parts_by_look(session, [sku for sku in skus.values() if sku], lock)
        return [
            self._planned(number, skus[number], cells, parts.get(look(skus[number])))
            for number, cells in rows
        ]

    def _planned(self, number: int, sku: str, cells: Mapping[str, Cell], part: Part | None) -> Planned:
        try:
            self._check_first(number, sku)
            values = self._values(cells)
            if part is None and (missing := [name for name in required_names() if name not in values]):
                _FIELDS[missing[0]].parse(None)
            if part is not None and canonical(part.sku) != canonical(values["sku"]):
                raise SkuInUse(sku, part)
        except InvalidInput as refusal:
            return Planned(number, sku, Action.REFUSED, problem=str(refusal))
        if part is None:
            return Planned(number, sku, Action.NEW, values)
        del values["sku"]  # equal, if perhaps typed in another way
        present = {name: getattr(part, column_of(name)) for name in values}
        changed = {name: value for name, value in values.items() if present[name] != value}
        before = {name: present[name] for name in changed}
        return Planned(number, sku, Action.CHANGED if changed else Action.UNCHANGED, changed, before, part)

    def remember(self, rows: Sequence[Row]) -> None:
        """Take rows as planned that were so before, to see when one comes twice."""
        for number, cells in rows:
            with suppress(InvalidInput):
                if sku := sku_in(cells):
                    self._rows_by_look.setdefault(look(sku), number)

    def skus(self, table: Table) -> Iterator[str]:
        """The SKUs that the table's rows name, empty ones left out."""
        for _number, cells in table.rows():
            with suppress(InvalidInput):
                if sku := sku_in(cells):
                    yield sku

    def missing_categories(self, rows: Sequence[Row]) -> list[str]:
        """The paths of the categories that these rows name and that are to be made, the highest first."""
        found: dict[str, None] = {}
        if self._makes_categories:
            for path in sorted({str(cells.get("category") or "").strip() for _number, cells in rows} - {""}):
                with suppress(InvalidInput):  # the row is refused when its turn comes
                    found.update(dict.fromkeys(categories.missing(path)))
        return list(found)

    def refused_meanwhile(self, row: Row) -> Planned:
        """The row, whose part number somebody else gave to a part while it was being written."""
        problem = gettext("Another part was given this part number (SKU) just now. Import the file again.")
        return Planned(row[0], sku_in(row[1]), Action.REFUSED, problem=problem)

    def _check_first(self, number: int, sku: str) -> None:
        first = self._rows_by_look.setdefault(look(sku), number) if sku else number
        if first != number:
            raise InvalidInput(
                gettext(
                    "Row %(first)s has the same part number (SKU). Keep one of the two rows.", first=first
                )
            )

    def _values(self, cells: Mapping[str, Cell]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, cell in cells.items():
            if name == PHOTOS or (isinstance(cell, str) and not cell.strip()):
                continue
            one = _FIELDS[name]
            value = to_value(cell, one, self._units[name], self.sign)
            if name == "category" and self._makes_categories and isinstance(value, str):
                values[name] = categories.id_or_new_path(value)
                continue
            values[name] = one.parse(value)
        return values


def sku_in(cells: Mapping[str, Cell]) -> str:
    """The row's SKU as the part has it, also where a spreadsheet made a date or a number of it."""
    cell = cells.get("sku", "")
    return str(to_value(cell, _FIELDS["sku"], "", None)).strip()


def _sign(table: Table) -> str | None:
    """The decimal sign that the table's measured columns use."""
    measured = {one.name for one in FIELDS if isinstance(one.kind, Quantity | Amount)}
    return decimal_sign(
        cell for _number, cells in table.rows() for name, cell in cells.items() if name in measured
    )

"""A cell becomes what a field's `parse` takes, and a field's value becomes a cell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress

from flask_babel import gettext

from acr3d.errors import InvalidInput
from acr3d.parts import numerals
from acr3d.parts.fact_kinds import Amount
from acr3d.parts.fields import Field, Quantity, Switch, Text
from acr3d.tables.limits import Cell

_YES = frozenset(("yes", "y", "true", "1", "x", "on", "ja", "j", "wahr", "si", "sí", "verdadero"))
_JSON = re.compile(r"\[\{|\{\"")
_NO = frozenset(("no", "n", "false", "0", "off", "nein", "falsch", "falso"))
# 1,200 is one number to some and another to others; what tells them apart is in other cells.
_ONE_GROUP = re.compile(
    r"(?<![\d.,])(?P<whole>[1-9]\d{0,2})(?P<sign>[.,])(?P<part>\d{3})(?![\d.,])", re.ASCII
)
_DECIMAL_POINT = re.compile(
    r"(?<![\d.,])(?:\d{1,3}(?:,\d{3})+|\d+)\.(?:\d{1,2}|\d{4,})(?![\d.,])|0\.\d", re.ASCII
)
_DECIMAL_COMMA = re.compile(
    r"(?<![\d.,])(?:\d{1,3}(?:\.\d{3})+|\d+),(?:\d{1,2}|\d{4,})(?![\d.,])|0,\d", re.ASCII
)


def decimal_sign(cells: Iterable[Cell]) -> str | None:
    """The decimal sign of the numbers in text cells; None where none tells it, or they contradict."""
    has_point = has_comma = False
    for cell in cells:
        if isinstance(cell, str):
            has_point |= bool(_DECIMAL_POINT.search(cell))
            has_comma |= bool(_DECIMAL_COMMA.search(cell))
    if has_point == has_comma:
        return None
    return "." if has_point else ","


def to_value(cell: Cell, field: Field, unit: str, sign: str | None) -> object:
    """What `field.parse` takes for this cell, whose heading states `unit` (or ""). Raises InvalidInput."""
    if isinstance(cell, str) and _JSON.match(cell) and not isinstance(field.kind, Text):
        with suppress(ValueError):
            cell = json.loads(cell)
    if isinstance(cell, dict) and cell.keys() == {"date"} and dict not in field.json_types:
        cell = str(cell["date"])
    if isinstance(cell, list | dict):
        return cell
    if isinstance(field.kind, Switch):
        return _yes_or_no(cell, field)
    if isinstance(field.kind, Quantity | Amount):
        return _quantity(cell, unit, sign)
    return _text(cell)


def from_value(value: object, field: Field) -> str | int | float:
    """The cell that says this value of the field's column."""
    if isinstance(value, list | dict):
        return _lines(value, field)
    if not isinstance(field.kind, Text | Quantity | Amount | Switch):
        return field.kind.to_form(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return "" if value is None else str(value)


def _lines(value: list[object] | dict[str, object], field: Field) -> str:
    """As in the form; as JSON where that would be read in another way."""
    text = field.kind.to_form(value)
    with suppress(InvalidInput):
        if field.kind.parse(text, "") == value:
            return text
    return json.dumps(value, ensure_ascii=False)


def _yes_or_no(cell: str | int | float | bool, field: Field) -> bool:
    if isinstance(cell, bool):
        return cell
    word = _text(cell).strip().casefold()
    if word not in _YES | _NO:
        raise InvalidInput(
            gettext("“%(field)s”: “%(typed)s” must be yes or no.", field=str(field.label), typed=word[:40])
        )
    return word in _YES


def _quantity(cell: str | int | float | bool, unit: str, sign: str | None) -> object:
    if isinstance(cell, bool):
        return str(cell)  # refused with a sentence that shows it
    if isinstance(cell, int | float):
        return f"{numerals.as_typed(cell, '.')} {unit}" if unit else cell
    typed = _ONE_GROUP.sub(lambda found: _plainly(found, sign), cell) if sign else cell
    has_unit = any(letter.isalpha() or letter in "\"'″”" for letter in typed)
    return typed if has_unit or not unit or not typed.strip() else f"{typed} {unit}"


def _plainly(found: re.Match[str], sign: str | None) -> str:
    """The number in a spelling that can be read in one way only."""
    is_decimal = found["sign"] == sign
    return f"{found['whole']}.{found['part']}0" if is_decimal else found["whole"] + found["part"]


def _text(cell: str | int | float | bool) -> str:
    return numerals.as_typed(cell, ".") if isinstance(cell, float) else str(cell)

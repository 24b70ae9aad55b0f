"""What a spreadsheet program has spoilt in a column of numbers, as far as it shows: warnings, no refusals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from flask_babel import ngettext

from acr3d.tables.limits import Cell

_POWER = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE | re.ASCII)
_MOST_SHOWN = 5


def warnings(cells: Iterable[tuple[int, Cell]], heading: str) -> Iterator[str]:
    """Sentences about a column that holds part numbers; `cells` with the numbers of their rows."""
    column = list(cells)
    powers = [number for number, cell in column if isinstance(cell, str) and _POWER.fullmatch(cell.strip())]
    if powers:
        yield ngettext(
            "Column “%(heading)s”: %(num)d part number looks like 1E10 (row %(rows)s). A spreadsheet may "
            "have made it of digits. Check it in your system.",
            "Column “%(heading)s”: %(num)d part numbers look like 1E10 (rows %(rows)s). A spreadsheet may "
            "have made them of digits. Check them in your system.",
            len(powers),
            heading=heading,
            rows=_shown(powers),
        )
    dates = [number for number, cell in column if isinstance(cell, dict)]
    if dates:
        yield ngettext(
            "Column “%(heading)s”: %(num)d part number is a date (row %(rows)s). The spreadsheet made one "
            "of it. Format the column as text and type the number again.",
            "Column “%(heading)s”: %(num)d part numbers are dates (rows %(rows)s). The spreadsheet made "
            "them so. Format the column as text and type the numbers again.",
            len(dates),
            heading=heading,
            rows=_shown(dates),
        )
    if short := _without_zeros(column):
        yield ngettext(
            "Column “%(heading)s”: %(num)d part number may have lost its leading zeros (row %(rows)s). "
            "Format the column as text and type the number again.",
            "Column “%(heading)s”: %(num)d part numbers may have lost their leading zeros (rows %(rows)s). "
            "Format the column as text and type the numbers again.",
            len(short),
            heading=heading,
            rows=_shown(short),
        )


def _without_zeros(column: list[tuple[int, Cell]]) -> list[int]:
    """Rows whose digits are fewer than those of the numbers that do begin with a zero."""
    digits = [(number, str(cell)) for number, cell in column if str(cell).isdecimal()]
    lengths = Counter(len(one) for _number, one in digits if one.startswith("0") and len(one) > 1)
    if not lengths:
        return []
    [(usual, _count)] = lengths.most_common(1)
    return [number for number, one in digits if len(one) < usual and not one.startswith("0")]


def _shown(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:_MOST_SHOWN])) + (" …" if len(numbers) > _MOST_SHOWN else "")

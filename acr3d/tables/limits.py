"""What a table may have; and how one that has more is refused."""

from __future__ import annotations

from acr3d.messages.message import Message, MessageError

MOST_BYTES = 100_000_000
MOST_UNPACKED_BYTES = 400_000_000
MOST_ROWS = 200_000
MOST_EMPTY_ROWS = 2_000_000
MOST_COLUMNS = 500
LONGEST_CELL = 32_767
"""As in spreadsheets."""

Cell = str | int | float | bool | dict[str, object] | list[object]
"""A number is one that a spreadsheet holds as such; a date is `{"date": "2026-03-01"}`. Text is as typed.
Lists and other objects are
in JSON only."""


class TableRefused(MessageError):
    """The file cannot be read as a table that we can import."""

    def __init__(self, code: str, **params: str | int | float | Message) -> None:
        super().__init__(Message(code, **params))
        self.code = code


def check_row(row: list[Cell], number: int) -> None:
    """Raises TableRefused for a row with too many or too long cells."""
    if len(row) > MOST_COLUMNS:
        raise TableRefused("table.too_many_columns", row=number, most=MOST_COLUMNS)
    if any(isinstance(cell, str) and len(cell) > LONGEST_CELL for cell in row):
        raise TableRefused("table.cell_too_long", row=number, most=LONGEST_CELL)
    if any(map(_holds_nul, row)):
        raise TableRefused("table.not_text", row=number)


def _holds_nul(cell: object) -> bool:
    if isinstance(cell, dict):
        return any(map(_holds_nul, [*cell, *cell.values()]))
    if isinstance(cell, list):
        return any(map(_holds_nul, cell))
    return isinstance(cell, str) and "\x00" in cell

"""Cells that a spreadsheet program would run as a formula: made harmless in CSV, read back as they were."""

from __future__ import annotations

import re

# Spreadsheet programs run a cell that begins so as a formula; a quotation mark before it makes it text.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_QUOTED = re.compile(r"'+[=+\-@\t\r]")


def harmless(cell: object) -> object:
    """The cell, with a quotation mark before text that a spreadsheet program would run."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def as_it_was(cell: str) -> str:
    """The text of which `harmless` made this."""
    return cell[1:] if _QUOTED.match(cell) else cell

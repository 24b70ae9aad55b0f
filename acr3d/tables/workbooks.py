"""XLSX, ODS and XLS: one sheet's cells, formulas as the values that were stored."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from acr3d.tables.limits import MOST_UNPACKED_BYTES, Cell, TableRefused

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST_EXACT = 1 << 53


def is_workbook(file: Path) -> bool:
    """Whether the file's first bytes are those of a spreadsheet program's file."""
    with file.open("rb") as stream:
        return stream.read(8).startswith((_ZIP, _OLE))


def sheet_names(file: Path) -> list[str]:
    """The sheets that have cells, in their order. Raises TableRefused."""
    _check_size(file)
    workbook = _open(file)
    return [name for name in workbook.sheet_names if _sheet(workbook, name).height]


def rows(file: Path, sheet: str) -> Iterator[tuple[int, list[Cell]]]:
    """Each row with its number, from 1. Raises TableRefused."""
    for number, row in enumerate(_sheet(_open(file), sheet).iter_rows(), start=1):
        yield number, [_cell(value) for value in row]


def _check_size(file: Path) -> None:
    """Raises TableRefused for what is far larger unpacked than any table is."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        if sum(one.file_size for one in archive.infolist()) > MOST_UNPACKED_BYTES:
            raise TableRefused("table.unpacks_too_large", megabytes=MOST_UNPACKED_BYTES // 1_000_000)


def _open(file: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(file)
    except (CalamineError, OSError) as error:
        raise TableRefused("table.damaged_workbook") from error


def _sheet(workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    try:
        return workbook.get_sheet_by_name(name)
    except CalamineError as error:
        raise TableRefused("table.damaged_workbook") from error


def _cell(value: object) -> Cell:
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    if isinstance(value, datetime.date | datetime.time):
        return {"date": value.isoformat()}
    if isinstance(value, float):
        # A spreadsheet has one kind of number; 1200.0 is what somebody typed as 1200.
        return int(value) if value.is_integer() and abs(value) <= _LARGEST_EXACT else value
    return value if isinstance(value, bool | int | str) else str(value)

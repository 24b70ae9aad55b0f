"""Tables out: CSV, XLSX and JSON lines. The same rows give the same bytes."""

from __future__ import annotations

import csv
import datetime
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from acr3d.tables.formulas import harmless

_CHUNK_BYTES = 1 << 16
_NO_TIME = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)

Rows = Iterable[Mapping[str, Any]]


def csv_bytes(columns: Sequence[str], rows: Rows) -> Iterator[bytes]:
    """CSV as spreadsheets read it: UTF-8 with its mark, and no cell that they run as a formula."""
    yield "\ufeff".encode()
    line = io.StringIO(newline="")
    writer = csv.writer(line)
    writer.writerow(columns)
    for cells in rows:
        writer.writerow([harmless(cells[name]) for name in columns])
        if line.tell() > _CHUNK_BYTES:
            yield _taken(line)
    yield _taken(line)


def xlsx_bytes(columns: Sequence[str], rows: Rows) -> Iterator[bytes]:
    """A workbook of one sheet. Text is text, whatever it begins with."""
    import xlsxwriter  # only now: it is large, and few exports are workbooks

    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False})
        book.set_properties({"created": _NO_TIME})
        sheet = book.add_worksheet()
        for place, name in enumerate(columns):
            sheet.write_string(0, place, name)
        for number, cells in enumerate(rows, start=1):
            for place, name in enumerate(columns):
                _write(sheet, number, place, cells[name])
        book.close()
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def json_lines(columns: Sequence[str], rows: Rows) -> Iterator[bytes]:
    """A JSON object a line."""
    for cells in rows:
        yield json.dumps({name: cells[name] for name in columns}, ensure_ascii=False).encode() + b"\n"


FORMATS: dict[str, Callable[[Sequence[str], Rows], Iterator[bytes]]] = {
    "csv": csv_bytes,
    "xlsx": xlsx_bytes,
    "jsonl": json_lines,
}


def _write(sheet: Any, row: int, column: int, cell: object) -> None:
    if isinstance(cell, int | float):
        sheet.write_number(row, column, cell)
    elif cell != "":
        sheet.write_string(row, column, str(cell))


def _taken(line: io.StringIO) -> bytes:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text.encode()

"""python -m acr3d.tables FILE FOLDER OPTIONS: read a table into FOLDER/rows.jsonl, lines `[number, cells]`.

OPTIONS is a JSON object that may say `encoding`, `delimiter` and `sheet`; the report says what was used, the
`sheets` there are, and the number of `rows`. Runs in a child process (acr3d.sandbox).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acr3d.messages.refusal import written
from acr3d.sandbox import REFUSED_EXIT
from acr3d.tables import delimited, json_lines, workbooks
from acr3d.tables.limits import MOST_BYTES, MOST_EMPTY_ROWS, MOST_ROWS, Cell, TableRefused, check_row


def main(argv: list[str]) -> int:
    """Print a report and return 0, or a refusal and REFUSED_EXIT."""
    file, folder, options = Path(argv[1]), Path(argv[2]), json.loads(argv[3])
    try:
        report, rows = _table(file, options)
        report["rows"] = _write(rows, folder / "rows.jsonl")
    except TableRefused as refusal:
        print(written(refusal.message, refusal.code), flush=True)
        return REFUSED_EXIT
    print(json.dumps({"report": report}), flush=True)
    return 0


def _table(file: Path, options: dict[str, str]) -> tuple[dict[str, Any], Iterator[tuple[int, list[Cell]]]]:
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise TableRefused("table.file_too_large", megabytes=size // 1_000_000, most=MOST_BYTES // 1_000_000)
    if workbooks.is_workbook(file):
        sheets = workbooks.sheet_names(file)
        if not sheets:
            raise TableRefused("table.empty")
        sheet = options["sheet"] if options.get("sheet") in sheets else sheets[0]
        return {"sheets": sheets, "sheet": sheet}, workbooks.rows(file, sheet)
    if json_lines.is_json_lines(file):
        return {}, json_lines.rows(file)
    encoding = options.get("encoding") or delimited.encoding_of(file)
    delimiter = options.get("delimiter") or delimited.delimiter_of(file, encoding)
    return {"encoding": encoding, "delimiter": delimiter}, delimited.rows(file, encoding, delimiter)


def _write(rows: Iterator[tuple[int, list[Cell]]], file: Path) -> int:
    """Write the rows that hold something; returns how many."""
    count = empty = 0
    with file.open("w") as lines:
        for number, row in rows:
            while row and (row[-1] == "" or (isinstance(row[-1], str) and not row[-1].strip())):
                row.pop()
            if not row:
                empty += 1
                if empty > MOST_EMPTY_ROWS:
                    raise TableRefused("table.too_many_rows", most=MOST_ROWS)
                continue
            check_row(row, number)
            count += 1
            if count > MOST_ROWS:
                raise TableRefused("table.too_many_rows", most=MOST_ROWS)
            lines.write(json.dumps([number, row]) + "\n")
    if count == 0:
        raise TableRefused("table.empty")
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv))

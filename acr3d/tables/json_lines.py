"""JSON lines: an object a line, whose keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from acr3d.tables.limits import MOST_COLUMNS, Cell, TableRefused

_LONGEST_LINE = 1_000_000


def is_json_lines(file: Path) -> bool:
    """Whether the file begins with a JSON object."""
    with file.open("rb") as stream:
        return stream.read(64).lstrip().startswith(b"{")


def rows(file: Path) -> Iterator[tuple[int, list[Cell]]]:
    """The keys as a heading (row 0), then each line's values. Raises TableRefused."""
    keys: dict[str, None] = {}
    for number, line in _objects(file):
        keys.update(dict.fromkeys(line))
        if len(keys) > MOST_COLUMNS:
            raise TableRefused("table.too_many_columns", row=number, most=MOST_COLUMNS)
    yield 0, list(keys)
    for number, line in _objects(file):
        yield number, ["" if line.get(key) is None else line[key] for key in keys]


def _objects(file: Path) -> Iterator[tuple[int, dict[str, Cell]]]:
    with file.open("rb") as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE):
            number += 1
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                # Neither a database nor a spreadsheet has halves of letters, or numbers that are none.
                json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
            except (ValueError, RecursionError) as error:
                raise TableRefused("table.broken_line", row=number) from error
            if not isinstance(found, dict):
                raise TableRefused("table.broken_line", row=number)
            yield number, found

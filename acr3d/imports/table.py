"""A table that was read: its heading, which column fills which field, and its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from acr3d import sandbox
from acr3d.imports.headings import Column, match
from acr3d.storage.temporary import temporary_folder
from acr3d.tables.limits import Cell, TableRefused

LIMITS = sandbox.Limits(seconds=120, memory_mb=300, file_mb=512)
_HEADING_WITHIN = 20
"""The heading is one of the first rows; a title or notes may come before it."""


@dataclass(frozen=True)
class Layout:
    """How a file is read. None is found by looking. `columns` gives fields to headings, None to leave out."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    columns: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Table:
    """A table in a folder that lives as long as the block of `opened`."""

    file: Path
    layout: Layout
    """What was used; `columns` is as it was asked for."""
    sheets: tuple[str, ...]
    row_count: int
    heading_row: int
    columns: tuple[Column, ...]

    def rows(self) -> Iterator[tuple[int, dict[str, Cell]]]:
        """Each row below the heading: its number in the file, and its cells by field."""
        places = [(place, one.field) for place, one in enumerate(self.columns) if one.field]
        for number, row in _rows(self.file):
            if number > self.heading_row:
                yield number, {field: row[place] for place, field in places if place < len(row)}

    def mapped(self, asked: Mapping[str, str | None]) -> Table:
        """The same table, whose headings fill the fields that `asked` gives them."""
        heading_row, columns = _heading(self.file, asked)
        return replace(self, heading_row=heading_row, columns=columns)

    def column(self, place: int) -> Iterator[tuple[int, Cell]]:
        """The cells of one column below the heading, with the numbers of their rows."""
        for number, row in _rows(self.file):
            if number > self.heading_row and place < len(row):
                yield number, row[place]


@contextmanager
def opened(file: Path, layout: Layout) -> Iterator[Table]:
    """The table in a file from outside, read in a child process. Raises TableRefused."""
    asked = {"encoding": layout.encoding, "delimiter": layout.delimiter, "sheet": layout.sheet}
    with temporary_folder() as folder:
        try:
            report = sandbox.run(
                "acr3d.tables",
                [str(file), str(folder), json.dumps({key: value for key, value in asked.items() if value})],
                LIMITS,
                reads=[file],
                folder=folder,
                lock=None,
            )
        except sandbox.ChildRefused as refusal:
            raise TableRefused(refusal.message.code, **refusal.message.params) from refusal
        except sandbox.ChildCrashed as crash:
            raise TableRefused("table.too_costly") from crash
        yield _table(folder / "rows.jsonl", report, layout)


def _table(file: Path, report: Mapping[str, object], asked: Layout) -> Table:
    used = {name: report.get(name) for name in ("encoding", "delimiter", "sheet")}
    heading_row, columns = _heading(file, asked.columns or {})
    return Table(
        file=file,
        layout=Layout(columns=asked.columns, **{name: str(one) for name, one in used.items() if one}),
        sheets=tuple(map(str, report.get("sheets") or ())),  # type: ignore[call-overload]
        row_count=int(report["rows"]),  # type: ignore[call-overload]
        heading_row=heading_row,
        columns=columns,
    )


def _heading(file: Path, asked: Mapping[str, str | None]) -> tuple[int, tuple[Column, ...]]:
    """The row whose cells name the most fields, the first of equals; its columns."""
    best_row = -1
    best: tuple[Column, ...] = ()
    for number, row in islice(_rows(file), _HEADING_WITHIN):
        columns = tuple(match([cell if isinstance(cell, str) else "" for cell in row], asked))
        if best_row < 0 or _known(columns) > _known(best):
            best_row, best = number, columns
    return best_row, best


def _known(columns: tuple[Column, ...]) -> int:
    return sum(one.field is not None for one in columns)


def _rows(file: Path) -> Iterator[tuple[int, list[Cell]]]:
    with file.open() as lines:
        for line in lines:
            number, row = json.loads(line)
            yield number, row

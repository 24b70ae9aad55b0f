"""CSV and its relatives: the encoding and the delimiter are found by looking, or told."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from acr3d.tables.formulas import as_it_was
from acr3d.tables.limits import LONGEST_CELL, Cell, TableRefused

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE_ROWS = 50
_CHUNK_BYTES = 1 << 20


def encoding_of(file: Path) -> str:
    """What the bytes can only be, or are likely to be: one of ENCODINGS, or UTF-16 without its mark."""
    with file.open("rb") as stream:
        head = stream.read(4096)
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return name
    # Latin letters in UTF-16 leave every other byte zero.
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(head) > 3 and head[first::2].count(0) > 0.4 * len(head[first::2]):
            return name
    return "utf-8-sig" if _is_utf8(file) else "cp1252"


def delimiter_of(file: Path, encoding: str) -> str:
    """The delimiter that cuts the first rows into the most even columns; a comma for a single column."""

    def evenness(delimiter: str) -> tuple[float, int]:
        try:
            sample = list(islice(_records(file, encoding, delimiter), _SAMPLE_ROWS))
        except (csv.Error, UnicodeError):
            return 0, 0  # `rows` says why
        lengths = Counter(len(row) for _number, row in sample if row)
        if not lengths:
            return 0, 0
        columns, rows = max(lengths.items(), key=lambda one: (one[1], one[0]))
        return (rows / len(sample), columns) if columns > 1 else (0, 0)

    return max(DELIMITERS, key=evenness)


def rows(file: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[Cell]]]:
    """Each row with the number of its first line, from 1. Raises TableRefused."""
    number = 0
    try:
        for number, row in _records(file, encoding, delimiter):
            yield number, [as_it_was(cell) for cell in row]
    except csv.Error as error:
        raise TableRefused("table.broken_row", row=number + 1) from error
    except UnicodeError as error:
        raise TableRefused("table.wrong_encoding", encoding=encoding.removesuffix("-sig")) from error


def _records(file: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_CELL)
    with file.open(encoding=encoding, newline="") as text:
        reader = csv.reader(text, delimiter=delimiter)
        number = 1
        for row in reader:
            yield number, row
            number = reader.line_num + 1


def _is_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open("rb") as stream:
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True

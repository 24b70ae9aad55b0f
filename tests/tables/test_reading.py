"""Files that shops bring, read as tables: as they come from Excel, LibreOffice and other systems."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from acr3d.sandbox import REFUSED_EXIT
from acr3d.tables import __main__ as child
from acr3d.tables import limits


def read(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str], **options: str
) -> tuple[dict[str, Any], list[Any]]:
    (tmp_path / "table").write_bytes(content)

    code = child.main(["tables", str(tmp_path / "table"), str(tmp_path), json.dumps(options)])

    said = json.loads(capsys.readouterr().out)
    if code == REFUSED_EXIT:
        return said, []
    return said["report"], [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("written", "encoding", "delimiter"),
    [
        ("utf-8", "utf-8-sig", ","),
        ("utf-8-sig", "utf-8-sig", ";"),
        ("utf-8", "utf-8-sig", "\t"),
        ("cp1252", "cp1252", "|"),
        ("utf-16", "utf-16", ","),
        ("utf-16-le", "utf-16-le", ";"),
        ("utf-16-be", "utf-16-be", ";"),
    ],
)
def test_encoding_and_delimiter_are_found_by_looking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: str, encoding: str, delimiter: str
) -> None:
    content = f"sku{delimiter}name\nA-1{delimiter}Größe"

    report, rows = read(tmp_path, content.encode(written), capsys)

    assert (report["encoding"], report["delimiter"]) == (encoding, delimiter)
    assert rows == [[1, ["sku", "name"]], [2, ["A-1", "Größe"]]]


def test_quoted_line_breaks_and_commas_stay_in_their_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = b'sku;size;text\r\nA;"1,5";"one\r\ntwo; ""three"""\r\n\r\n;;\r\nB;2,5;x\r\n'

    report, rows = read(tmp_path, content, capsys)

    assert report["delimiter"] == ";"
    assert rows == [
        [1, ["sku", "size", "text"]],
        [2, ["A", "1,5", 'one\r\ntwo; "three"']],
        [6, ["B", "2,5", "x"]],
    ]


def test_a_workbook_gives_numbers_dates_and_stored_results_of_formulas(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data)
    book.add_worksheet("Notes")
    sheet = book.add_worksheet("Parts")
    sheet.write_row(2, 1, ["SKU", "EAN", "Width", "In stock"])
    sheet.write_row(3, 1, ["00123", 4006381333931, 12.5, True])
    sheet.write_formula(4, 3, "=6*7", None, 42)
    sheet.write_datetime(4, 1, datetime.date(2026, 3, 1), book.add_format({"num_format": "d.m"}))
    book.close()

    report, rows = read(tmp_path, data.getvalue(), capsys)

    assert report == {"sheets": ["Parts"], "sheet": "Parts", "rows": 3}
    assert rows == [
        [3, ["SKU", "EAN", "Width", "In stock"]],
        [4, ["00123", 4006381333931, 12.5, True]],
        [5, [{"date": "2026-03-01"}, "", 42]],
    ]


def test_json_lines_are_a_table_of_their_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = b'{"sku": "A", "on": true}\n{"sku": "B", "width_mm": 2.5, "on": null}\n'

    _report, rows = read(tmp_path, lines, capsys)

    assert rows == [[0, ["sku", "on", "width_mm"]], [1, ["A", True]], [2, ["B", "", 2.5]]]


def bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 1000)
        archive.getinfo("xl/workbook.xml").file_size = limits.MOST_UNPACKED_BYTES + 1
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "table.empty"),
        (b"\n ; \n", "table.empty"),
        (b"a," * limits.MOST_COLUMNS + b"b", "table.too_many_columns"),
        (b'sku,name\nA,"' + b"x" * 40_000, "table.broken_row"),
        (bomb(), "table.unpacks_too_large"),
        (b"PK\x03\x04 no workbook", "table.damaged_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 protected", "table.damaged_workbook"),
        (b'{"sku": "A"}\n{"sku": ', "table.broken_line"),
        (b'{"sku": "A"}\n["B"]', "table.broken_line"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, code: str
) -> None:
    said, _rows = read(tmp_path, content, capsys)

    assert said["code"] == code
    assert "othing" in said["error"]

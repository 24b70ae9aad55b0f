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
from flask import Flask

from acr3d.imports.table import Layout, opened
from acr3d.sandbox import REFUSED_EXIT
from acr3d.settings import Settings
from acr3d.tables import __main__ as child
from acr3d.tables import limits


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """Files are read without the database."""
    return sqlite_config


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


def test_text_about_the_sign_nul_is_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"sku": "A", "codes": ["the sign \\u0000"], "notes": {"why": "\\u0000"}}

    _report, rows = read(tmp_path, json.dumps(line).encode(), capsys)
    said, _rows = read(tmp_path, json.dumps(line | {"notes": {"why": "\x00"}}).encode(), capsys)

    assert rows[1] == [1, list(line.values())]
    assert said["code"] == "table.not_text"


def sheet(text: str, *places: str, doctype: str = "") -> bytes:
    """A workbook whose first cell, and those at `places`, hold this XML."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data)
    book.add_worksheet("Parts")
    book.close()
    cells = [
        f'<row r="{one.lstrip("ADFX")}"><c r="{one}" t="inlineStr"><is><t>{text}</t></is></c></row>'
        for one in ("A1", *places)
    ]
    full = io.BytesIO()
    with zipfile.ZipFile(data) as plain, zipfile.ZipFile(full, "w") as archive:
        for entry in plain.infolist():
            content = plain.read(entry).decode()
            if entry.filename == "xl/worksheets/sheet1.xml":
                content = content.replace("<sheetData/>", f"<sheetData>{''.join(cells)}</sheetData>")
                content = content.replace("?>", f"?>{doctype}", 1)
            archive.writestr(entry.filename, content)
    return full.getvalue()


def bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 1000)
        archive.getinfo("xl/workbook.xml").file_size = limits.MOST_UNPACKED_BYTES + 1
    return data.getvalue()


ENTITIES = "".join(f"<!ENTITY {chr(98 + place)} '{f'&{chr(97 + place)};' * 10}'>" for place in range(9))
BOMB = f"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>{ENTITIES}]>"


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
        (b'{"sku": ' + b"[" * 50_000, "table.broken_line"),
        (b'{"sku": "A", "width_mm": 1e999}', "table.broken_line"),
        (b'{"sku": "A", "width_mm": ' + b"9" * 5_000 + b"}", "table.broken_line"),
        (b'{"sku": "A\\ud800"}', "table.broken_line"),
        (b'{"sku": "A", "numbers": ["\\u0000"]}', "table.not_text"),
        (json.dumps(dict.fromkeys(map(str, range(600)), 1)).encode(), "table.too_many_columns"),
        (b"sku,name\nA,a\x00b", "table.not_text"),
        (b"\x00" * 40_000, "table.not_text"),
        (b"\xff\xfes\x00k", "table.wrong_encoding"),
        (bytes(range(256)) * 20, "table.wrong_encoding"),
        (b"\n" * 102, "table.too_many_rows"),
        (sheet("<a>" * 1000), "table.empty"),
        (sheet("&j;", doctype=BOMB), "table.damaged_workbook"),
        (
            sheet("&j;", doctype='<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>'),
            "table.damaged_workbook",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    code: str,
) -> None:
    monkeypatch.setattr(child, "MOST_EMPTY_ROWS", 100)

    said, _rows = read(tmp_path, content, capsys)

    assert said["code"] == code
    assert "othing" in said["error"]


def test_what_would_take_too_much_memory_ends_with_its_child(in_app: Flask, tmp_path: Path) -> None:
    (tmp_path / "far.xlsx").write_bytes(sheet("x", "XFD1048576"))

    with (
        pytest.raises(limits.TableRefused, match="more memory or time"),
        opened(tmp_path / "far.xlsx", Layout()),
    ):
        pass

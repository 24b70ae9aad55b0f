"""`flask parts import` and `export`: a shop's table in, the same parts out again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from acr3d.db.extensions import db
from acr3d.parts import categories
from acr3d.parts.bin import delete_part
from acr3d.parts.fields import values_of
from acr3d.parts.parts import create_part, present_parts
from acr3d.parts.sku_lookup import part_with_sku
from acr3d.settings import Settings

Import = Callable[..., Result]


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """What the rows say does not depend on the database; what is written does, and has a test of its own."""
    return sqlite_config


@pytest.fixture
def bring(app: Flask, tmp_path: Path) -> Import:
    """Imports a text as a file; further arguments are the command's options."""

    def bring(text: str | bytes, *options: str, name: str = "parts.csv") -> Result:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return app.test_cli_runner().invoke(args=["parts", "import", str(file), *options])

    return bring


def parts(app: Flask) -> dict[str, dict[str, object]]:
    with app.app_context():
        return {part.sku: values_of(part) for part in db.session.scalars(present_parts())}


TABLE = """Parts of spring 2026;;;;
Artikel-Nr.;Bezeichnung;Breite (cm);Höhe;Farbe
P-1;Ölfilter;6,5;1.200;rot
P-2;Kupplung;12,25;80 mm;
"""


def test_a_table_makes_parts_and_the_same_table_again_changes_nothing(app: Flask, bring: Import) -> None:
    first = bring(TABLE)
    again = bring(TABLE)

    assert first.exit_code == 0, first.output
    assert "Farbe → left out" in first.output
    assert "New: 2. Changed: 0. Unchanged: 0. Refused: 0." in first.output
    assert "New: 0. Changed: 0. Unchanged: 2. Refused: 0." in again.output
    assert [
        (one["name"], one["width_mm"], one["height_mm"], one["is_published"]) for one in parts(app).values()
    ] == [("Ölfilter", 65, 1200, True), ("Kupplung", 122.5, 80, True)]


def test_a_row_changes_what_it_says_of_the_part_with_its_sku(app: Flask, bring: Import) -> None:
    bring("sku,name,description,width_mm\nP-1,Filter,Good,10\nP-2,Clutch,,")
    with app.app_context():
        before = {part.sku: part.revision for part in db.session.scalars(present_parts())}

    result = bring("sku,name,description,width_mm\np–1,Oil filter,,10\nP-2,Clutch,,")

    assert "New: 0. Changed: 1. Unchanged: 1. Refused: 0." in result.output
    assert (
        parts(app)["P-1"] | {"name": "Oil filter", "description": "Good", "width_mm": 10} == parts(app)["P-1"]
    )
    with app.app_context():
        after = {part.sku: part.revision for part in db.session.scalars(present_parts())}
    assert after == before | {"P-1": before["P-1"] + 1}


SHAPES = {
    "Shopify": "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Variant SKU,Variant Grams,"
    "Variant Price,Image Src,Status\nfilter,Filter,<p>Good</p>,ACME,Oil,a,TRUE,Title,P-1,250,49.00,,active",
    "WooCommerce": "ID,Type,SKU,Name,Published,Is featured?,Short description,Description,In stock?,Stock,"
    "Weight (kg),Length (cm),Width (cm),Height (cm),Regular price,Categories,Images,Position\n"
    "1,simple,P-1,Filter,1,0,Short,Good,1,100,0.25,10,8,5,49.00,,,0",
    "PrestaShop": "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax excluded;Tax rules ID;"
    "Reference #;Supplier reference #;Manufacturer;EAN13;Width;Height;Depth;Weight;Quantity;Unit price\n"
    "1;1;Filter;Home;49.00;1;P-1;S-1;ACME;;8;5;10;250;3;0",
    "Magento": "sku,store_view_code,attribute_set_code,product_type,categories,name,description,weight,"
    "product_online,tax_class_name,price,base_image\nP-1,,Default,simple,,Filter,Good,250,1,Goods,49.00,",
    "ERP": "EAN;Artikelnummer;Bezeichnung;Marke;EK (EUR);Preis;Gewicht (g);Bestand;Aktiv\n"
    "4006381333931;P-1;Filter;ACME;4,50;49,00;250;42;ja",
    "spare parts": "Item Code,Name,Description,Category,Manufacturer,Manufacturer Part Number,Quantity,Unit,"
    "Unit Price,Stock Status\nP-1,Filter,Good,,ACME,6205-2RS,50,Pcs,49.00,In Stock",
}
"""As systems export them: their headings, shortened."""


def test_tables_of_well_known_systems_need_no_hand(app: Flask, bring: Import) -> None:
    for system, table in SHAPES.items():
        result = bring(table)

        assert result.exit_code == 0, (system, result.output)
        part = parts(app)["P-1"]
        assert (part["name"], part["price"], part["is_published"]) == ("Filter", 49, True), system
        if "eight" in table or "rams" in table:
            assert part["weight_g"] == 250, system
        with app.app_context():
            delete_part(part_with_sku("P-1").id)


REFUSED = {
    "no name": ("P-3,,1", "“Name” must not be empty."),
    "no SKU": (",Clutch,1", "“Part number (SKU)” must not be empty."),
    "twice": ("p-1,Clutch,1", "Row 2 has the same part number (SKU). Keep one of the two rows."),
    "ambiguous": ('P-3,Clutch,"1,200"', "can mean 1.2 mm or 1200 mm"),
    "words": ("P-3,Clutch,wide", "cannot be read"),
    "looks alike": ("\u0420-9,Clutch,1", "looks like"),
}


@pytest.mark.parametrize(("row", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_bad_row_is_refused_with_a_sentence_and_does_not_stop_the_others(
    app: Flask, bring: Import, tmp_path: Path, row: str, sentence: str
) -> None:
    with app.app_context():
        create_part({"sku": "P-9", "name": "Washer"})
    table = f"sku,name,width_mm\nP-1,Filter,10\n{row}\nP-4,Bolt,4"

    result = bring(table, "--problems", str(tmp_path / "problems.csv"))

    assert result.exit_code == 1
    assert "New: 2. Changed: 0. Unchanged: 0. Refused: 1." in result.output
    assert sentence in result.output
    assert sentence in (tmp_path / "problems.csv").read_text("utf-8-sig").replace('""', '"')
    assert set(parts(app)) == {"P-1", "P-4", "P-9"}


@pytest.mark.parametrize("option", ["--dry-run", "--all-or-nothing"])
def test_nothing_is_written_when_only_asked_or_when_all_or_nothing_is_wanted(
    app: Flask, bring: Import, option: str
) -> None:
    with app.app_context():
        create_part({"sku": "P-1", "name": "Filter"})

    result = bring("sku,name\nP-1,Oil filter\nP-2,\nP-3,Bolt", option)

    assert result.exit_code == 1
    assert "New: 1. Changed: 1. Unchanged: 0. Refused: 1." in result.output
    assert "Nothing was imported." in result.output
    assert {sku: one["name"] for sku, one in parts(app).items()} == {"P-1": "Filter"}


def test_a_dry_run_shows_each_change_as_old_and_new(app: Flask, bring: Import) -> None:
    with app.app_context():
        create_part({"sku": "P-1", "name": "Filter", "width_mm": 10})

    result = bring("sku;name;width_mm\nP-1;Oil filter;12,5", "--dry-run")

    assert result.exit_code == 0
    assert "P-1: name: Filter → Oil filter" in result.output
    assert "P-1: width_mm: 10.0 → 12.5" in result.output


def test_what_cannot_be_found_by_looking_can_be_said(app: Flask, bring: Import, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"Code": "sku", "Label": "name", "W": "width_mm"}))
    table = "Code;Label;W;Name\nP-1;Filter;1,200;x"

    unread = bring(table)
    read = bring(table, "--map", str(tmp_path / "map.json"), "--decimal", "comma")

    assert (unread.exit_code, read.exit_code) == (2, 0), read.output
    assert "No column holds part numbers" in unread.output
    assert parts(app)["P-1"]["name"] == "Filter"
    assert parts(app)["P-1"]["width_mm"] == 1.2


def test_what_a_spreadsheet_has_spoilt_is_warned_of(bring: Import) -> None:
    result = bring("sku,name\n00123,a\n456,b\n1E+10,c\n04711,d")

    assert "Warning: Column “sku”: 1 part number looks like 1E10 (row 4)." in result.output
    assert "1 part number may have lost its leading zeros (row 3)" in result.output
    assert "New: 4." in result.output


def test_json_of_another_kind_than_the_field_s_is_refused_with_its_row(app: Flask, bring: Import) -> None:
    lines = [
        {"sku": "D", "name": "x", "attributes": [1]},
        {"sku": "A", "name": {"date": 1, "x": 2}},
        {"sku": ["B"], "name": "x"},
        {"sku": "C", "name": "y"},
    ]

    result = bring("\n".join(map(json.dumps, lines)), name="parts.jsonl")

    assert result.exit_code == 1, result.output
    assert "Row 2 (A): “Name” must be plain text." in result.output
    assert "Row 1 (D): “Attributes”, entry 1: The entry must be an object." in result.output
    assert set(parts(app)) == {"C"}


def test_a_file_that_is_no_table_gets_one_sentence(app: Flask, bring: Import) -> None:
    result = bring(b"PK\x03\x04 broken", name="parts.xlsx")

    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "The spreadsheet cannot be opened" in result.output


HOSTILE = [
    {"sku": "=1+1", "name": "@SUM(A1)", "description": "-2+3\n+x\t=y"},
    {"sku": "00123", "name": "'=quoted", "description": '"a";b,c|d\n\n<script>é😀\u202e'},
    {"sku": "1E10", "name": "''-two", "description": "a\x01b\x0bc\rd _x000D_"},
    {"sku": "ÄÖ/ß %2F", "name": "+49", "width_mm": 0.1, "height_mm": 100_000, "depth_mm": 1.234},
    {"sku": "3-4", "name": "x" * 200, "is_published": False, "width_mm": 1200},
    {
        "sku": "ALL",
        "name": "Every fact",
        "brand": "=B",
        "category": "Brakes/Discs",
        "condition": "used",
        "price": 1234.5,
        "currency": "EUR",
        "price_unit": "pair",
        "availability": "on_order",
        "weight_g": 1.234,
        "numbers": [{"kind": "oe", "value": "1J0 615 301"}, {"kind": "other", "value": "+4-9"}],
        "fitment": [{"make": "VW", "model": "Golf; IV", "year_from": 1997, "year_to": None}],
        "attributes": [{"name": "Thread", "value": "M14×1.25"}],
    },
]


@pytest.mark.parametrize("table_format", ["csv", "xlsx", "jsonl"])
def test_an_export_comes_back_the_same_byte_for_byte(
    make_app: Callable[..., Flask], tmp_path: Path, table_format: str
) -> None:
    app = make_app()
    with app.app_context():
        categories.create("Brakes/Discs")
        for values in HOSTILE:
            create_part(values)
    runner = app.test_cli_runner()
    first, second = (str(tmp_path / f"{name}.{table_format}") for name in ("first", "second"))
    before = parts(app)

    assert runner.invoke(args=["parts", "export", first]).exit_code == 0
    with app.app_context():
        for part in db.session.scalars(present_parts()).all():
            delete_part(part.id)
    result = runner.invoke(args=["parts", "import", first])
    assert runner.invoke(args=["parts", "export", second]).exit_code == 0

    assert result.exit_code == 0, result.output
    assert parts(app) == before
    assert Path(first).read_bytes() == Path(second).read_bytes()

"""Several facts in one field: how lines and JSON are read, and what is refused."""

from __future__ import annotations

import pytest
from flask import Flask

from acr3d.errors import InvalidInput
from acr3d.parts import fields
from acr3d.parts.filters import EVERY_PART
from acr3d.parts.gtin import check_digit
from acr3d.parts.search import search
from tests.support.factories import make_part

KINDS = {field.name: field for field in fields.FIELDS}


def test_lines_are_read_as_people_type_them(in_app: Flask) -> None:
    numbers = KINDS["numbers"].parse("OE: 1J0 615 301\n\nEAN: 4006381-333931\n A:B \nA:B\noem:7")
    vehicles = KINDS["fitment"].parse("VW; Golf; 1997 – 2003; ; disc\nSeat;;2001\nAudi;A4;2003-\nBMW;;-1999")

    assert [(one["kind"], one["value"]) for one in numbers] == [
        *(("oe", "1J0 615 301"), ("gtin", "4006381333931"), ("other", "A:B"), ("oe", "7")),
    ]
    years = [(one["make"], one["year_from"], one["year_to"]) for one in vehicles]
    assert years == [("VW", 1997, 2003), ("Seat", 2001, 2001), ("Audi", 2003, None), ("BMW", None, 1999)]
    assert KINDS["attributes"].parse("Thread: M14:1\nTeeth: 30") == {"Thread": "M14:1", "Teeth": "30"}
    assert KINDS["attributes"].parse({"Teeth": 30, "Length": 1.25}) == {"Teeth": "30", "Length": "1.25"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("numbers", "EAN: 4006381333932", "entry 1: The GTIN 4006381333932 contains a typing error"),
        ("numbers", [{"kind": "gtin", "value": "12345"}], "8, 12, 13 or 14 digits"),
        ("numbers", [{"kind": "vin", "value": "1"}], "must be one of: oe, mpn, gtin, old, other"),
        ("numbers", [{"kind": "oe", "value": "--"}], "The number is missing"),
        ("numbers", [{"kind": "oe", "value": 7}], "must be text"),
        ("numbers", [{"kind": "oe", "value": "1", "x": 1}], "Unknown field: x"),
        ("numbers", [7], "must be an object"),
        ("numbers", {"oe": "1"}, "must be a list"),
        ("numbers", ["1"] * 201, "more than 200 entries"),
        ("fitment", "VW;;2003-1997", "The first year is after the last one"),
        ("fitment", "VW;;last year", "Write years as"),
        ("fitment", ";Golf", "make is missing"),
        ("fitment", [{"make": "VW", "year_from": 97}], "A year is a number such as 2012"),
        ("attributes", "Teeth 30", "a name and a value"),
        ("attributes", {"Teeth": True}, "must be text"),
        ("attributes", {"x" * 101: "1"}, "at most 100"),
        ("price", "1,200", "can mean 1.2 or 1200"),
        ("price", -1, "an amount from 0"),
        ("price", 1.2345, "at most three decimals"),
        ("currency", "EURO", "a currency's code"),
        ("condition", "shiny", "must be one of: new, used, refurbished"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(in_app: Flask, name: str, value: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        KINDS[name].parse(value)


def test_check_digits_are_those_of_the_standard() -> None:
    for known in ("4006381333931", "73513537", "036000291452", "10012345678902"):
        assert check_digit(known[:-1]) == known[-1]


def test_all_facts_are_found(in_app: Flask) -> None:
    facts = {
        "brand": "Brembo",
        "numbers": "OE: 1J0 615-301.A\nold: 61.11-7",
        "fitment": "Škoda; Octavia; 2001-; 1.9 TDI",
        "attributes": {"Thread": "M14x1.25"},
    }
    make_part("A-1", **facts)
    make_part("A-2", brand="Other", numbers=[{"kind": "oe", "value": "1J0615301B"}])

    for query in ("1j0615301a", "61117", "skoda octavia", "brmebo", "m14x1.25 1J0-615", "tdi 1.9"):
        assert [part.sku for part in search(query, EVERY_PART).parts] == ["A-1"], query

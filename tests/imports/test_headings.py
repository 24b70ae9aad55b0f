"""Headings of shops' tables: each names the field that a person would say."""

from __future__ import annotations

import pytest

from acr3d.imports.headings import match


@pytest.mark.parametrize(
    ("headings", "fields"),
    [
        (
            "Part Number,Product Name,Details,Width (in),Height [mm]",
            "sku,name,description,width_mm,height_mm",
        ),
        (
            "Artikel-Nr.;Bezeichnung;Langtext;Breite (cm);Höhe in mm;Tiefe",
            "sku;name;description;width_mm;height_mm;depth_mm",
        ),
        (
            "Referencia|Título|Descripción|Ancho|Alto|Fondo",
            "sku|name|description|width_mm|height_mm|depth_mm",
        ),
        ("sku,name,is_published,width_mm", "sku,name,is_published,width_mm"),
        ("SKU,Item No,Colour,Name,Title", "sku,,,name,"),
    ],
)
def test_columns_are_matched_by_their_headings(headings: str, fields: str) -> None:
    sign = next(one for one in ";|," if one in headings)

    found = [one.field or "" for one in match(headings.split(sign), {})]

    assert found == fields.split(sign)


def test_a_person_s_word_goes_before_the_heading() -> None:
    found = list(match(["SKU", "Code", "Name"], {"Code": "sku", "Name": None}))

    assert [one.field for one in found] == [None, "sku", None]

"""The feeds for shopping sites."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from flask import Flask

from acr3d.parts import categories
from acr3d.parts.parts import update_part
from tests.support.databases import ON_BOTH
from tests.support.factories import make_part, make_part_with_photos

HOST = "https://parts.example"
OFFER: dict[str, Any] = {"price": 12.5, "currency": "EUR", "availability": "on_order"}
_G = "{http://base.google.com/ns/1.0}"


@ON_BOTH
def test_a_feed_has_every_part_with_an_offer_and_a_picture(make_app: Callable[..., Flask]) -> None:
    app = make_app(public_url=HOST)
    with app.app_context():
        categories.create("Brakes/Discs")
        part = make_part_with_photos("A&B/1", angles=("front", "back"))
        numbers = [{"kind": "mpn", "value": "B-7"}, {"kind": "gtin", "value": "4006381333931"}]
        facts = {"brand": "Brembo", "category": "Brakes/Discs", "weight_g": 1200.0, "width_mm": 125.0}
        update_part(part.id, OFFER | facts | {"numbers": numbers, "description": "Steel,\x0b <120 mm>"})
        hidden = make_part_with_photos("HIDDEN", angles=("front",))
        update_part(hidden.id, OFFER | {"is_published": False})
        make_part("NO-PICTURE", **OFFER)
        free = make_part_with_photos("NO-PRICE", angles=("front",))
        update_part(free.id, {"availability": "in_stock"})
    client = app.test_client()

    text = client.get("/feeds/google.xml", base_url=HOST).text
    [item] = ET.fromstring(text).iter("item")
    found = {tag.tag.removeprefix(_G): tag.text for tag in item}
    [row] = csv.DictReader(io.StringIO(client.get("/feeds/google.csv", base_url=HOST).text))

    assert row.pop("description") == "Steel,\x0b <120 mm>"  # which XML cannot hold
    assert {name: row[name] for name in found if name in row} == {
        name: text for name, text in found.items() if name != "description"
    }
    assert found["image_link"].startswith(f"{HOST}/media/parts/")
    expected = {
        "id": "A&B/1",
        "description": "Steel,  <120 mm>",
        "link": f"{HOST}/parts/A%26B%2F1",
        "availability": "backorder",
        "condition": "new",
        "price": "12.50 EUR",
        "gtin": "4006381333931",
        "product_type": "Brakes > Discs",
        "product_weight": "1200 g",
        "product_width": "12.5 cm",
    }
    assert expected.items() <= found.items()

"""The table of a part's fields: what is in it can be set and read at every door."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.models import Part
from acr3d.errors import InvalidInput
from acr3d.parts import categories, fields
from acr3d.parts.fields import Field, Text
from acr3d.parts.parts import create_part, part_by_id, update_part
from tests.support.accounts import bearer, browser, csrf_token


def vehicle(
    make: str,
    model: str | None = None,
    first: int | None = None,
    last: int | None = None,
    engine: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    years = {"year_from": first, "year_to": last}
    return {"make": make, "model": model, **years, "engine": engine, "note": note}


# A value for each field, and another one to change it to.
VALUES: dict[str, tuple[Any, Any]] = {
    "name": ("Bracket", "Angle bracket"),
    "sku": ("BR/100", "BR/200"),
    "description": ("Two\nlines", "One line"),
    "width_mm": (12.5, 13.0),
    "height_mm": (0.1, 100.0),
    "depth_mm": (99.0, 1234.5),
    "brand": ("Bosch", "ATE"),
    "category": ("Brakes/Discs", "Engine"),
    "condition": ("new", "refurbished"),
    "price": (1234.5, 9.999),
    "currency": ("EUR", "USD"),
    "price_unit": ("pair", "m"),
    "availability": ("in_stock", "on_order"),
    "weight_g": (850.0, 0.5),
    "numbers": (
        [{"kind": "oe", "value": "1J0 615 301"}, {"kind": "gtin", "value": "4006381333931"}],
        [{"kind": "other", "value": "A:B"}, {"kind": "old", "value": "61-1"}],
    ),
    "fitment": (
        [vehicle("VW", "Golf IV", 1997, 2003, "1.9 TDI", "disc 280 mm"), vehicle("Seat")],
        [vehicle("Audi", "A3", 2001, 2001), vehicle("Audi", "A4", 2003), vehicle("Audi", None, None, 1999)],
    ),
    "attributes": ({"Thread": "M14×1.25", "Teeth": "30"}, {"Ratio": "1:2"}),
    "is_published": (True, False),
}
# What the app itself writes.
OTHER_COLUMNS = {
    *(
        "id",
        "sku_key",
        "sku_look",
        "image_url",
        "primary_image_url",
        "model_status",
        "model_3d_url",
        "meshy_task_id",
    ),
    *("model_generation_started_at", "model_generation_completed_at"),
    *("model_generation_error", "model_generation_error_code", "model_generation_error_params"),
    *("check_due_at", "revision", "deleted_at", "created_at", "updated_at", "category_id"),
}
OWN_TABLES = {"category", "numbers", "fitment"}

OTHER_KEYS = {"name", "sku", "description", "width_mm", "height_mm", "depth_mm", "is_published"}
FIRST = {name: first for name, (first, _second) in VALUES.items()}
SECOND = {name: second for name, (_first, second) in VALUES.items()}


@pytest.fixture(autouse=True)
def tree(app: Flask) -> None:
    with app.app_context():
        categories.create("Brakes/Discs")
        categories.create("Engine")


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch) -> Field:
    """A field that is added by one line in the table."""
    note = Field("image_url", Text(20), "Note", public_name="more.note")
    monkeypatch.setattr(fields, "FIELDS", (*fields.FIELDS, note))
    return note


def form(values: dict[str, Any]) -> dict[str, str]:
    """What a browser sends: a decimal comma, and nothing for a box that is not ticked."""
    kinds = {field.name: field.kind for field in fields.FIELDS}
    sent = {name: kinds[name].to_form(value) for name, value in values.items() if not isinstance(value, bool)}
    sent |= {name: text.replace(".", ",") for name, text in sent.items() if name.endswith(("_mm", "price"))}
    return sent | {name: "on" for name, value in values.items() if value is True}


def test_every_column_of_a_part_is_a_field_or_the_apps_own() -> None:
    names = {field.name for field in fields.FIELDS}

    assert names == set(VALUES)
    assert names - OWN_TABLES | OTHER_COLUMNS == set(Part.__table__.columns.keys())
    assert not names & OTHER_COLUMNS


@pytest.mark.parametrize("name", VALUES)
def test_a_field_is_set_and_read_by_the_api(app: Flask, client: FlaskClient, name: str) -> None:
    staff = bearer(app)
    needed = {"sku": "A", "name": "x"}

    made = client.post("/api/admin/parts", json=needed | {name: SECOND[name]}, headers=staff)

    assert made.status_code == 201, made.text
    read = client.get(f"/api/admin/parts/{made.json['id']}", headers=staff)  # type: ignore[index]
    assert read.json[name] == made.json[name] == SECOND[name]  # type: ignore[index]


@pytest.mark.parametrize("name", VALUES)
def test_a_field_is_changed_alone(in_app: Flask, name: str) -> None:
    part = create_part(FIRST)

    update_part(part.id, {name: SECOND[name]})

    assert fields.values_of(part_by_id(part.id)) == FIRST | {name: SECOND[name]}


def test_every_field_is_in_the_form(app: Flask) -> None:
    admin = browser(app)
    token = {"csrf_token": csrf_token(admin)}

    made = admin.post("/admin/parts", data=form(FIRST) | token)
    assert made.status_code == 302, made.text
    page = admin.get(made.location).text
    changed = admin.post(made.location, data=form(SECOND) | token)

    assert changed.status_code == 302
    with app.app_context():
        assert fields.values_of(part_by_id(made.location.rpartition("/")[2])) == SECOND
    for field in fields.FIELDS:
        assert f'id="{field.name}" name="{field.name}"' in page or f'name="{field.name}" id=' in page
        assert str(field.label) in page
    for shown in ("Bracket", "BR/100", "Two\nlines", "12.5", "0.1", "99", "checked"):
        assert shown in page


def test_an_unclear_size_is_asked_back_beside_its_field_and_a_stored_one_is_not(app: Flask) -> None:
    admin = browser(app)
    typed = form(FIRST) | {"csrf_token": csrf_token(admin)}

    refused = admin.post("/admin/parts", data=typed | {"width_mm": "1,200"})
    made = admin.post("/admin/parts", data=typed | {"width_mm": "1,2340"}, follow_redirects=True)

    assert "can mean 1.2 mm or 1200 mm" in refused.text
    assert 'name="width_mm" value="1,200" aria-invalid="true"' in refused.text
    assert 'name="width_mm" value="1.2340"' in made.text


def test_customers_see_the_public_fields_only(in_app: Flask, client: FlaskClient) -> None:
    create_part(FIRST)

    shown = client.get("/api/parts/BR%2F100").json

    assert shown is not None
    assert {name: shown[name] for name in shown.keys() - {"url", "photos", "model_3d_url"}} == {
        "name": "Bracket",
        "sku": "BR/100",
        "description": "Two\nlines",
        "size_mm": {"width": 12.5, "height": 0.1, "depth": 99},
        **{name: FIRST[name] for name in FIRST if name not in OTHER_KEYS},
    }


def test_one_line_in_the_table_is_enough_for_a_new_field(
    app: Flask, client: FlaskClient, note: Field
) -> None:
    staff, admin = bearer(app), browser(app)

    made = client.post("/api/admin/parts", json={"sku": "A", "name": "x"}, headers=staff)
    page = f"/admin/parts/{made.json['id']}"  # type: ignore[index]
    typed = {"sku": "A", "name": "x", "is_published": "on", "csrf_token": csrf_token(admin)}
    refused = admin.post(page, data=typed | {"image_url": "x" * 21})

    assert '<label for="image_url">Note</label>' in admin.get(page).text
    assert "“Note” is longer than 20 characters." in refused.text
    admin.post(page, data=typed | {"image_url": "by form"})
    assert client.get("/api/parts/A").json["more"] == {"note": "by form"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("name", "  Bracket ", "Bracket"),
        ("description", " a\r\nb \r\n", "a\nb"),
        ("description", "\r\n" * 5000, None),
        ("width_mm", "", None),
        ("width_mm", "12.5", 12.5),
        ("width_mm", " 2 1/2 in ", 63.5),
        ("width_mm", 1.234, 1.234),
    ],
)
def test_how_a_value_is_read(in_app: Flask, name: str, value: object, stored: object) -> None:
    field = next(field for field in fields.FIELDS if field.name == name)

    assert field.parse(value) == stored


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("width_mm", 10**400, "“Width” must be a number from 0.1 to 100000 mm."),
        ("description", 7, "“Description” must be plain text."),
        ("is_published", None, "“Published: customers can see this part” must be true or false."),
    ],
)
def test_a_refusal_names_the_field(in_app: Flask, name: str, value: object, sentence: str) -> None:
    field = next(field for field in fields.FIELDS if field.name == name)

    with pytest.raises(InvalidInput) as refusal:
        field.parse(value)

    assert (str(refusal.value), refusal.value.field) == (sentence, name)

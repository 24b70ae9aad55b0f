"""SKUs: which are equal, what a former one leads to, and what is left of a deleted part's."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from acr3d.db.models import FormerSku, Part
from acr3d.db.session import transaction
from acr3d.errors import Conflict
from acr3d.parts.bin import delete_part, restore_part
from acr3d.parts.parts import create_part, update_part
from acr3d.parts.sku_lookup import SkuInUse, part_with_sku
from acr3d.parts.skus import canonical, look
from tests.support.accounts import bearer, browser, csrf_token
from tests.support.factories import make_part

SPELLINGS = [
    *("br-100 a", "  BR-100   A ", "BR\u2013100 A", "BR\u2212100 A", "BR\u2011100 A"),
    *("ＢＲ－１００ Ａ", "BR-100\u00a0A", "BR\ufe63100 A"),
]


@pytest.mark.parametrize("sku", SPELLINGS)
def test_an_equal_sku_is_found_however_it_is_typed(in_app: Flask, sku: str) -> None:
    part = make_part("BR-100 A")

    with pytest.raises(SkuInUse, match="is in use by another part: “Bracket BR-100 A”") as refusal:
        create_part({"sku": sku, "name": "Another"})

    assert refusal.value.other.id == part.id
    if sku.isprintable():
        assert part_with_sku(sku).id == part.id


def test_a_sku_that_only_looks_the_same_is_refused_with_the_other_part(app: Flask) -> None:
    with app.app_context():
        other = make_part("BR-100 A").id
        make_part("BR-OO A")
    admin = browser(app)
    token = {"csrf_token": csrf_token(admin)}

    for sku in ("ВR-100 A", "BR-ОО A", "вr-100 Α"):  # Cyrillic В, О, в; Greek Α
        refused = admin.post("/admin/parts", data=token | {"sku": sku, "name": "x"})
        assert refused.status_code == 409
        assert "some letters are from another alphabet" in refused.text
    assert f'href="/admin/parts/{other}"' in refused.text
    taken = admin.post("/admin/parts", data=token | {"sku": "БР-100", "name": "Кронштейн"})
    assert taken.status_code == 302


def test_only_what_looks_the_same_is_alike() -> None:
    assert len({look(sku) for sku in ("A-10", "A-1O", "A-l0", "A10", "A 10", "Ä-10", "Б-10")}) == 7
    assert canonical("Straße") == canonical("STRASSE")


def test_a_former_sku_leads_to_the_part_for_good(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        part = make_part("A/1").id
        for sku in ("A/2", "a/2", "A 3"):
            update_part(part, {"sku": sku})

    for former in ("A%2F1", "a%2f1", "A%2F2"):
        for place in ("/parts", "/embed", "/api/parts"):
            moved = client.get(f"{place}/{former}?lang=de")
            assert (moved.status_code, moved.location) == (301, f"{place}/A%203?lang=de")
            assert client.get(moved.location).status_code == 200
    with app.app_context():
        assert part_with_sku("A/1").id == part
        update_part(part, {"is_published": False})
    assert client.get("/parts/A%2F1").status_code == 404


def test_a_former_sku_may_be_given_anew_and_taken_back(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        first = make_part("A-1").id
        update_part(first, {"sku": "A-2"})
        second = make_part("A-1").id
        assert client.get("/api/parts/A-1").json["name"] == "Bracket A-1"  # type: ignore[index]
        update_part(second, {"sku": "B-1"})
        assert client.get("/parts/A-1").location == "/parts/B-1"
        update_part(first, {"sku": "A-1"})
        assert client.get("/parts/A-1").status_code == 200
        assert client.get("/parts/A-2").location == "/parts/A-1"


def test_a_deleted_part_is_gone_until_its_sku_is_given_anew(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        part, hidden = make_part("A-1").id, make_part("H-1", is_published=False).id
        update_part(part, {"sku": "A-2"})
        for one in (part, hidden):
            delete_part(one)

    for place in ("/parts", "/embed", "/api/parts"):
        for sku in ("A-1", "a\u20132"):
            assert client.get(f"{place}/{sku}").status_code == 410
        assert client.get(f"{place}/H-1").status_code == client.get(f"{place}/A-9").status_code == 404
    assert "This part is no longer offered." in client.get("/parts/A-2").text
    with app.app_context():
        restore_part(part)
        assert client.get("/parts/A-1").location == "/parts/A-2"
        delete_part(part)
        make_part("A-2")
        assert client.get("/parts/A-2").status_code == 200
        with pytest.raises(Conflict, match="in use"):
            restore_part(part)


def test_parts_that_looked_equal_before_are_kept_and_shown(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        first, twin = make_part("A-1").id, make_part("X").id
        with transaction() as session:
            values = {"sku": "A\u20131", "sku_key": "a\u20131", "sku_look": None}
            session.execute(update(Part).where(Part.id == twin).values(values))
    admin = browser(app)

    listed = admin.get("/admin/parts").text

    assert "Two parts have SKUs that look the same" in listed
    assert client.get("/api/parts/A-1").json["name"] == "Bracket A-1"  # type: ignore[index]
    assert client.get("/api/parts/A\u20131").json["name"] == "Bracket X"  # type: ignore[index]
    with app.app_context():
        update_part(twin, {"name": "Kept", "sku": "A\u20131"})
        update_part(first, {"sku": "A-2"})
        with pytest.raises(SkuInUse):
            make_part("A\u20121")
        update_part(twin, {"sku": "A-1"})
    assert "look the same" not in admin.get("/admin/parts").text


def test_a_rename_that_is_refused_leaves_no_trace(app: Flask) -> None:
    with app.app_context():
        part = make_part("A-1").id
        make_part("A-2")
        with pytest.raises(SkuInUse):
            update_part(part, {"sku": "a-2"})
        with transaction() as session:
            assert session.query(FormerSku).count() == 0
    answer = app.test_client().patch(f"/api/admin/parts/{part}", json={"sku": "A-2"}, headers=bearer(app))
    assert answer.status_code == 409

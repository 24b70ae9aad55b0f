"""What admins choose for the shop on the page Settings: it holds everywhere."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.app import create_app
from acr3d.billing import budget
from acr3d.db.extensions import db
from acr3d.db.types import new_id
from acr3d.settings import Settings
from acr3d.shop import options
from acr3d.web.templating import LANGUAGES
from tests.support.accounts import csrf_token
from tests.support.databases import close
from tests.support.factories import make_part, picture

FORM = {
    "name": "Korvin & Sons",
    "email": "ask@korvin.example",
    "phone": "+49 30 1234",
    "whatsapp": "+49 151 2345678",
    "accent": "#7a1fa2",
    "currency": "eur",
    "units": "in",
    "photo_background": "white",
    "review_before_publish": "yes",
    "ask_agreement": "70",
    "monthly_budget": "500",
    "user_monthly_limit": "50",
    "low_balance": "20",
    "admins_need_code": "",
}


def seen(admin: FlaskClient) -> str:
    [revision] = set(re.findall(r'name="seen" value="([0-9a-f]{16})"', admin.get("/admin/settings").text))
    return str(revision)


def save(admin: FlaskClient, **changed: str | list[str]) -> TestResponse:
    token = {"csrf_token": csrf_token(admin), "seen": seen(admin), "languages": list(LANGUAGES)}
    return admin.post("/admin/settings/shop", data=FORM | token | changed)


def test_what_is_saved_holds_on_public_pages_of_every_process(
    app: Flask, admin: FlaskClient, config: Settings
) -> None:
    with app.app_context():
        make_part("A-1", width_mm=63.5, height_mm=25.4, weight_g=907.18474)
    other = create_app(config)
    elsewhere = other.test_client()
    before = elsewhere.get("/parts/A-1")
    assert ("63.5 × 25.4 mm" in before.text, "907.185 g" in before.text) == (True, True)

    assert save(admin).status_code == 303

    for client in (app.test_client(), elsewhere):
        page = client.get("/parts/A-1", headers={"If-None-Match": before.headers["ETag"]}).text
        for shown in (
            "Korvin &amp; Sons",
            "mailto:ask@korvin.example",
            "wa.me/491512345678",
            "tel:+49301234",
        ):
            assert shown in page
        assert ("2.5 × 1 in" in page, "2 lb" in page) == (True, True)
        assert '"@type": "Organization"' in client.get("/").text.replace('"@type":"', '"@type": "')
        assert "Korvin &amp; Sons" in client.get("/feeds/google.xml").text
        [address] = re.findall(r'href="(/shop-colours[^"]+)"', page)
        assert "--accent: light-dark(#7a1fa2," in client.get(address).text
    close(other)
    log = admin.get("/admin/log?kind=setting").text
    assert "Korvin &amp; Sons" in log
    assert "Budget a month, in credits: –" in log


def test_rules_hold_without_a_restart(app: Flask, admin: FlaskClient) -> None:
    save(admin)

    with app.app_context():
        config = options.current()
        assert (config.review_before_publish, config.ask_agreement, config.low_balance) == (True, 70, 20)
        assert budget.left(db.session(), new_id()) == [500, 50]
    assert 'value="EUR"' in admin.get("/admin/parts/new").text
    save(admin, monthly_budget="0", user_monthly_limit="0")
    with app.app_context():
        assert budget.left(db.session(), new_id()) == []


def test_what_the_environment_says_too_is_left_to_it(app: Flask, admin: FlaskClient) -> None:
    usual = {
        "name": "",
        "email": "",
        "phone": "",
        "whatsapp": "",
        "accent": "",
        "currency": "",
        "units": "mm",
        "photo_background": "taken",
    }
    usual |= {"ask_agreement": "85", "monthly_budget": "0", "user_monthly_limit": "0", "low_balance": "100"}
    save(admin, review_before_publish="", **usual)
    changed = app.extensions["acr3d_settings"]

    with app.app_context():
        assert options.current() == changed


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("email", "ask us", "not a valid email address"),
        ("phone", "none", "not a phone number"),
        ("whatsapp", "0151 2345", "needs its country code"),
        ("accent", "red", "must look like #0e5f6b"),
        ("accent", "#ffee58", "The nearest shade that can be read is #"),
        ("currency", "XYZ", "such as EUR"),
        ("photo_background", "blue", "Choose one of the two"),
        ("units", "ell", "Choose one of the units"),
        ("monthly_budget", "-5", "whole number from 0 to 10,000,000"),
        ("ask_agreement", "101", "whole number from 0 to 100"),
        ("languages", "", "Choose at least one language"),
        ("name", "x" * 81, "up to 80 characters"),
    ],
)
def test_one_wrong_field_saves_nothing_and_loses_nothing(
    app: Flask, admin: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    refused = save(admin, **{"name": "Kept as typed", field: typed})

    assert refused.status_code == 400
    assert sentence in refused.text
    assert f'href="#{field}"' in refused.text
    assert field == "name" or "Kept as typed" in refused.text
    with app.app_context():
        assert options.current().shop.name == ""


def test_nobody_saves_over_somebody_else(app: Flask, admin: FlaskClient) -> None:
    old = seen(admin)
    save(admin)

    refused = save(admin, name="Another", seen=old)

    assert (refused.status_code, "Somebody else changed" in refused.text) == (409, True)
    with app.app_context():
        assert options.current().shop.name == "Korvin & Sons"


def test_a_logo_is_uploaded_shown_and_removed(admin: FlaskClient, client: FlaskClient) -> None:
    def send(content: bytes, **more: str) -> TestResponse:
        form = {"csrf_token": csrf_token(admin), "seen": seen(admin), "logo": (io.BytesIO(content), "a.png")}
        return admin.post("/admin/settings/logo", data=form | more)

    logo = picture(size=(64, 64), kind="PNG")
    assert send(logo).status_code == 303
    [address] = re.findall(r'<img class="logo" src="([^"]+)"', client.get("/").text)
    shown = client.get(address)
    assert (shown.data, shown.mimetype) == (logo, "image/png")

    for content, sentence in ((b"<svg/>", "must be a PNG"), (logo + bytes(200_000), "larger than 200 kB")):
        refused = send(content)
        assert (refused.status_code, sentence in refused.text) == (400, True)
    assert send(b"", remove="yes").status_code == 303
    assert 'class="logo"' not in client.get("/").text


def test_customers_are_offered_the_chosen_languages_only(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        make_part("A-1")
    save(admin, languages=["de"])
    client = app.test_client()

    page = client.get("/parts/A-1", headers={"Accept-Language": "en"}).text
    assert ('<html lang="de">' in page, 'hreflang="en"' in page) == (True, False)
    away = client.get("/en/parts/A-1")
    assert (away.status_code, away.location) == (302, "http://localhost/parts/A-1")
    assert client.get("/de/parts/A-1").status_code == 200

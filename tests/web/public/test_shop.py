"""The shop on its pages: name, logo, and ways to ask in which the part is already named."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from acr3d import settings
from tests.support.factories import make_part

SHOP = {
    "ACR3D_SHOP_NAME": "Korvin & Sons",
    "ACR3D_SHOP_EMAIL": "ask@korvin.example",
    "ACR3D_SHOP_PHONE": "+49 (30) 12-34",
    "ACR3D_SHOP_WHATSAPP": "+49 151 2345678",
}


def configure(app: Flask, tmp_path: Path, environ: dict[str, str]) -> None:
    given = {"ACR3D_INSTANCE": str(tmp_path / "instance")} | environ
    app.extensions["acr3d_settings"] = settings.from_environment(given)


def test_questions_name_the_part_and_its_page(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    configure(app, tmp_path, SHOP)
    with app.app_context():
        make_part("A/1 & b", name="Bracket, 50% off?")

    page = client.get("/parts/A%2F1%20%26%20b").text
    links = [html.unescape(link) for link in re.findall(r'class="button[^"]*" href="([^"]+)"', page)]
    mail = urlsplit(next(link for link in links if link.startswith("mailto:")))
    chat = urlsplit(next(link for link in links if "wa.me" in link))

    assert "Korvin &amp; Sons" in page
    assert mail.path == "ask@korvin.example"
    assert parse_qs(mail.query)["subject"] == ["Question about A/1 & b, Bracket, 50% off?"]
    assert parse_qs(mail.query)["body"][0].strip() == "http://localhost/parts/A%2F1%20%26%20b"
    assert chat.path == "/491512345678"
    assert "A/1 & b" in unquote(chat.query)
    assert "tel:+49301234" in links


def test_without_settings_nothing_can_be_asked(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part("A-1")

    page = client.get("/parts/A-1").text

    assert "Ask about this part" not in page
    assert client.get("/shop-logo").status_code == 404


def test_the_logo_is_served_and_a_new_shop_name_makes_new_pages(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    before = client.get("/").headers["ETag"]
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    configure(app, tmp_path, SHOP | {"ACR3D_SHOP_LOGO": str(logo)})

    page = client.get("/", headers={"If-None-Match": before})
    [address] = re.findall(r'<img class="logo" src="([^"]+)"', page.text)

    assert page.status_code == 200
    with client.get(html.unescape(address)) as answer:
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")

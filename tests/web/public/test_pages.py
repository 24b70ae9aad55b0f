"""What customers read: the catalogue, a part, and what is kept from them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from acr3d.db.models import PartImage
from acr3d.db.session import transaction
from acr3d.parts import categories
from acr3d.parts.bin import delete_part
from acr3d.parts.photos import images_of, label_photo
from acr3d.parts.search import PAGE_SIZE
from acr3d.storage.webp_keys import webp_key
from tests.support.databases import ON_BOTH
from tests.support.factories import make_part, make_part_with_photos

pytestmark = ON_BOTH


def test_the_catalogue_shows_published_parts_with_their_cover(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos("BR-100")
        make_part("HIDDEN-1", is_published=False)
        delete_part(make_part("GONE-1").id)
        cover = images_of(part.id)[0].thumbnail_path

    page = client.get("/").text

    assert "Bracket BR-100" in page
    assert f"/media/{cover}" in page
    assert "HIDDEN-1" not in page
    assert "GONE-1" not in page
    assert "1 part" in page


def test_search_finds_pieces_of_number_and_name(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part("OF-214", name="Spin-on oil filter")
        make_part("BD-280", name="Brake disc")

    assert "Brake disc" not in client.get("/?q=oil+214").text
    assert "Spin-on oil filter" in client.get("/?q=oil+214").text
    nothing = client.get("/?q=%3Cb%3Enothing").text
    assert "No parts match “&lt;b&gt;nothing”" in nothing
    assert 'value="&lt;b&gt;nothing"' in nothing


def test_a_long_catalogue_comes_in_pages_that_keep_the_search(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for number in range(PAGE_SIZE + 1):
            make_part(f"P-{number:03}")

    first = client.get("/?q=bracket").text
    [following] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(following.replace("&amp;", "&")).text

    assert first.count('class="card"') == PAGE_SIZE
    assert second.count('class="card"') == 1
    [back] = re.findall(r'rel="prev" href="([^"]+)"', second)
    assert client.get(back.replace("&amp;", "&")).text.count('class="card"') == PAGE_SIZE
    numbered = client.get("/?q=a%20b&page=2")
    assert (numbered.status_code, numbered.location) == (301, "/?q=a+b")
    wrong = client.get("/?cursor=x")
    assert wrong.status_code == 400
    assert "does not point into this list" in wrong.text


def test_parts_with_pictures_come_first_and_others_are_drawn(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part("A-1", name="Aluminium brake disc")
        make_part("B-1", name="Bolt")
        make_part_with_photos("Z-1")

    def names(query: str) -> list[str]:
        return re.findall(r'<h2><a href="[^"]+">([^<]+)<', client.get(f"/{query}").text)

    page = client.get("/").text
    assert names("") == ["Bracket Z-1", "Aluminium brake disc", "Bolt"]
    assert names("?sort=name") == ["Aluminium brake disc", "Bolt", "Bracket Z-1"]
    assert re.findall(r"placeholders.svg[^#]*#(\w+)", page) == ["disc", "bolt"]
    assert "#bolt" in client.get("/parts/B-1").text
    assert client.get("/?sort=price").status_code == 400


@pytest.mark.parametrize("sku", ["OF-214", "A/B", "a b?c#d", "50%", "Größe 1", "/x", "a//b", "“quoted”"])
def test_every_number_has_an_address(app: Flask, client: FlaskClient, sku: str) -> None:
    with app.app_context():
        make_part(sku, name="Bracket of its own")

    [address] = re.findall(r'<h2><a href="([^"]+)"', client.get("/").text)

    assert "Bracket of its own" in client.get(address).text


def test_a_part_shows_the_facts_that_are_given(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        categories.create("Brakes/Discs")
        facts = {"brand": "Brembo", "price": 39.9, "currency": "EUR", "price_unit": "pair", "weight_g": 7250}
        lists = {"numbers": "OE: 1J0 615", "fitment": "VW; Golf; 1997-2003", "attributes": {"Holes": "5"}}
        make_part("A-1", category="Brakes/Discs", availability="on_order", condition="used", **facts, **lists)
        make_part("A-2")

    page, plain = client.get("/parts/A-1").text, client.get("/parts/A-2").text

    for shown in (
        "Brembo",
        "<strong>€39.90</strong> / pair",
        "7.25 kg",
        "OE number",
        "1J0 615",
        "1997–2003",
        "on order",
        "Holes",
    ):
        assert shown in page, shown
    assert "Price" not in plain
    assert "Fits these" not in plain
    listed = client.get("/?category=brakes&q=golf").text
    assert "Bracket A-1" in listed
    assert "Bracket A-2" not in listed
    assert client.get("/?category=Wheels").status_code == 404
    shown = client.get("/api/parts?category=Brakes/Discs").json
    assert [part["sku"] for part in shown["parts"]] == ["A-1"]  # type: ignore[index]


def test_categories_lead_to_their_parts_and_a_part_to_related_ones(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for path in ("Brakes/Discs", "Brakes/Pads", "Empty"):
            categories.create(path)
        golf = "VW; Golf; 1997-2003"
        for sku, category in {
            "DISC-1": "Brakes/Discs",
            "DISC-2": "Brakes/Discs",
            "PAD-1": "Brakes/Pads",
        }.items():
            make_part(sku, category=category, fitment=None if sku == "DISC-2" else golf)
        make_part("HIDDEN", category="Brakes/Discs", fitment=golf, is_published=False)
        make_part("FILTER-1", fitment="BMW; Golf")

    top, brakes, discs = (
        client.get(f"/{place}").text for place in ("", "?category=Brakes", "?category=Brakes/Discs")
    )

    assert re.findall(r"category=(\w+)\">(\w+) <span class=\"count\">(\d+)", top) == [
        ("Brakes", "Brakes", "3")
    ]
    assert re.findall(r"<span class=\"count\">(\d+)", brakes) == ["2", "1"]
    assert "BreadcrumbList" in discs
    assert "sort=name" in discs.split("category=Brakes/Discs&amp;")[1]
    assert "PAD-1" not in discs
    related = client.get("/parts/DISC-1").text.partition('id="related"')[2]
    assert re.findall(r'<p class="sku">([^<]+)', related) == ["PAD-1", "DISC-2"]
    assert 'id="related"' not in client.get("/parts/FILTER-1").text


def test_a_part_is_found_whatever_the_case_of_its_number(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part("Of-214")

    assert client.get("/parts/oF-214").status_code == 200


def test_a_part_says_what_is_known_of_it(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        part = make_part_with_photos("BR-100", angles=("front", "back"))
        label_photo(images_of(part.id)[0].id, {"alt_text": "Seen from the road", "caption": "New finish"})
        make_part("SIZED", description="First line.\nSecond <i>line</i>.", width_mm=1234.5, depth_mm=3)

    page = client.get("/parts/BR-100").text
    sized = client.get("/parts/SIZED").text

    assert 'alt="Seen from the road"' in page
    assert "New finish" in page
    assert 'alt="Bracket BR-100, back"' in page
    assert "model-viewer" not in page
    assert "Width × Depth" in sized
    assert "1,234.5 × 3 mm" in sized
    assert "Second &lt;i&gt;line&lt;/i&gt;." in sized
    assert "No photos of this part yet." in sized


@pytest.mark.parametrize("place", ["/parts/", "/embed/"])
def test_hidden_and_unknown_parts_look_the_same(app: Flask, client: FlaskClient, place: str) -> None:
    with app.app_context():
        make_part("HIDDEN-1", is_published=False)
        delete_part(make_part("GONE-1", is_published=False).id)

    answers = [client.get(place + sku) for sku in ("HIDDEN-1", "GONE-1", "NEVER-1")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
    assert "Go to the catalogue" in answers[0].text


def test_search_engines_are_told_where_the_site_map_is_and_what_is_not_for_them(client: FlaskClient) -> None:
    answer = client.get("/robots.txt")

    assert answer.mimetype == "text/plain"
    assert "Disallow: /admin/" in answer.text.splitlines()
    assert "Sitemap: http://localhost/sitemap.xml" in answer.text.splitlines()


def test_pages_speak_the_readers_language(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_part("SIZED", width_mm=1234.5)

    german = client.get("/parts/SIZED", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
    other = client.get("/parts/SIZED", headers={"Accept-Language": "fi"})

    assert '<html lang="de">' in german.text
    assert "Teilenummer" in german.text
    assert "1.234,5 mm" in german.text
    assert "Accept-Language" in german.headers["Vary"]
    spanish = client.get("/parts/SIZED", headers={"Accept-Language": "es-MX,es;q=0.9"}).text
    assert '<html lang="es">' in spanish
    assert "Número de pieza" in spanish
    assert "1.234,5 mm" in spanish
    assert '<html lang="en">' in other.text
    assert "Part number" in other.text


def test_photos_come_as_webp_in_the_width_that_fits_with_jpeg_behind(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        [image] = images_of(make_part_with_photos("BR-100", ("front",)).id)
    webp = f"/media/{webp_key(image.storage_path or '', 400)} 400w"

    part, listed = client.get("/parts/BR-100").text, client.get("/").text

    assert f'<source type="image/webp" srcset="{webp}" sizes="(min-width: 60rem) 40rem, 100vw">' in part
    assert f'srcset="/media/{image.thumbnail_path} 400w, {image.image_url} 400w"' in part
    assert 'width="400" height="300"' in part
    assert f'<source type="image/webp" srcset="{webp}"' in listed
    with app.app_context(), transaction() as session:
        session.execute(update(PartImage).values(webp_widths=None))
    assert "<source" not in client.get("/parts/BR-100").text

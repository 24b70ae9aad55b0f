"""A part on other sites: what its page says to them, its picture, its embed code, and oEmbed."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from acr3d.db.models import ModelVersion
from acr3d.db.session import transaction
from acr3d.storage.blobs import storage
from tests.support.accounts import browser
from tests.support.factories import finished_job, make_part, make_part_with_photos, picture

HOST = "https://parts.example"
# What schema.org (29.0) says of the types that are used: each property, and the types of its values.
VOCABULARY: dict[str, dict[str, tuple[object, ...]]] = {
    "Product": {
        "url": (str,),
        "name": (str,),
        "sku": (str,),
        "description": (str,),
        "image": (str,),
        "width": ("QuantitativeValue",),
        "height": ("QuantitativeValue",),
        "depth": ("QuantitativeValue",),
        "subjectOf": ("3DModel",),
        "brand": ("Brand",),
        "gtin": (str,),
        "mpn": (str,),
        "weight": ("QuantitativeValue",),
        "offers": ("Offer",),
    },
    "Brand": {"name": (str,)},
    "Offer": {
        "url": (str,),
        "price": (str,),
        "priceCurrency": (str,),
        "availability": (str,),
        "itemCondition": (str,),
    },
    "QuantitativeValue": {"value": (int, float), "unitCode": (str,)},
    "3DModel": {"name": (str,), "encoding": ("MediaObject",), "image": (str,)},
    "MediaObject": {"contentUrl": (str,), "encodingFormat": (str,), "contentSize": (str,)},
    "BreadcrumbList": {"itemListElement": ("ListItem",)},
    "ListItem": {"position": (int,), "name": (str,), "item": (str,)},
}


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(public_url=HOST).test_client()


def give_model(part_id: str) -> None:
    """A published model with a poster."""
    poster = f"parts/{part_id}/models/poster.webp"
    storage().put(poster, picture(kind="WEBP"))
    with transaction() as session:
        job = finished_job(part_id)
        session.add(job)
        session.flush()
        version = ModelVersion(part_id=part_id, job_id=job.id, number=1, state="published", report={})
        version.storage_path, version.poster_path = f"parts/{part_id}/models/one.glb", poster
        version.sha256, version.file_size_bytes = "0" * 64, 1234
        session.add(version)


def meta(page: str) -> dict[str, str]:
    found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


def structured(page: str) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    things = [json.loads(one) for one in found]
    for thing in things:
        assert thing.pop("@context") == "https://schema.org"
        check_words(thing)
    return things


def check_words(thing: dict[str, Any]) -> None:
    known = VOCABULARY[thing["@type"]]
    for name, value in thing.items():
        for one in value if isinstance(value, list) else [value]:
            if name.startswith("@"):
                continue
            kinds = known[name]
            if isinstance(one, dict):
                assert one["@type"] in kinds, name
                check_words(one)
            else:
                assert isinstance(one, tuple(kind for kind in kinds if isinstance(kind, type))), name


def test_a_part_tells_search_engines_what_it_is(client: FlaskClient) -> None:
    with client.application.app_context():
        part_id = make_part_with_photos("A/1", angles=("front",)).id
        make_part("SIZED", name="</script><b>", description="One\nline " * 40, width_mm=12.5)
        give_model(part_id)

    product, trail = structured(client.get("/parts/A%2F1", base_url=HOST).text)
    sized, _trail = structured(client.get("/parts/SIZED", base_url=HOST).text)

    assert (product["name"], product["sku"]) == ("Bracket A/1", "A/1")
    assert product["url"] == f"{HOST}/parts/A%2F1"
    assert product["image"][0].startswith(f"{HOST}/media/parts/")
    [file] = product["subjectOf"]["encoding"]
    assert file["contentUrl"] == f"{HOST}/media/parts/{part_id}/models/one.glb"
    assert file["encodingFormat"] == "model/gltf-binary"
    assert [step["position"] for step in trail["itemListElement"]] == [1, 2]
    assert trail["itemListElement"][0]["item"] == f"{HOST}/"
    assert sized["name"] == "</script><b>"
    assert sized["width"] == {"@type": "QuantitativeValue", "value": 12.5, "unitCode": "MMT"}
    assert "offers" not in sized
    assert "subjectOf" not in sized
    assert len(meta(client.get("/parts/SIZED", base_url=HOST).text)["description"]) < 160


def test_a_part_with_a_price_is_an_offer_with_its_numbers(client: FlaskClient) -> None:
    numbers = "MPN: 09.A234\nGTIN: 4006381333931\nOE: 1J0 615"
    price = {"price": 1234567.5, "currency": "EUR", "availability": "on_order", "condition": "used"}
    with client.application.app_context():
        make_part("A-1", brand="Brembo", weight_g=7250, numbers=numbers, **price)

    product, _trail = structured(client.get("/parts/A-1", base_url=HOST).text)

    assert product["offers"] == {
        "@type": "Offer",
        "url": f"{HOST}/parts/A-1",
        "price": "1234567.5",
        "priceCurrency": "EUR",
        "availability": "https://schema.org/BackOrder",
        "itemCondition": "https://schema.org/UsedCondition",
    }
    assert (product["brand"]["name"], product["mpn"], product["gtin"]) == (
        "Brembo",
        "09.A234",
        "4006381333931",
    )
    assert product["weight"] == {"@type": "QuantitativeValue", "value": 7250, "unitCode": "GRM"}


def test_every_link_has_a_picture_that_others_show_whole(client: FlaskClient) -> None:
    with client.application.app_context():
        make_part_with_photos("PHOTOS", angles=("front",))
        give_model(make_part("MODEL").id)
        make_part("NOTHING", name="Größe für Ökonomen " * 8)
        make_part("漢字", name="部品")
        make_part("HIDDEN-1", is_published=False)

    pictures = []
    for path in ("/parts/PHOTOS", "/parts/MODEL", "/parts/NOTHING", "/parts/漢字", "/", "/de/parts/PHOTOS"):
        said = meta(client.get(path, base_url=HOST).text)
        assert said["og:image"] == said["twitter:image"]
        assert said["twitter:card"] == "summary_large_image"
        assert said["og:title"]
        assert said["og:description"]
        assert said["og:url"].startswith(HOST)
        answer = client.get(said["og:image"].removeprefix(HOST), base_url=HOST)
        assert answer.status_code == 200, path
        with Image.open(io.BytesIO(answer.data)) as image:
            assert (image.size, image.format) == ((1200, 630), "JPEG"), path
            assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
        pictures.append(answer.data)
        if path != "/":
            assert answer.cache_control.immutable, path

    assert len(set(pictures[:5])) == 5
    assert pictures[0] == pictures[5]
    assert client.get("/cards/HIDDEN-1.jpg", base_url=HOST).status_code == 404
    assert "noindex" in client.get("/?q=bracket", base_url=HOST).text
    assert "noindex" not in client.get("/", base_url=HOST).text
    odd = client.get("/?endpoint=x&_external=1&_scheme=javascript&sort=sku", base_url=HOST).text
    assert f'<link rel="canonical" href="{HOST}/?endpoint=x' in odd
    tracked = client.get("/parts/PHOTOS?utm_source=x&gclid=y", base_url=HOST).text
    assert f'<link rel="canonical" href="{HOST}/parts/PHOTOS">' in tracked


def test_a_part_is_embedded_by_its_address(client: FlaskClient) -> None:
    with client.application.app_context():
        make_part_with_photos("A/1", angles=("front",))
        make_part("HIDDEN-1", is_published=False)

    page = client.get("/parts/A%2F1", base_url=HOST).text
    [discovered] = re.findall(r'type="application/json\+oembed" href="([^"]+)"', page)
    answer = client.get(html.unescape(discovered).removeprefix(HOST), base_url=HOST)
    said = answer.json
    assert said is not None
    [(source, allowed)] = re.findall(r'<iframe src="([^"]+)".* allow="([^"]+)"', said["html"])

    assert (said["version"], said["type"], said["title"]) == ("1.0", "rich", "Bracket A/1")
    assert source == f"{HOST}/embed/A%2F1"
    assert "xr-spatial-tracking" in allowed
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    frame = client.get("/embed/A%2F1", base_url=HOST)
    assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in frame.headers
    small = client.get(f"/oembed?url={HOST}/de/parts/A%252F1&maxwidth=300", base_url=HOST).json
    assert small is not None
    assert (small["width"], small["height"]) == (300, 480)
    assert "thumbnail_url" not in small
    for other in (
        "",
        "https://elsewhere.example/parts/A%252F1",
        f"{HOST}/",
        f"{HOST}/parts/HIDDEN-1",
        "http://[",
    ):
        assert client.get("/oembed", query_string={"url": other}, base_url=HOST).status_code == 404, other
    xml = client.get("/oembed", query_string={"url": f"{HOST}/parts/A", "format": "xml"}, base_url=HOST)
    assert xml.status_code == 501


def test_the_embed_code_can_be_copied_on_the_page_and_in_the_admin(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        part_id, hidden_id = make_part("BR-100").id, make_part("HIDDEN-1", is_published=False).id
    admin = browser(app)

    for page in (app.test_client().get("/parts/BR-100").text, admin.get(f"/admin/parts/{part_id}").text):
        [code] = re.findall(r"<textarea[^>]*data-embed-code[^>]*>(.*?)</textarea>", page, re.DOTALL)
        assert html.unescape(code).startswith('<iframe src="http://localhost/embed/BR-100"')
        assert "js/copy.js" in page
    assert "data-embed-code" not in admin.get(f"/admin/parts/{hidden_id}").text

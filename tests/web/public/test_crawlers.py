"""What crawlers read: the site map, robots.txt, and the languages' addresses."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import xmlschema
from flask import Flask
from flask.testing import FlaskClient

from acr3d.parts.photos import images_of
from acr3d.web.public import sitemap
from acr3d.web.templating import LANGUAGES
from tests.support.databases import ON_BOTH
from tests.support.factories import make_part, make_part_with_photos

SCHEMAS = Path(__file__).parents[2] / "support" / "schemas"
RULES = xmlschema.XMLSchema(SCHEMAS / "sitemap.xsd", allow="local")
HOST = "https://parts.example"


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(public_url=HOST).test_client()


def addresses(client: FlaskClient, path: str) -> list[str]:
    """The addresses of a site map or an index that keeps to the protocol."""
    text = client.get(path, base_url=HOST).text
    RULES.validate(text)
    return re.findall(r"<loc>([^<]+)</loc>", text)


@ON_BOTH
def test_every_published_part_is_in_one_file_of_the_site_map(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemap, "FILE_PARTS", 3)
    with client.application.app_context():
        photographed = make_part_with_photos("A&B/1")
        for number in range(6):
            make_part(f"P-{number}")
        make_part("HIDDEN-1", is_published=False)
        images = [image.image_url for image in images_of(photographed.id)]

    files = addresses(client, "/sitemap.xml")
    listed = [one for file in files for one in addresses(client, file.removeprefix(HOST))]

    assert [file.rpartition("/")[2] for file in files] == ["1.xml", "2.xml", "3.xml"]
    assert sorted(listed) == sorted(
        [f"{HOST}/", f"{HOST}/parts/A%26B%2F1", *(f"{HOST}/parts/P-{number}" for number in range(6))]
    )
    everything = "".join(client.get(file, base_url=HOST).text for file in files)
    assert re.findall(r"<image:loc>([^<]+)</image:loc>", everything) == [HOST + one for one in images]
    assert client.get("/sitemaps/4.xml", base_url=HOST).status_code == 404
    assert client.get("/sitemaps/0.xml", base_url=HOST).status_code == 404
    packed = client.get("/sitemaps/1.xml", base_url=HOST, headers={"Accept-Encoding": "gzip"})
    assert b"</urlset>" in gzip.decompress(packed.data)


def test_an_empty_shop_has_a_valid_site_map_and_robots_know_it(client: FlaskClient) -> None:
    assert addresses(client, "/sitemap.xml") == [f"{HOST}/sitemaps/1.xml"]
    assert addresses(client, "/sitemaps/1.xml") == [f"{HOST}/"]
    robots = client.get("/robots.txt", base_url=HOST).text
    assert f"Sitemap: {HOST}/sitemap.xml" in robots
    assert "Disallow: /admin/" in robots


def test_each_language_has_an_address_that_links_keep(client: FlaskClient) -> None:
    with client.application.app_context():
        make_part("BR-100")

    def page(path: str, reader: str) -> str:
        answer = client.get(path, base_url=HOST, headers={"Accept-Language": reader})
        assert answer.status_code == 200, path
        assert ("Accept-Language" in answer.vary) is not path.startswith(("/de/", "/en/", "/es/")), path
        return answer.text

    german = page("/de/parts/BR-100", "en")
    assert '<html lang="de">' in german
    assert 'href="/de/"' in german
    assert '<html lang="en">' in page("/en/parts/BR-100", "de")
    assert '<html lang="de">' in page("/parts/BR-100", "de")
    assert 'property="og:locale" content="es_ES"' in page("/es/parts/BR-100", "en")
    assert 'href="/"' in page("/parts/BR-100", "en")
    for path in ("/de/parts/BR-100", "/parts/BR-100", "/de/", "/de/embed/BR-100"):
        text, place = page(path, "en"), path.removeprefix("/de")
        assert f'<link rel="canonical" href="{HOST}{path.replace("embed", "parts")}">' in text, path
        if "embed" not in path:
            own = [(language, f"/{language}{place}") for language in LANGUAGES]
            for language, address in (*own, ("x-default", place)):
                link = f'<link rel="alternate" hreflang="{language}" href="{HOST}{address}">'
                assert link in text, (path, link)
    assert client.get("/fr/parts/BR-100", base_url=HOST).status_code == 404

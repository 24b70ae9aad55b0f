"""Which language a page speaks, and how a reader chooses another."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from tests.support.accounts import browser, csrf_token


def test_a_language_chosen_by_staff_is_kept_and_is_not_that_of_public_pages(app: Flask) -> None:
    viewer = browser(app, "viewer")
    form = {"language": "de", "next": "/admin/parts?q=x", "csrf_token": csrf_token(viewer)}

    answer = viewer.post("/account/language", data=form)

    assert (answer.status_code, answer.location) == (303, "/admin/parts?q=x")
    english = {"Accept-Language": "en"}
    assert '<html lang="de">' in viewer.get("/admin/parts", headers=english).text
    assert '<html lang="de">' in viewer.get("/account/password", headers=english).text
    assert '<html lang="en">' in viewer.get("/", headers=english).text

    viewer.post("/account/language", data=form | {"language": "es", "csrf_token": csrf_token(viewer)})
    page = viewer.get("/admin/parts", headers=english).text
    assert ('<html lang="es">' in page, "<title>Piezas" in page) == (True, True)

    viewer.post("/account/language", data=form | {"language": "xx", "csrf_token": csrf_token(viewer)})
    assert '<html lang="en">' in viewer.get("/admin/parts", headers=english).text


def test_customers_find_each_language_at_the_foot_of_the_page(client: FlaskClient) -> None:
    page = client.get("/?q=bolt").text

    assert '<a href="http://localhost/de/?q=bolt" hreflang="de" lang="de">Deutsch</a>' in page
    assert '<a href="http://localhost/es/?q=bolt" hreflang="es" lang="es">Español</a>' in page
    assert 'lang="en" aria-current="true">English</a>' in page

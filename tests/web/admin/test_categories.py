"""The page of categories: add, rename, delete, and what it refuses."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from tests.support.accounts import browser, csrf_token
from tests.support.factories import make_part


def test_categories_are_edited_on_their_page(app: Flask, admin: FlaskClient) -> None:
    token = {"csrf_token": csrf_token(admin)}

    added = admin.post("/admin/categories", data=token | {"path": "Brakes/Discs"}, follow_redirects=True)
    with app.app_context():
        make_part("A-1", category="Brakes/Discs")
    discs = re.findall(r'action="(/admin/categories/[^/"]+)"', added.text)[1]
    renamed = admin.post(discs, data=token | {"name": "Rotors"}, follow_redirects=True)
    taken = admin.post("/admin/categories", data=token | {"path": "a/b/c/d"})
    parts = admin.get("/admin/parts?category=Brakes/Rotors")
    deleted = admin.post(f"{discs}/delete", data=token, follow_redirects=True)

    assert "“Brakes/Discs” was added." in added.text
    assert "Rotors" in renamed.text
    assert taken.status_code == 400
    assert "at most three levels" in taken.text
    assert 'value="a/b/c/d"' in taken.text
    assert "Bracket A-1" in parts.text
    assert "“Brakes/Rotors” was deleted." in deleted.text
    assert "Rotors" not in admin.get("/admin/categories").text
    assert "Add category" not in browser(app, "viewer").get("/admin/categories").text

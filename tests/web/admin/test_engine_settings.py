"""The page on which admins choose the model that orders go to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.accounts import browser, csrf_token
from tests.support.at_meshy import KEY
from tests.support.factories import make_part_with_photos


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(meshy_api_key=KEY)


def test_admins_choose_on_the_settings_page_and_see_the_price(app: Flask, admin: FlaskClient) -> None:
    page = admin.get("/admin/settings").text
    form = {"csrf_token": csrf_token(admin), "model": "meshy-6-lite", "seen": "meshy-7.1"}

    saved = admin.post("/admin/settings/meshy", data=form, follow_redirects=True)
    stale = admin.post("/admin/settings/meshy", data=form | {"model": "meshy-6"})

    assert "about 30 credits" in page
    assert "about 15 credits" in page
    assert "go to this model" in saved.text
    assert 'value="meshy-6-lite" checked' in saved.text
    assert (stale.status_code, "Somebody else" in stale.text) == (409, True)
    with app.app_context():
        part_id = make_part_with_photos().id
    assert "about 15 credits" in admin.get(f"/admin/parts/{part_id}").text
    viewer = browser(app, "viewer")
    assert "Save" not in viewer.get("/admin/settings").text
    token = {"csrf_token": csrf_token(viewer)}
    assert viewer.post("/admin/settings/meshy", data=form | token).status_code == 403

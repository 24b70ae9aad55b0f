"""Points of a model that an admin marks, and customers read."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.accounts import csrf_header
from tests.support.published import publish_box


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_customers_see_the_marked_points_in_order(
    app: Flask, client: FlaskClient, admin: FlaskClient
) -> None:
    with app.app_context():
        model = publish_box()
    address, token = f"/admin/versions/{model.version_id}/hotspots", csrf_header(admin)
    ear = {"title": "Ear <1>", "text": "Hole of 8 mm", "position": "0.5m 1e-1m 0m", "normal": "1 0 0"}

    for wrong in ({"title": " "}, {"position": ""}, {"position": "1 2 nan"}, {"normal": "1 2"}):
        assert admin.post(address, data=ear | wrong, headers=token).status_code == 400, wrong
    assert "hotspot-1" not in client.get("/parts/BR-100").text
    for title in ("First", ear["title"]):
        assert admin.post(address, data=ear | {"title": title}, headers=token).status_code == 200
    assert admin.post(f"{address}/1/remove", headers=token).status_code == 200
    assert admin.post(f"{address}/2/remove", headers=token).status_code == 404

    page = client.get("/parts/BR-100").text
    assert 'data-position="0.5 0.1 0.0" data-normal="1.0 0.0 0.0"' in page
    assert page.count("<strong>Ear &lt;1&gt;</strong> Hole of 8 mm") == 2  # on the model, and as a list
    assert "hotspot-2" not in page

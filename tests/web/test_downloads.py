"""Files of a part to download: for staff always, for customers once an admin allows it."""

from __future__ import annotations

import io
import struct
import threading
import zipfile

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.models import Part
from acr3d.db.session import transaction
from acr3d.jobs import model_files
from tests.support.accounts import csrf_token
from tests.support.factories import box_glb
from tests.support.published import Published, publish_box

SKU = "BR/100"

one_database = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


@pytest.fixture
def model(app: Flask) -> Published:
    with app.app_context():
        published = publish_box(SKU)
        assert model_files.catch_up(threading.Event())
        assert not model_files.catch_up(threading.Event())  # nothing is left to do
    return published


@one_database
def test_customers_download_what_an_admin_allows(
    app: Flask, client: FlaskClient, admin: FlaskClient, model: Published
) -> None:
    address = "/downloads/{}/BR%2F100".format
    assert 'id="downloads"' not in client.get("/parts/BR%2F100").text
    assert client.get(address("stl")).status_code == 404

    form = {"csrf_token": csrf_token(admin), "offered": "on"}
    assert (
        'name="offered" checked'
        in admin.post("/admin/settings/downloads", data=form, follow_redirects=True).text
    )

    page = client.get("/parts/BR%2F100").text
    for word, begin in {"glb": b"glTF", "stl": b"binary STL", "photos": b"PK"}.items():
        assert address(word) in page
        answer = client.get(address(word), buffered=True)
        assert answer.data.startswith(begin), word
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=BR-100"), word
    if model_files.can_write("usdz"):
        quick_look = page.split('ios-src="')[1].split('"')[0]
        assert client.get(quick_look, buffered=True).mimetype == "model/vnd.usdz+zip"
        assert address("usdz") in page
    photos = zipfile.ZipFile(io.BytesIO(client.get(address("photos"), buffered=True).data))
    assert photos.namelist() == ["BR-100-1.jpg", "BR-100-2.jpg"]
    assert client.get(address("raw")).status_code == 404
    assert client.get("/downloads/stl/NO-PART").status_code == 404
    with app.app_context(), transaction() as session:
        session.get_one(Part, model.part_id).is_published = False
    assert {client.get(address(word)).status_code for word in ("glb", "stl", "photos")} == {404}


@one_database
def test_a_name_in_any_script_is_the_archives_name(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        part_id = publish_box("ΩΔ 1").part_id

    answer = admin.get(f"/admin/parts/{part_id}/photos.zip", buffered=True)

    assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''%CE%A9%CE%94-1.zip")


@one_database
def test_staff_download_everything_and_stl_is_in_millimetres_with_z_up(
    app: Flask, client: FlaskClient, admin: FlaskClient, model: Published
) -> None:
    address = f"/admin/versions/{model.version_id}/download/{{}}".format
    page = admin.get(f"/admin/parts/{model.part_id}").text

    for word in ("glb", "stl", "raw"):
        assert address(word) in page
        assert client.get(address(word)).status_code == 302, word
    assert admin.get(address("raw"), buffered=True).data == box_glb()
    assert admin.get(address("exe")).status_code == 404
    assert admin.get(f"/admin/parts/{model.part_id}/photos.zip", buffered=True).data.startswith(b"PK")
    stl = admin.get(address("stl"), buffered=True).data
    assert struct.unpack_from("<I", stl, 80) == (12,)
    corners = [
        struct.unpack_from("<3f", stl, 84 + 50 * at + 12 * corner) for at in range(12) for corner in (1, 2, 3)
    ]
    low, high = map(min, zip(*corners, strict=True)), map(max, zip(*corners, strict=True))
    assert (tuple(low), tuple(high)) == ((-500, -250, 0), (500, 250, 1000))

"""The pages of imports: a file in, the preview, doing it, taking it back; and the exports of the list."""

from __future__ import annotations

import io
import re
import zipfile
from threading import Event

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.db.models import ModelVersion
from acr3d.db.session import transaction
from acr3d.imports import queue
from acr3d.imports.photo_names import SkuNames
from acr3d.imports.work import work
from acr3d.parts import search
from acr3d.parts.photos import images_of
from acr3d.parts.sku_lookup import part_with_sku
from acr3d.storage.blobs import storage
from tests.support.accounts import browser, csrf_token
from tests.support.factories import box_glb, finished_job, make_part, make_part_with_photos, picture


def poll(app: Flask) -> None:
    with app.app_context():
        while claimed := queue.claim():
            work(claimed, Event())


def send(admin: FlaskClient, table: str, name: str = "parts.csv") -> TestResponse:
    form = {"csrf_token": csrf_token(admin), "table": (io.BytesIO(table.encode()), name)}
    return admin.post("/admin/imports", data=form)


def press(admin: FlaskClient, page: str, action: str = "", **more: str) -> TestResponse:
    revision = re.search(r'name="revision" value="(\d+)"', admin.get(page).text)
    form = {"csrf_token": csrf_token(admin), "revision": revision[1] if revision else ""} | more
    return admin.post(page + action, data=form, follow_redirects=True)


def test_an_import_from_the_file_to_taking_it_back(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        make_part("P-1", name="Old filter")
    rows = "sku,name,width_mm\nP-1,Oil filter,10\nP-2,Clutch,20\nP-3,,30\n"

    page = send(admin, rows).location
    waiting = admin.get(page).text
    poll(app)
    ready = admin.get(page).text
    refused = admin.get(f"{page}?show=refused").text
    problems = admin.get(f"{page}/problems.csv").text
    press(admin, page, "/start")
    while_importing = admin.get(f"{page}/live").text
    poll(app)
    done = admin.get(page).text
    late = press(admin, page, "/start").text
    press(admin, page, "/undo")
    poll(app)

    assert f'hx-get="{page}/live"' in waiting
    assert "Nothing is written yet" in ready
    assert "<del>Old filter</del> → Oil filter" in ready
    assert "“Name” must not be empty." in refused
    assert ">P-3<" in refused
    assert ">P-2<" not in refused
    assert problems.splitlines()[1] == "4,P-3,“Name” must not be empty.,"
    assert "0 of 3 rows" in while_importing
    assert "Imported" in done
    assert "moved on since" in late
    assert "Undone" in admin.get(page).text
    assert admin.get(f"{page}/live").headers["HX-Refresh"] == "true"
    assert "Old filter" in admin.get("/admin/parts").text
    assert "Clutch" not in admin.get("/admin/parts").text


def test_columns_are_given_to_fields_by_hand(app: Flask, admin: FlaskClient) -> None:
    page = send(admin, "Ding;Wort\nP-1;Filter\n").location
    poll(app)
    unread = admin.get(page).text

    press(admin, page, **{"column-0": "sku", "column-1": "name", "delimiter": ";"})
    poll(app)
    twice = press(admin, page, **{"column-0": "sku", "column-1": "sku"}).text

    assert "No column holds part numbers" in unread
    assert "Two columns were given to one field." in twice
    assert "Nothing is written yet" in twice


def test_what_is_no_table_and_who_may_not_change_anything(app: Flask, admin: FlaskClient) -> None:
    page = send(admin, "PK\x03\x04 broken", "parts.xlsx").location
    poll(app)

    assert "The spreadsheet cannot be opened" in admin.get(page).text
    assert (
        "Choose a file first"
        in admin.post("/admin/imports", data={"csrf_token": csrf_token(admin)}, follow_redirects=True).text
    )
    viewer = browser(app, "viewer")
    assert "Show what would happen" not in viewer.get("/admin/imports").text
    assert viewer.post(page + "/delete", data={"csrf_token": csrf_token(viewer)}).status_code == 403
    deleted = admin.post(page + "/delete", data={"csrf_token": csrf_token(admin)})
    assert deleted.headers["HX-Redirect"] == "/admin/imports"
    assert admin.get(page).status_code == 404


def test_photos_are_sent_as_files_and_a_folder_and_asked_for_where_unclear(
    app: Flask, admin: FlaskClient
) -> None:
    photo = picture()

    def post(names: list[str], field: str, **more: object) -> TestResponse:
        files = [(io.BytesIO(photo), name) for name in names]
        return admin.post("/admin/imports", data={"csrf_token": csrf_token(admin), field: files} | more)

    table = (io.BytesIO(b"sku,name\nP-1,Filter\nP-1-2,Bolt\n"), "parts.csv")
    page = post(["shop/P-1/vorne.jpg", "shop/P-1-2.jpg", "shop/notes.txt"], "folder", table=table).location
    poll(app)
    ready = admin.get(f"{page}?photos=unclear").text
    number = re.findall(r'name="path-(\d+)" value="shop/P-1-2.jpg"', ready)[0]
    press(admin, page, "/photos", **{f"path-{number}": "shop/P-1-2.jpg", f"sku-{number}": "P-1-2"})
    poll(app)
    press(admin, page, "/start")
    while_importing = admin.get(f"{page}/live").text
    poll(app)

    assert "Its name fits several parts: P-1, P-1-2." in ready
    assert "Its name is not that of a photo.,shop/notes.txt" in admin.get(f"{page}/problems.csv").text
    assert "0 of 5 rows and photos" in while_importing
    with app.app_context():
        images = [images_of(part_with_sku(sku).id) for sku in ("P-1", "P-1-2")]
        assert [[image.angle_label for image in some] for some in images] == [["front"], [None]]
    zips = [(io.BytesIO(b"PK"), "a.zip"), (io.BytesIO(photo), "P-1.jpg")]
    both = admin.post(
        "/admin/imports", data={"csrf_token": csrf_token(admin), "photos": zips}, follow_redirects=True
    )
    assert "but not both" in both.text
    broken = post(["a.zip"], "photos").location
    assert "not damaged" in admin.get(broken).text


def test_the_list_is_exported_as_a_whole_as_filtered_and_as_chosen(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        ids = [
            make_part(sku, name=name).id
            for sku, name in (("A", "Oil filter"), ("B", "Air filter"), ("C", "Bolt"))
        ]

    def skus(query: str) -> list[str]:
        return re.findall(r'"sku": "(\w)"', admin.get(f"/admin/exports/parts.jsonl{query}").text)

    assert skus("") == ["A", "B", "C"]
    assert sorted(skus("?q=filter")) == ["A", "B"]
    assert skus(f"?id={ids[2]}&id={ids[0]}") == ["C", "A"]
    token = {"csrf_token": csrf_token(admin)}
    chosen = admin.post("/admin/exports", data=token | {"part": ids[:2]}).headers["HX-Redirect"]
    listed = admin.post("/admin/exports?q=filter", data=token | {"all": "yes"}).headers["HX-Redirect"]
    assert skus(chosen.partition("parts.xlsx")[2]) == ["A", "B"]
    assert listed == "/admin/exports/parts.xlsx?q=filter"
    assert admin.post("/admin/exports", data=token).status_code == 400
    assert skus("?id=no-id") == []
    assert admin.get("/admin/exports/parts.csv").data.startswith(b"\xef\xbb\xbfname,sku")
    assert admin.get("/admin/exports/parts.xlsx").data.startswith(b"PK")
    assert "/admin/exports/parts.csv?q=filter" in admin.get("/admin/parts?q=filter").text


def test_a_search_that_finds_more_than_its_list_shows_is_exported_whole(
    app: Flask, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "COUNTED", 1)
    with app.app_context():
        for sku in ("A", "B", "C"):
            make_part(sku, name="Oil filter")

    exported = admin.get("/admin/exports/parts.jsonl?q=filtr&sort=newest").text

    assert re.findall(r'"sku": "(\w)"', exported) == ["C", "B", "A"]


def test_photos_and_models_are_exported_under_names_that_an_import_takes_back(
    app: Flask, admin: FlaskClient
) -> None:
    skus = ["A/B", "end.", "50%", "Gone"]
    with app.app_context():
        parts = [make_part_with_photos(sku, angles=("front", "left")) for sku in skus]
        publish_model(parts[0].id)
        storage().delete(images_of(parts[3].id)[1].storage_path or "")
        photo = storage().path(images_of(parts[0].id)[0].storage_path or "").read_bytes()

    answer = admin.get("/admin/exports/files.zip")

    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert archive.read("A%2FB/1_front.jpg") == photo
        assert archive.read("missing.txt") == b"Gone/2_left.jpg\n"
    photos = [name for name in names if name.endswith(".jpg")]
    found = sorted(sku for name in photos for sku in SkuNames(skus).read(name).skus)
    assert found == sorted([*skus[:3] * 2, "Gone"])
    assert "A%2FB/model.glb" in names


def publish_model(part_id: str) -> None:
    job, key = finished_job(part_id), f"parts/{part_id}/models/a.glb"
    storage().put(key, box_glb())
    with transaction() as session:
        session.add(job)
        session.flush()
        facts = {"storage_path": key, "sha256": "0" * 64, "file_size_bytes": 1, "report": {}}
        session.add(ModelVersion(part_id=part_id, job_id=job.id, number=1, state="published", **facts))

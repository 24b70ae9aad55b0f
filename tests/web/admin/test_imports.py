"""The pages of imports: a file in, the preview, doing it, taking it back; and the exports of the list."""

from __future__ import annotations

import io
import re
from threading import Event

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.imports import queue
from acr3d.imports.work import work
from tests.support.accounts import browser, csrf_token
from tests.support.factories import make_part


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
    assert problems.splitlines()[1] == "4,P-3,“Name” must not be empty."
    assert "0 of 3 rows" in while_importing
    assert "Imported" in done
    assert "moved on since" in late
    assert "Taken back" in admin.get(page).text
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
    assert admin.get("/admin/exports/parts.csv").data.startswith(b"\xef\xbb\xbfname,sku")
    assert admin.get("/admin/exports/parts.xlsx").data.startswith(b"PK")
    assert "/admin/exports/parts.csv?q=filter" in admin.get("/admin/parts?q=filter").text

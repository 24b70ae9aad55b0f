"""Imports and exports by programs: at once or after a preview, what is refused, and taking back."""

from __future__ import annotations

import io
import zipfile
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.imports import queue
from acr3d.imports.work import work
from acr3d.settings import Settings
from tests.support.accounts import bearer
from tests.support.factories import picture

ADDRESS = "/api/admin/imports"


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    """What an import writes has tests on both databases."""
    return sqlite_config


def poll(app: Flask) -> None:
    with app.app_context():
        while claimed := queue.claim():
            work(claimed, Event())


def test_a_program_imports_looks_exports_and_takes_back(app: Flask, client: FlaskClient) -> None:
    header = bearer(app)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("P-1/front.jpg", picture())
        packed.writestr("../P-1.jpg", picture())

    def send(**fields: Any) -> Any:
        return client.post(ADDRESS, data=fields, headers=header)

    def table() -> tuple[io.BytesIO, str]:
        return io.BytesIO(b"sku,name,category\nP-1,Filter,New/One\nP-2,,\n"), "parts.csv"

    archive.seek(0)
    sent = send(table=table(), photos=(archive, "photos.zip"), makeCategories="true")
    address = f"{ADDRESS}/{sent.json['importId']}"
    poll(app)
    done = client.get(address, headers=header).json
    exported = client.get("/api/admin/exports/parts.jsonl?category=New", headers=header)
    files = client.get("/api/admin/exports/files.zip", headers=header)
    client.post(f"{address}/undo", headers=header)
    poll(app)
    undone = client.get(address, headers=header).json
    dry = send(table=table(), dryRun="true").json["importId"]
    poll(app)

    assert sent.status_code == 202
    assert (done["state"], done["counts"]["new"], done["photoCounts"]["added"]) == ("done", 1, 1)
    assert done["problems"] == [
        {"row": 3, "sku": "P-2", "problem": "“Name” must not be empty."},
        {"photo": "../P-1.jpg", "sku": "", "problem": "Its path leads out of the ZIP file."},
    ]
    assert '"sku": "P-1"' in exported.text
    assert zipfile.ZipFile(io.BytesIO(files.data)).namelist() == ["P-1/1_front.jpg"]
    assert undone["state"] == "undone"
    assert client.get("/api/admin/categories", headers=header).json == {"categories": []}
    assert client.get(f"{ADDRESS}/{dry}", headers=header).json["state"] == "ready"


def test_what_cannot_be_used_is_refused_with_a_sentence(app: Flask, client: FlaskClient) -> None:
    header = bearer(app)

    def refused(**fields: Any) -> str:
        answer = client.post(ADDRESS, data=fields, headers=header, content_type="multipart/form-data")
        assert answer.status_code == 400
        return str(answer.json["error"])

    assert "Choose a file first" in refused()
    assert "must end in .csv" in refused(table=(io.BytesIO(b"sku"), "parts.xml"))
    assert "Unknown field" in refused(tabel=(io.BytesIO(b"x"), "parts.csv"))
    assert "true, false" in refused(table=(io.BytesIO(b"sku,name"), "a.csv"), dryRun="perhaps")
    assert "not damaged" in refused(photos=(io.BytesIO(b"PK"), "a.zip"))
    assert client.post(ADDRESS, json={}, headers=header).status_code == 415
    assert client.get(f"{ADDRESS}/nothing", headers=header).status_code == 404

"""Our own files and the third parties' copies."""

from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.web import static, vendor

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of static files with one style sheet."""
    monkeypatch.setattr(static, "FOLDER", tmp_path)
    (tmp_path / "app.css").write_text("body { color: red }")
    return tmp_path


def address(app: Flask, name: str) -> str:
    with app.test_request_context():
        return static.asset(name)


def test_a_new_content_has_a_new_address_which_may_be_kept_for_ever(
    app: Flask, client: FlaskClient, folder: Path
) -> None:
    old = address(app, "app.css")
    assert client.get(old, buffered=True).headers["Cache-Control"] == FOR_EVER

    (folder / "app.css").write_text("body { color: green }")
    new = address(app, "app.css")

    assert new != old
    assert client.get(new, buffered=True).text == "body { color: green }"
    for outdated in (old, "/static/app.css"):
        assert client.get(outdated, buffered=True).headers["Cache-Control"] == "no-cache"


def test_text_is_compressed_for_those_who_can_read_it(client: FlaskClient, folder: Path) -> None:
    plain = client.get("/static/app.css", buffered=True)
    packed = client.get("/static/app.css", headers={"Accept-Encoding": "gzip"})
    smaller = client.get("/static/app.css", headers={"Accept-Encoding": "br, gzip"})

    assert plain.text == gzip.decompress(packed.data).decode() == "body { color: red }"
    assert brotli.decompress(smaller.data) == plain.data
    assert packed.headers["Content-Encoding"] == "gzip"
    for answer in (plain, packed, smaller):
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        assert "Accept-Encoding" in answer.headers["Vary"]
        again = client.get(
            "/static/app.css",
            buffered=True,
            headers={
                "If-None-Match": answer.headers["ETag"],
                "Accept-Encoding": answer.headers.get("Content-Encoding", "identity"),
            },
        )
        assert (again.status_code, again.data) == (304, b"")
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_what_is_no_file_of_ours_is_not_found(client: FlaskClient, folder: Path) -> None:
    (folder / ".hidden").write_text("x")
    (folder.parent / "outside.css").write_text("x")

    for name in ("nothing.css", ".hidden", "../outside.css", "..%2foutside.css", "%2fetc/passwd", "", "a%00"):
        assert client.get(f"/static/{name}").status_code == 404, name


def test_every_copy_of_a_third_party_is_served_with_its_type(client: FlaskClient) -> None:
    kinds = {".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm"}

    for file in vendor.FILES.values():
        answer = client.get(f"/static/vendor/{file.copy}", headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, file.copy
        assert answer.headers["Content-Type"] == kinds[Path(file.copy).suffix]
        assert answer.headers["Cache-Control"] == FOR_EVER
        assert vendor.integrity(gzip.decompress(answer.data)) == file.integrity

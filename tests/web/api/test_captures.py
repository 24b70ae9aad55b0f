"""A film comes in pieces over a bad connection, whole and once, or is refused with a sentence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from acr3d.captures import captures, installed, uploads
from acr3d.captures.limits import MOST_BYTES, PIECE_BYTES
from acr3d.db.extensions import db
from acr3d.db.models import Capture, CaptureBlob
from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.storage.blobs import storage
from tests.support.accounts import bearer
from tests.support.captures import VIDEO, install
from tests.support.factories import make_part, picture
from tests.support.woken import Woken

PIECE = {"Content-Type": "application/offset+octet-stream"}


class Phone:
    """A program that films one part."""

    def __init__(self, app: Flask, role: str = "admin") -> None:
        self.header, self.client = bearer(app, role), app.test_client()
        with app.app_context():
            self.part_id = make_part().id

    def begin(self, files: list[Any], position: int = 1) -> TestResponse:
        body = {"position": position, "files": files}
        return self.client.post(f"/api/admin/parts/{self.part_id}/captures", json=body, headers=self.header)

    def place(self, capture: Any, number: int = 0) -> str:
        return f"/api/admin/captures/{capture['id']}/files/{capture['files'][number]['id']}"

    def send(self, place: str, offset: object, data: bytes) -> TestResponse:
        headers = self.header | PIECE | {"Upload-Offset": str(offset)}
        return self.client.patch(place, data=data, headers=headers)

    def offset(self, place: str) -> int:
        return int(self.client.head(place, headers=self.header).headers["Upload-Offset"])


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.fixture
def phone(app: Flask) -> Phone:
    return Phone(app)


def film(size: int = len(VIDEO), name: str = "spin.mp4") -> dict[str, Any]:
    return {"name": name, "size": size}


def test_an_upload_goes_on_where_the_connection_was_lost(app: Flask, phone: Phone) -> None:
    poller = Woken()
    app.extensions["acr3d_poller"] = poller
    capture = phone.begin([film()]).json
    place = phone.place(capture)
    assert phone.send(place, 0, VIDEO[:30]).headers["Upload-Offset"] == "30"

    again = phone.begin([film()]).json  # the page was reloaded, and the same file chosen
    assert again is not None
    assert again["id"] == capture["id"]
    assert phone.offset(place) == 30
    assert poller.times == 0
    phone.send(place, 30, VIDEO[30:])

    assert poller.times == 1
    told = phone.client.get(f"/api/admin/captures/{capture['id']}", headers=phone.header).json
    assert (told["state"], told["files"][0]["offset"]) == ("waiting", len(VIDEO))
    with app.app_context():
        pieces = captures.blobs_of(capture["id"], "piece")
        assert b"".join(storage().path(one.storage_path).read_bytes() for one in pieces) == VIDEO


@pytest.mark.parametrize("offset", [0, 29, 31])
def test_a_wrong_offset_is_answered_with_the_right_one_and_leaves_nothing(
    app: Flask, phone: Phone, offset: int
) -> None:
    place = phone.place(phone.begin([film()]).json)
    phone.send(place, 0, VIDEO[:30])

    answer = phone.send(place, offset, VIDEO[offset : offset + 10])

    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "30")
    assert answer.json == {"error": "The upload continues at byte 30.", "offset": 30}
    with app.app_context():
        assert len(list(storage().keys())) == 1


def test_of_two_senders_of_one_piece_one_counts(
    app: Flask, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = phone.begin([film()]).json
    file_id = capture["files"][0]["id"]
    with app.app_context():
        put = storage().put

        def slow(key: str, data: bytes) -> None:
            monkeypatch.undo()
            install(monkeypatch)
            uploads.append(file_id, 0, VIDEO[:30])  # meanwhile, the other one
            put(key, data)

        monkeypatch.setattr(storage(), "put", slow)
        with pytest.raises(uploads.WrongOffset) as wrong:
            uploads.append(file_id, 0, VIDEO[:50])

        assert wrong.value.offset == 30
        assert len(list(storage().keys())) == 1


@pytest.mark.parametrize(
    ("sent", "files", "why"),
    [
        (None, [film(MOST_BYTES + 1)], "300 MB in all"),
        (None, [film(MOST_BYTES), film(1)], "300 MB in all"),
        (None, [film(0)], "is empty"),
        (None, [], "Choose a video"),
        (None, [film(name="spin.exe")], "neither a video nor a photo"),
        (None, [film(name="a.jpg")] * 15, "16 to 60 photos from all around; there are 15"),
        (None, [film(name="a.jpg")] * 61, "16 to 60 photos"),
        (None, [film(), film(name="a.jpg")], "not both at once"),
        (None, [film()] * 5, "at most 4 videos"),
        (None, [{"name": "spin.mp4", "size": "12"}], "a name and a size"),
        (None, [3], "a name and a size"),
        (b"MZ" + b"\0" * 90, [film(92)], "“spin.mp4” is not a video"),
        (picture(), [film(len(picture()))], "“spin.mp4” is not a video"),
        (VIDEO, [film(name="a.jpg")] * 16, "“a.jpg” is not a photo"),
        (VIDEO + b"x", [film()], "longer than the rest"),
        (b"", [film()], "is empty"),
        (b"\0" * 8, [film()], "at least 16 bytes"),
    ],
)
def test_what_is_no_capture_is_refused_with_a_sentence(
    app: Flask, phone: Phone, sent: bytes | None, files: list[Any], why: str
) -> None:
    answer = phone.begin(files)
    if sent is not None:
        answer = phone.send(phone.place(answer.json), 0, sent)

    assert answer.status_code == 400
    assert why in answer.json["error"]  # type: ignore[index]
    with app.app_context():
        assert list(storage().keys()) == []
        if "is not a" in why:
            assert captures.of_part(phone.part_id) == []  # it does not wait for a file that it refuses


def test_requests_that_are_no_pieces_are_refused(phone: Phone) -> None:
    capture = phone.begin([film(2 * PIECE_BYTES)]).json
    place = phone.place(capture)
    elsewhere = place.replace(capture["id"], capture["files"][0]["id"])

    assert phone.send(place, 0, b"x" * (PIECE_BYTES + 1)).status_code == 413
    assert phone.send(place, "x", VIDEO).status_code == 400
    assert phone.client.patch(place, json={}, headers=phone.header).status_code == 415
    assert phone.send(elsewhere, 0, VIDEO).status_code == 404
    assert phone.begin([film()], position=3).status_code == 400


def test_viewers_film_nothing(app: Flask, phone: Phone) -> None:
    viewer = Phone.__new__(Phone)
    viewer.header, viewer.client, viewer.part_id = bearer(app, "viewer"), phone.client, phone.part_id

    assert viewer.begin([film()]).status_code == 403
    assert viewer.send(phone.place(phone.begin([film()]).json), 0, VIDEO).status_code == 403


def test_a_full_disk_is_told_before_anything_is_sent(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 210_000_000

    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _folder: Full)

    answer = phone.begin([film(6_000_000)])

    assert answer.status_code == 503
    assert "disk is too full" in answer.json["error"]  # type: ignore[index]


def test_without_the_extra_nothing_is_taken(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "is_installed", lambda: False)

    answer = phone.begin([film()])

    assert answer.status_code == 409
    assert "“make spin” installs it" in answer.json["error"]  # type: ignore[index]


def test_an_upload_that_broke_off_is_gone_after_a_day(app: Flask, phone: Phone) -> None:
    capture = phone.begin([film()]).json
    phone.send(phone.place(capture), 0, VIDEO[:30])
    with app.app_context():
        captures.clean_up()
        assert len(list(storage().keys())) == 1

        with transaction() as session:
            session.execute(update(Capture).values(touched_at=utc_now() - timedelta(days=1, minutes=1)))
        captures.clean_up()

        assert list(storage().keys()) == []
        assert db.session.query(Capture).count() == db.session.query(CaptureBlob).count() == 0
    assert phone.client.head(phone.place(capture), headers=phone.header).status_code == 404


def test_other_files_take_the_place_of_ones_own_unfinished_upload(app: Flask, phone: Phone) -> None:
    first = phone.begin([film()]).json
    phone.send(phone.place(first), 0, VIDEO[:30])

    second = phone.begin([film(name="other.mov")]).json

    assert second["id"] != first["id"]
    listed = phone.client.get(f"/api/admin/parts/{phone.part_id}/captures", headers=phone.header).json
    assert [one["id"] for one in listed["captures"]] == [second["id"]]
    with app.app_context():
        assert list(storage().keys()) == []


def test_a_stranger_has_no_captures(client: FlaskClient) -> None:
    assert client.get("/api/admin/captures/00000000-0000-4000-8000-000000000000").status_code == 401

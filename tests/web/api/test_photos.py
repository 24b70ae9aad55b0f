"""The JSON API: photos of a part."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.db.models import PartImage
from acr3d.db.session import transaction
from acr3d.parts import conversion
from acr3d.parts.photos import images_of
from acr3d.storage.blobs import storage
from acr3d.web.api import request_body
from tests.support.factories import make_part, picture

MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
FORM = b'--x\r\nContent-Disposition: form-data; name="partId"\r\n\r\n%b\r\n--x--\r\n'
UPLOAD = "/api/admin/3d-models/upload-images"


@pytest.fixture
def part_id(app: Flask) -> str:
    with app.app_context():
        return make_part().id


@pytest.fixture
def send(client: FlaskClient, admin: dict[str, str], part_id: str) -> Callable[..., TestResponse]:
    """Upload to the part: image0=bytes, image1=bytes, …, and other fields of the form."""

    def upload(**fields: bytes | str) -> TestResponse:
        form: dict[str, Any] = {"partId": part_id}
        for name, value in fields.items():
            form[name] = (io.BytesIO(value), f"{name}.jpg") if isinstance(value, bytes) else value
        return client.post(UPLOAD, data=form, headers=admin)

    return upload


@pytest.fixture
def present(client: FlaskClient, admin: dict[str, str], part_id: str) -> Callable[[], list[dict[str, Any]]]:
    """The part's photos as the API tells them."""

    def read() -> list[dict[str, Any]]:
        answer = client.get(f"/api/admin/parts/{part_id}", headers=admin).json
        assert answer is not None
        images: list[dict[str, Any]] = answer["images"]
        for image in images:
            del image["preflight"]  # what was found in it is told later than what it is
        return images

    return read


def stored(app: Flask) -> set[str]:
    with app.app_context():
        return set(storage().keys())


def test_the_files_names_tell_the_angles(
    client: FlaskClient, admin: dict[str, str], part_id: str, present: Any
) -> None:
    form = {
        "partId": part_id,
        "image0": (io.BytesIO(picture()), "disc.jpg"),
        "image1": (io.BytesIO(picture()), "disc_vorne.jpg"),
    }

    assert client.post(UPLOAD, data=form, headers=admin).status_code == 200
    assert [image["angle_label"] for image in present()] == [None, "front"]


def test_several_photos_are_kept_in_their_order(
    client: FlaskClient, admin: dict[str, str], send: Callable[..., TestResponse], present: Any
) -> None:
    answer = send(image0=picture(size=(400, 300)), image1=picture(size=(500, 300)))
    more = send(image0=picture("red", size=(600, 300)))

    assert answer.status_code == more.status_code == 200
    assert answer.json is not None
    assert answer.json["success"] is True
    assert answer.json["uploadedCount"] == 2
    images = present()
    assert answer.json["images"] == images[:2]
    assert answer.json["urls"] == [image["url"] for image in images[:2]]
    assert [image["width_px"] for image in images] == [400, 500, 600]
    assert [image["display_order"] for image in images] == [0, 1, 2]
    for image in images:
        for url in (image["url"], image["thumbnail_url"]):
            assert client.get(url, headers=admin, buffered=True).mimetype == "image/jpeg"


def test_labels_in_the_form_are_those_of_the_photo(send: Callable[..., TestResponse], present: Any) -> None:
    send(image0=picture(), angle_label="front", alt_text="A bracket", caption="Seen from the front")

    [image] = present()
    assert (image["angle_label"], image["alt_text"]) == ("front", "A bracket")
    assert image["caption"] == "Seen from the front"


def test_one_bad_photo_and_none_is_kept(app: Flask, send: Callable[..., TestResponse], present: Any) -> None:
    answer = send(image0=picture(), image1=b"<html>no photo</html>", image2=picture())

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"].startswith("image1: This is a web page")
    assert present() == []
    assert stored(app) == set()


def test_no_more_than_six_photos(app: Flask, send: Callable[..., TestResponse], present: Any) -> None:
    five = send(**{f"image{n}": picture() for n in range(5)})
    kept = stored(app)

    two_more = send(image0=picture(), image1=picture())
    seven = send(**{f"image{n}": picture() for n in range(7)})

    assert five.status_code == 200
    assert two_more.json == {"error": "A part has at most six photos; there is room for 1 more."}
    assert (two_more.status_code, seven.status_code) == (400, 400)
    assert len(present()) == 5
    assert stored(app) == kept


def test_uploads_that_cannot_be_meant_are_refused(
    client: FlaskClient, admin: dict[str, str], part_id: str, send: Callable[..., TestResponse]
) -> None:
    file = (io.BytesIO(picture()), "a.jpg")
    for answer, status, sentence in (
        (send(), 415, "multipart"),
        (
            client.post(UPLOAD, data=FORM % part_id.encode(), headers=admin | MULTIPART),
            400,
            "contains no photo",
        ),
        (send(image0=b""), 400, "is empty"),
        (send(image0=picture(), image1="text"), 400, "image0 to image5"),
        (send(image0=picture(), photo=picture()), 400, "Unknown field: photo"),
        (send(image0=picture(), colour="red"), 400, "Unknown field: colour"),
        (send(image0=picture(), angle_label="inside"), 400, "must be one of"),
        (client.post(UPLOAD, data={"image0": file}, headers=admin), 400, "“partId” is missing"),
        (client.post(UPLOAD, json={"partId": part_id}, headers=admin), 415, "multipart"),
    ):
        assert answer.status_code == status, sentence
        assert answer.json is not None
        assert sentence in answer.json["error"]


def test_the_same_name_twice_is_refused(client: FlaskClient, admin: dict[str, str], part_id: str) -> None:
    files = [(io.BytesIO(picture()), "a.jpg"), (io.BytesIO(picture()), "b.jpg")]

    answer = client.post(UPLOAD, data={"partId": part_id, "image0": files}, headers=admin)

    assert answer.status_code == 400
    assert "sent twice" in answer.text


def test_an_unknown_part_is_found_out_before_any_photo_is_decoded(
    client: FlaskClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "converted_all", lambda _streams: pytest.fail("decoded in vain"))

    for part_id in ("nothing", "00000000-0000-4000-8000-000000000000"):
        form = {"partId": part_id, "image0": (io.BytesIO(picture()), "a.jpg")}
        assert client.post(UPLOAD, data=form, headers=admin).status_code == 404


def test_a_photo_that_cannot_be_converted_now_may_be_sent_again(
    send: Callable[..., TestResponse], present: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "LONGEST_WAIT_SECONDS", 0)
    monkeypatch.setattr(conversion, "_plain_jpegs", conversion._Queue(1))
    with conversion._plain_jpegs.turn():
        answer = send(image0=picture())

    assert answer.status_code == 503
    assert answer.json is not None
    assert "upload it again in a minute" in answer.json["error"]
    assert present() == []
    assert send(image0=picture()).status_code == 200


def test_a_stranger_sends_nothing_that_is_read(client: FlaskClient, part_id: str) -> None:
    class Unread(io.BytesIO):
        def read(self, *_size: Any) -> bytes:
            raise AssertionError("the body was read")

    answer = client.post(
        UPLOAD,
        input_stream=Unread(b"x" * 1000),
        content_type="multipart/form-data; boundary=x",
    )

    assert answer.status_code == 401


def test_an_upload_that_is_too_long_is_refused_before_it_is_read(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    answer = client.post(
        UPLOAD,
        content_type="multipart/form-data; boundary=x",
        headers=admin,
        environ_overrides={"CONTENT_LENGTH": "200000000"},
    )

    assert answer.status_code == 413
    assert answer.json is not None
    assert "too large" in answer.json["error"]


def test_photos_are_reordered(
    client: FlaskClient, admin: dict[str, str], part_id: str, send: Callable[..., TestResponse], present: Any
) -> None:
    send(**{f"image{n}": picture() for n in range(3)})
    ids = [image["id"] for image in present()]

    answer = client.put(f"/api/admin/parts/{part_id}/images/order", json=ids[::-1], headers=admin)

    assert answer.status_code == 200
    assert [image["id"] for image in answer.json or []] == ids[::-1]
    assert [image["id"] for image in present()] == ids[::-1]
    assert [image["display_order"] for image in present()] == [0, 1, 2]


def test_an_order_of_other_photos_is_a_conflict_that_tells_the_present_one(
    client: FlaskClient, admin: dict[str, str], part_id: str, send: Callable[..., TestResponse], present: Any
) -> None:
    send(image0=picture(), image1=picture())
    ids = [image["id"] for image in present()]

    for wrong in ([], ids[:1], [ids[0], ids[0]], [*ids, "x"]):
        answer = client.put(f"/api/admin/parts/{part_id}/images/order", json=wrong, headers=admin)
        assert answer.status_code == 409
        assert answer.json is not None
        assert answer.json["images"] == present()
        assert "Someone else changed the photos" in answer.json["error"]
    for senseless in ({}, "x", [1, 2]):
        answer = client.put(f"/api/admin/parts/{part_id}/images/order", json=senseless, headers=admin)
        assert answer.status_code == 400
    assert [image["id"] for image in present()] == ids


def test_a_photo_is_labelled(
    client: FlaskClient, admin: dict[str, str], send: Callable[..., TestResponse], present: Any
) -> None:
    send(image0=picture())
    url = f"/api/admin/images/{present()[0]['id']}"

    answer = client.patch(url, json={"angle_label": "left", "caption": "<b>"}, headers=admin)
    cleared = client.patch(url, json={"angle_label": None}, headers=admin)

    assert answer.json is not None
    assert (answer.json["angle_label"], answer.json["caption"]) == ("left", "<b>")
    assert cleared.json == present()[0]
    assert (present()[0]["angle_label"], present()[0]["caption"]) == (None, "<b>")
    for body in ({"angle_label": "inside"}, {"caption": 7}, {"caption": "x" * 301}, {"url": "x"}, []):
        assert client.patch(url, json=body, headers=admin).status_code == 400
    assert client.patch("/api/admin/images/x", json={}, headers=admin).status_code == 404


def test_a_photo_is_deleted_and_the_rest_move_up(
    client: FlaskClient, admin: dict[str, str], send: Callable[..., TestResponse], present: Any
) -> None:
    send(**{f"image{n}": picture() for n in range(3)})
    first, second, third = present()

    answer = client.delete(f"/api/admin/images/{second['id']}", headers=admin)

    assert (answer.status_code, answer.data) == (204, b"")
    assert [image["id"] for image in present()] == [first["id"], third["id"]]
    assert [image["display_order"] for image in present()] == [0, 1]
    assert client.delete(f"/api/admin/images/{second['id']}", headers=admin).status_code == 404


def test_a_photo_is_replaced_in_its_place_with_its_labels(
    client: FlaskClient, admin: dict[str, str], send: Callable[..., TestResponse], present: Any
) -> None:
    send(image0=picture(size=(400, 300)), image1=picture(size=(500, 300)))
    old = present()[0]
    client.patch(f"/api/admin/images/{old['id']}", json={"angle_label": "top"}, headers=admin)
    url = f"/api/admin/images/{old['id']}/file"

    bad = client.put(url, data={"image": (io.BytesIO(b"no photo"), "a.jpg")}, headers=admin)
    assert bad.status_code == 400
    assert present()[0]["id"] == old["id"]
    answer = client.put(url, data={"image": (io.BytesIO(picture(size=(600, 300))), "a.jpg")}, headers=admin)

    assert answer.status_code == 200
    assert answer.json == present()[0]
    assert present()[0]["id"] != old["id"]
    assert [(image["width_px"], image["angle_label"]) for image in present()] == [(600, "top"), (500, None)]


def test_a_picture_still_to_be_imported_is_not_linked(
    app: Flask, client: FlaskClient, admin: dict[str, str], part_id: str, present: Any
) -> None:
    with app.app_context(), transaction() as session:
        address = "https://elsewhere.example/old.jpg"
        session.add(PartImage(part_id=part_id, image_url=address, display_order=0))

    assert (present()[0]["url"], present()[0]["thumbnail_url"]) == (None, None)
    public = client.get("/api/parts/BR-100")
    assert public.json is not None
    assert public.json["photos"] == []
    assert "elsewhere" not in public.text
    with app.app_context():
        assert images_of(part_id)[0].image_url == address

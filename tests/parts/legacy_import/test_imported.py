"""`flask photos fetch`: an adopted database's remote pictures become photos."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.db.extensions import db
from acr3d.db.models import PartImage
from acr3d.parts.bin import delete_part
from acr3d.parts.legacy_import import import_picture, pictures_to_import
from acr3d.parts.photos import add_photos, delete_photo, images_of, label_photo, replace_photo
from acr3d.storage.blobs import storage
from acr3d.storage.local import LocalStorage
from tests.support.accounts import browser
from tests.support.adopted import adopt, fetch_photos, files_of, names_of, state_of_everything
from tests.support.contract.server import (
    Handler,
    PreparedServer,
    raw,
)
from tests.support.factories import make_part, photo, picture


def read(visitor: FlaskClient, path: str) -> str:
    page = visitor.get(path)
    assert page.status_code == 200
    return page.text


def test_a_remote_picture_becomes_a_photo_that_customers_and_admins_see(
    in_app: Flask, client: FlaskClient, old_host: PreparedServer
) -> None:
    url = f"{old_host.base}/filter.png?token=old"
    part = adopt("OF-1", url)
    staff = browser(in_app)
    old_host.answers = [raw(200, picture(kind="PNG"))]
    public = dict.fromkeys(("/parts/OF-1", "/", "/embed/OF-1", "/api/parts", "/api/parts/OF-1"), client)
    admin, api = f"/admin/parts/{part.id}", f"/api/admin/parts/{part.id}"
    pages = public | dict.fromkeys((admin, "/admin/parts", api), staff)
    before = {path: read(visitor, path) for path, visitor in pages.items()}

    result = fetch_photos(in_app)

    assert result.exit_code == 0, result.output
    assert "OF-1: imported from 127.0.0.1" in result.output
    db.session.expire_all()
    [image] = images_of(part.id)
    after = {path: read(visitor, path) for path, visitor in pages.items()}
    assert image.image_url in after["/parts/OF-1"]
    assert f"/media/{image.thumbnail_path}" in after["/"]
    assert image.image_url in after[admin]  # the cover is shown large
    assert "not imported yet" in before[admin]
    assert "not imported yet" not in after[admin]
    remote = old_host.base.removeprefix("http://")
    assert not any(remote in page or "token=old" in page for page in (*before.values(), *after.values()))
    with client.get(image.image_url) as file:
        assert (file.status_code, file.mimetype) == (200, "image/jpeg")


def test_the_row_keeps_its_id_place_and_labels_and_gets_its_facts(
    in_app: Flask, old_host: PreparedServer
) -> None:
    url = f"{old_host.base}/filter.jpg"
    part = adopt("OF-1", url)
    [before] = images_of(part.id)
    label_photo(before.id, {"angle_label": "front", "alt_text": "A filter", "caption": "New"})
    [second] = add_photos(part.id, [photo("red")])
    revision = part.revision
    old_host.answers = [raw(200, picture())]

    assert fetch_photos(in_app).exit_code == 0

    db.session.expire_all()
    image, last = images_of(part.id)
    assert (image.id, last.id) == (before.id, second.id)
    assert (image.angle_label, image.alt_text, image.caption) == ("front", "A filter", "New")
    assert (image.width_px, image.height_px, image.mime_type) == (400, 300, "image/jpeg")
    assert image.image_url == f"/media/{image.storage_path}"
    with storage().open(image.storage_path or "") as file:
        assert len(file.read()) == image.file_size_bytes
    assert (part.primary_image_url, part.image_url) == (image.image_url, url)
    assert part.revision > revision
    assert files_of(storage().folder) == names_of(part)


def test_nothing_of_ours_is_told_to_the_old_host(in_app: Flask, old_host: PreparedServer) -> None:
    adopt("OF-1", f"{old_host.base}/filter.jpg")
    old_host.answers = [raw(200, picture())]

    fetch_photos(in_app)

    [seen] = old_host.requests
    assert not {"authorization", "cookie", "referer"} & set(seen.headers)


def test_a_redirect_is_followed(in_app: Flask, old_host: PreparedServer) -> None:
    part = adopt("OF-1", f"{old_host.base}/filter.jpg")
    old_host.answers = [raw(301, b"", {"location": "/moved/filter.jpg"}), raw(200, picture())]

    assert fetch_photos(in_app).exit_code == 0
    assert images_of(part.id)[0].storage_path


def test_without_remote_pictures_there_is_nothing_to_do(in_app: Flask) -> None:
    add_photos(make_part().id, [photo()])
    before = state_of_everything()

    result = fetch_photos(in_app)

    assert (result.exit_code, result.output) == (0, "Imported: 0. Not imported: 0.\n")
    assert state_of_everything() == before


def test_one_bad_picture_costs_the_others_nothing_and_the_next_run_takes_up_what_is_left(
    in_app: Flask, old_host: PreparedServer
) -> None:
    first, second, third = (adopt(sku, f"{old_host.base}/{sku}.jpg") for sku in ("A-1", "B-2", "C-3"))
    old_host.answers = [raw(200, picture()), raw(503, b""), raw(200, picture("red"))]

    broken = fetch_photos(in_app)

    assert broken.exit_code == 1
    assert "Imported: 2. Not imported: 1." in broken.output
    db.session.expire_all()
    assert [bool(images_of(part.id)[0].storage_path) for part in (first, second, third)] == [
        True,
        False,
        True,
    ]

    old_host.requests.clear()
    old_host.answers = [raw(200, picture("green"))]
    mended = fetch_photos(in_app)

    assert mended.exit_code == 0, mended.output
    assert [seen.path for seen in old_host.requests] == ["/B-2.jpg"]
    db.session.expire_all()
    assert images_of(second.id)[0].storage_path
    assert files_of(storage().folder) == names_of(first) | names_of(second) | names_of(third)


class Killed(BaseException):
    """The process ends here."""


def test_a_kill_between_the_files_and_the_row_leaves_nothing_after_the_next_run(
    in_app: Flask, old_host: PreparedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = adopt("OF-1", f"{old_host.base}/filter.jpg")
    old_host.answers = [raw(200, picture())] * 2
    [remote] = pictures_to_import()

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("acr3d.parts.photos.set_file_columns", killed)
        patched.setattr(LocalStorage, "delete", lambda *_: None)  # a killed process tidies nothing up
        with pytest.raises(Killed):
            import_picture(remote)
    db.session.expire_all()
    assert files_of(storage().folder)
    assert images_of(part.id)[0].storage_path is None

    assert fetch_photos(in_app).exit_code == 0
    db.session.expire_all()
    assert files_of(storage().folder) == names_of(part)


def test_two_runs_at_once_do_no_harm(in_app: Flask, old_host: PreparedServer) -> None:
    part = adopt("OF-1", f"{old_host.base}/filter.jpg")
    both_asked = threading.Barrier(2)

    def give(handler: Handler) -> None:
        both_asked.wait(30)
        raw(200, picture())(handler)

    old_host.answers = [give, give]
    [remote] = pictures_to_import()
    results: list[bool] = []

    def run() -> None:
        with in_app.app_context():
            results.append(import_picture(remote))

    runs = [threading.Thread(target=run) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()

    assert sorted(results) == [False, True]
    db.session.expire_all()
    assert len(names_of(part)) == 3
    assert files_of(storage().folder) == names_of(part)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda image: delete_photo(image.id),
        lambda image: replace_photo(image.id, photo("red")),
        lambda image: delete_part(image.part_id),
    ],
    ids=["photo deleted", "photo replaced", "part deleted"],
)
def test_what_people_do_while_a_picture_is_fetched_wins(
    in_app: Flask, old_host: PreparedServer, meanwhile: Callable[[PartImage], object]
) -> None:
    part = adopt("OF-1", f"{old_host.base}/filter.jpg")
    [image] = images_of(part.id)
    [remote] = pictures_to_import()
    states = []

    def give(handler: Handler) -> None:
        with in_app.app_context():
            meanwhile(image)
            states.append(state_of_everything())
        raw(200, picture())(handler)

    old_host.answers = [give]

    assert import_picture(remote) is False
    assert state_of_everything() == states[0]
    assert fetch_photos(in_app).output == "Imported: 0. Not imported: 0.\n"

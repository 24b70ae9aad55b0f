"""`flask photos fetch`: an adopted database's remote pictures become photos of ours, or say why not."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage
from acr3d.db.session import transaction
from acr3d.parts import legacy_import
from acr3d.parts.legacy_import import import_picture, pictures_to_import
from acr3d.parts.parts import delete_part
from acr3d.parts.photos import add_photos, delete_photo, images_of, label_photo, replace_photo
from acr3d.storage.blobs import storage
from acr3d.storage.local import LocalStorage
from tests.support.accounts import browser
from tests.support.contract.checker import Contract
from tests.support.contract.server import (
    Answer,
    Handler,
    PreparedServer,
    cut_off,
    prepared_server,
    raw,
    silent,
)
from tests.support.factories import make_part, photo, picture


@pytest.fixture
def old_host() -> Iterator[PreparedServer]:
    """Where the old database's pictures lie; the operator has configured it."""
    with prepared_server(Contract([])) as running:
        yield running


@pytest.fixture
def inside() -> Iterator[PreparedServer]:
    """A server of our own network that nobody has configured."""
    with prepared_server(Contract([])) as running:
        yield running
        assert running.requests == []


@pytest.fixture
def app(make_app: Callable[..., Flask], old_host: PreparedServer) -> Flask:
    return make_app(asset_origins=(old_host.base,))


def adopt(sku: str, url: str) -> Part:
    """A part as the migration leaves it: its picture is photo 0, to import."""
    part = make_part(sku)
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(image_url=url))
        session.add(PartImage(part_id=part.id, image_url=url, display_order=0))
    return part


def fetch_photos(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["photos", "fetch"])


def state_of_everything() -> tuple[list[tuple[object, ...]], set[str]]:
    """Every photo's row, every part's mirror, and every stored file."""
    db.session.rollback()
    photos = db.session.execute(select(*PartImage.__table__.columns).order_by(PartImage.id))
    parts = db.session.execute(select(Part.id, Part.primary_image_url, Part.revision).order_by(Part.id))
    rows = [tuple(row) for row in (*photos, *parts)]
    db.session.rollback()
    return rows, files_of(storage().folder)


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def names_of(part: Part) -> set[str]:
    """The files that the part's photos, as they are, refer to."""
    return {key for image in images_of(part.id) for key in (image.storage_path, image.thumbnail_path) if key}


def read(visitor: FlaskClient, path: str) -> str:
    page = visitor.get(path)
    assert page.status_code == 200
    return page.text


# --- what works -------------------------------------------------------------------------------


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
    assert f"/media/{image.thumbnail_path}" in after[admin]
    assert "to import" in before[admin]
    assert "to import" not in after[admin]
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


# --- what is left is taken up -----------------------------------------------------------------


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
    assert len(names_of(part)) == 2
    assert files_of(storage().folder) == names_of(part)


# --- what is refused --------------------------------------------------------------------------


def bomb() -> bytes:
    """A PNG whose header promises 900 megapixels."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 1, 0, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"40000\r\n" + bytes(1 << 18) + b"\r\n")


@pytest.mark.parametrize(
    ("answer", "reason", "advice"),
    [
        (raw(200, b"<html>Sign in</html>"), "not a JPEG, PNG, WebP or HEIC", "upload"),
        (raw(200, bomb()), "megapixels", "smaller"),
        (raw(200, picture()[:2000]), "damaged or cut off", "upload it again"),
        (raw(200, b""), "empty", "Choose it again"),
        (endless, "larger than 20 MB", "Save it smaller"),
        (raw(404, b""), "no longer valid (status 404)", "“Replace”"),
        (raw(204, b""), "status 204 instead of a file", "“Replace”"),
        (raw(503, b""), "a problem (status 503)", "Run the command again"),
        (raw(200, picture()[:99], {"content-length": "9999", "connection": "close"}), "interrupted", "again"),
        (cut_off, "interrupted", "Run the command again"),
        (silent, "took too long", "Run the command again"),
        (raw(302, b"", {"location": "file:///etc/passwd"}), "not a web address", "“Replace”"),
    ],
    ids=[
        *("page", "bomb", "half a picture", "nothing", "endless", "gone", "no content"),
        *("trouble", "cut off", "no answer", "silence", "redirect to a file"),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_sentence_and_changes_nothing(
    in_app: Flask,
    old_host: PreparedServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    reason: str,
    advice: str,
) -> None:
    monkeypatch.setattr(legacy_import, "STALL_SECONDS", 1)
    adopt("OF-1", f"{old_host.base}/filter.jpg?token=old")
    before = state_of_everything()
    old_host.answers = [answer]

    result = fetch_photos(in_app)

    host = old_host.base.removeprefix("http://")
    said = result.output.splitlines()[0]
    assert result.exit_code == 1
    assert said.startswith(f"OF-1: the picture at {host} was not imported. ")
    assert reason in said
    assert advice in said
    assert "token=old" not in result.output
    assert state_of_everything() == before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_picture_is_fetched_from_inside_our_network(
    in_app: Flask, inside: PreparedServer, host: str
) -> None:
    adopt("OF-1", inside.base.replace("127.0.0.1", host) + "/secret.jpg")
    before = state_of_everything()

    result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert f"OF-1: the picture at {host}:" in result.output
    assert "private network" in result.output
    assert "ACR3D_ASSET_ORIGINS" in result.output
    assert state_of_everything() == before


def test_a_redirect_into_our_network_is_not_followed(
    in_app: Flask, old_host: PreparedServer, inside: PreparedServer
) -> None:
    adopt("OF-1", f"{old_host.base}/filter.jpg")
    before = state_of_everything()
    old_host.answers = [raw(302, b"", {"location": f"{inside.base}/secret.jpg"})]

    result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert "private network" in result.output
    assert state_of_everything() == before


@pytest.mark.parametrize(
    "url",
    ["images/filter.jpg", "file:///etc/passwd", "ftp://example.com/a.jpg", "https://anna:pw@example.com/a"],
)
def test_what_is_no_address_of_the_web_is_said(in_app: Flask, url: str) -> None:
    adopt("OF-1", url)
    before = state_of_everything()

    result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert result.output.startswith("OF-1: the picture was not imported. ")
    assert "not a web address" in result.output
    assert url not in result.output
    assert state_of_everything() == before


def test_a_full_disk_is_said_and_the_picture_stays_to_be_imported(
    in_app: Flask, old_host: PreparedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt("OF-1", f"{old_host.base}/filter.jpg")
    before = state_of_everything()
    old_host.answers = [raw(200, picture())]

    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        result = fetch_photos(in_app)

    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert "run the command again" in result.output
    assert state_of_everything() == before


# --- what people do meanwhile -----------------------------------------------------------------


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

"""Stored files: what customers may fetch, what only staff may, and how they are sent."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from acr3d.db.models import Job, ModelVersion, PartImage
from acr3d.db.session import transaction
from acr3d.parts import bin, parts, photos
from acr3d.parts.photos import images_of
from acr3d.storage.blobs import storage
from acr3d.storage.index import media_url
from acr3d.storage.webp_keys import webp_key
from tests.support.accounts import bearer, browser, log_in, make_account
from tests.support.databases import ON_BOTH
from tests.support.factories import box_glb, finished_job, make_part_with_photos, photo

pytestmark = ON_BOTH

PUBLIC = "public, max-age=31536000, immutable"
STATES = ("draft", "published", "superseded", "rejected")


@dataclass(frozen=True)
class Files:
    part_id: str
    photo: str
    thumbnail: str
    webp: str
    raw: str
    versions: dict[str, str]

    @property
    def for_customers(self) -> list[str]:
        return [self.photo, self.thumbnail, self.webp, *self._models("published", "superseded")]

    @property
    def for_staff(self) -> list[str]:
        return [self.raw, *self._models("draft", "rejected")]

    def _models(self, *states: str) -> list[str]:
        """Those models and the files for AR beside them."""
        return [url for state in states for url in (self.versions[state], ar_key(self.versions[state]))]


@pytest.fixture
def files(app: Flask) -> Files:
    """The addresses of all the files of a published part with a photo, a job, and a model in each state."""
    with app.app_context():
        part = make_part_with_photos(angles=("front",))
        [image] = images_of(part.id)
        assert image.storage_path
        assert image.thumbnail_path
        raw = f"parts/{part.id}/raw/a-task.glb"
        job = finished_job(part.id, raw_storage_path=raw)
        storage().put(raw, box_glb())
        keys = {state: f"parts/{part.id}/models/{state}.glb" for state in STATES}
        with transaction() as session:
            session.add(job)
            session.flush()
            for number, (state, key) in enumerate(keys.items(), start=1):
                storage().put(key, box_glb())
                session.add(version(job, number, state, key))
                storage().put(ar_key(key), box_glb())
        versions = {state: media_url(key) for state, key in keys.items()}
        photos = (
            image.image_url,
            media_url(image.thumbnail_path),
            media_url(webp_key(image.storage_path, 400)),
        )
        return Files(part.id, *photos, media_url(raw), versions)


def version(job: Job, number: int, state: str, key: str) -> ModelVersion:
    return ModelVersion(
        part_id=job.part_id,
        job_id=job.id,
        number=number,
        state=state,
        storage_path=key,
        sha256=f"{number}" * 64,
        ar_storage_path=ar_key(key),
        ar_sha256=f"{number + 4}" * 64,
        ar_file_size_bytes=1,
        file_size_bytes=1,
        report={},
    )


def ar_key(key: str) -> str:
    """Where the file for AR lies beside a version's own."""
    return key.replace(".glb", "-ar.glb")


def get(client: FlaskClient, url: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(url, headers=named, buffered=True)


def test_customers_fetch_what_is_published_or_was(client: FlaskClient, files: Files) -> None:
    for url in files.for_customers:
        answer = get(client, url)
        assert answer.status_code == 200, url
        assert answer.headers["Cache-Control"] == PUBLIC, url
        assert "Set-Cookie" not in answer.headers, url
        assert "Cookie" not in answer.headers.get("Vary", ""), url


def test_strangers_cannot_tell_what_is_for_staff_from_what_is_not_there(
    client: FlaskClient, files: Files
) -> None:
    absent = get(client, files.raw.replace("a-task", "b-task"))
    assert absent.status_code == 404

    for url in files.for_staff:
        answer = get(client, url)
        assert answer.status_code == 404, url
        assert answer.data == absent.data, url
        assert dict(answer.headers) == dict(absent.headers), url


def test_staff_fetch_everything_and_no_cache_keeps_it(app: Flask, client: FlaskClient, files: Files) -> None:
    viewer, program = browser(app, "viewer"), bearer(app, "viewer")

    for url in files.for_staff:
        for answer in (get(viewer, url), get(client, url, **program)):
            assert answer.status_code == 200, url
            assert answer.headers["Cache-Control"] == "private, no-store", url
    assert get(client, files.raw, Authorization="Bearer acr3d_wrong").status_code == 404


def test_a_one_time_password_opens_no_file(app: Flask, client: FlaskClient, files: Files) -> None:
    log_in(client, make_account(app, one_time=True))

    for url in files.for_staff:
        assert get(client, url).status_code == 404, url


def test_an_unpublished_part_hides_its_files(app: Flask, client: FlaskClient, files: Files) -> None:
    staff = browser(app, "viewer")
    with app.app_context():
        parts.update_part(files.part_id, {"is_published": False})

    for url in files.for_customers:
        assert get(client, url).status_code == 404, url
        assert get(staff, url).headers["Cache-Control"] == "private, no-store", url


def test_a_deleted_part_hides_its_files(app: Flask, client: FlaskClient, files: Files) -> None:
    with app.app_context():
        bin.delete_part(files.part_id)

    for url in files.for_customers:
        assert get(client, url).status_code == 404, url


def test_deleted_and_replaced_photos_are_hidden(app: Flask, client: FlaskClient, files: Files) -> None:
    with app.app_context():
        [old] = images_of(files.part_id)
        new_url = photos.replace_photo(old.id, photo("red")).image_url
        assert get(client, files.photo).status_code == 404
        assert get(client, files.thumbnail).status_code == 404
        assert get(client, new_url).status_code == 200
        photos.delete_photo(images_of(files.part_id)[0].id)

    assert get(client, new_url).status_code == 404


def test_a_file_that_is_gone_is_not_found(app: Flask, client: FlaskClient, files: Files) -> None:
    with app.app_context():
        storage().delete(files.photo.removeprefix("/media/"))

    assert get(client, files.photo).status_code == 404


def test_the_kind_of_a_file_is_fixed_by_its_name(client: FlaskClient, files: Files) -> None:
    for url, kind in ((files.photo, "image/jpeg"), (files.versions["published"], "model/gltf-binary")):
        answer = get(client, url)
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Disposition" not in answer.headers


def test_a_file_that_did_not_change_is_not_sent_again(client: FlaskClient, files: Files) -> None:
    first = get(client, files.versions["published"])
    assert first.headers["ETag"] == f'"{"2" * 64}"'

    again = get(client, files.versions["published"], If_None_Match=first.headers["ETag"])

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == PUBLIC


def test_the_tag_of_a_photo_is_its_hash(app: Flask, client: FlaskClient, files: Files) -> None:
    with app.app_context():
        [image] = images_of(files.part_id)

    assert get(client, files.photo).headers["ETag"] == f'"{image.sha256}"'
    assert get(client, files.thumbnail).headers["ETag"] != f'"{image.sha256}"'


def test_a_piece_of_a_file(client: FlaskClient, files: Files) -> None:
    whole = get(client, files.photo).data

    middle = get(client, files.photo, Range="bytes=100-199")
    end = get(client, files.photo, Range="bytes=-50")
    beyond = get(client, files.photo, Range="bytes=99999999-")

    assert (middle.status_code, middle.data) == (206, whole[100:200])
    assert middle.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    assert (end.status_code, end.data) == (206, whole[-50:])
    assert beyond.status_code == 416
    assert beyond.headers["Cache-Control"] == "no-store"


def test_head_tells_the_length_and_sends_nothing(client: FlaskClient, files: Files) -> None:
    whole = get(client, files.photo).data

    head = client.head(files.photo, buffered=True)

    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(whole)
    assert head.headers["Accept-Ranges"] == "bytes"


def test_addresses_that_are_no_key_are_not_found(app: Flask, files: Files) -> None:
    staff = browser(app, "admin")
    part = f"/media/parts/{files.part_id}"

    for url in (
        "/media/",
        "/media/x",
        "/media/../secret_key",
        "/media/..%2f..%2fsecret_key",
        "/media/parts/../../secret_key",
        f"{part}/photos/../../../../secret_key.jpg",
        f"{part}/photos/%00.jpg",
        f"{part}/photos/x.jpg",
        f"{part}//etc/passwd.jpg",
        files.webp.replace("-400.", "-480."),
        f"{files.photo}/",
        f"{files.photo}%00",
        files.photo.upper(),
    ):
        assert get(staff, url).status_code == 404, url


def test_the_same_model_twice_is_public_when_one_of_them_is(
    app: Flask, client: FlaskClient, files: Files
) -> None:
    key = files.versions["rejected"].removeprefix("/media/")
    with app.app_context(), transaction() as session:
        session.execute(
            update(ModelVersion).where(ModelVersion.state == "superseded").values(storage_path=key)
        )

    assert get(client, files.versions["rejected"]).status_code == 200


def test_a_picture_still_to_be_imported_has_no_file(app: Flask, client: FlaskClient, files: Files) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(PartImage).values(storage_path=None, thumbnail_path=None))

    assert get(client, files.photo).status_code == 404

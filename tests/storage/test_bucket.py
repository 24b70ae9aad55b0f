"""Blobs in an S3-compatible bucket: as in a folder, also for the app, and what a broken connection does."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from acr3d.parts.photos import images_of
from acr3d.settings import Settings
from acr3d.storage import bucket
from acr3d.storage.blobs import StorageError
from acr3d.storage.bucket import BucketStorage
from acr3d.storage.local import LocalStorage
from acr3d.storage.move import copy_all
from tests.support import s3
from tests.support.contract.checker import Contract
from tests.support.contract.server import Handler, PreparedServer, prepared_server, raw
from tests.support.factories import make_part_with_photos

KEY = "parts/0a1b/photos/2c-3d.jpg"
BUCKET = "s3://shop/acr3d"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3.s3_server() as address:
        yield address


@pytest.fixture
def storage(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BucketStorage:
    for name, value in s3.environ(server).items():
        monkeypatch.setenv(name, value)
    return BucketStorage(f"{BUCKET}/{tmp_path.name.replace('_', '-')}", tmp_path / "copies", room=1 << 20)


def test_what_is_put_is_read_again_until_it_is_deleted(storage: BucketStorage) -> None:
    storage.put(KEY, b"picture")
    with storage.open(KEY) as file:
        assert file.read() == b"picture"
    found = storage.stat(KEY)
    assert found is not None
    assert (found.size, abs(found.stored_at - time.time()) < 60) == (7, True)
    assert list(storage.keys()) == [KEY]
    assert (list(storage.copies.keys()), list(storage.copies.incoming.iterdir())) == ([], [])

    assert storage.path(KEY).read_bytes() == b"picture"
    storage.delete(KEY)
    storage.delete(KEY)

    assert (storage.stat(KEY), storage.path(KEY).exists()) == (None, False)
    with pytest.raises(StorageError, match="missing"):
        storage.open(KEY)


def test_a_large_file_is_sent_in_parts_and_comes_back_the_same(storage: BucketStorage) -> None:
    content = os.urandom(12_000_000)
    file = storage.temporary()
    file.write_bytes(content)

    storage.put("parts/0a1b/raw/4e.glb", file)

    with storage.open("parts/0a1b/raw/4e.glb") as blob:
        assert hashlib.sha256(blob.read()).digest() == hashlib.sha256(content).digest()
    assert list(storage.copies.incoming.iterdir()) == []


def test_only_our_own_keys_reach_the_bucket(storage: BucketStorage) -> None:
    for refused in (storage.open, storage.stat, storage.delete, storage.path):
        with pytest.raises(StorageError):
            refused("../secret_key")
    with pytest.raises(StorageError):
        storage.put("../secret_key.jpg", b"x")


def test_files_of_others_are_left_where_they_are(storage: BucketStorage, tmp_path: Path) -> None:
    folder = LocalStorage(tmp_path / "folder")
    folder.put(KEY, b"picture")
    (folder.folder / "Notes.txt").write_text("not acr3d's")

    moved = copy_all(folder, storage, lambda _moved: None)

    assert (moved.copied, moved.present, moved.foreign) == (1, 1, 1)  # the second look finds it present
    assert list(storage.keys()) == [KEY]
    assert list(storage.copies.keys()) == []


def test_a_copy_that_came_back_changed_is_refused_and_removed(storage: BucketStorage, tmp_path: Path) -> None:
    class Careless(LocalStorage):
        def put(self, key: str, data: bytes | Path) -> None:
            super().put(key, b"something else")

    storage.put(KEY, b"picture")
    careless = Careless(tmp_path / "careless")

    with pytest.raises(StorageError, match="came back changed"):
        copy_all(storage, careless, lambda _moved: None)

    assert list(careless.keys()) == []


def test_a_copy_that_was_used_within_an_hour_stays(storage: BucketStorage) -> None:
    keys = [f"parts/0a1b/photos/{number}.jpg" for number in range(4)]
    for key in keys:
        storage.put(key, bytes(400_000))
        storage.path(key)
    os.utime(storage.path(keys[0]), (0, time.time() - 3000))

    storage.path(keys[0])  # used again
    storage.discard_leftovers()

    assert sorted(storage.copies.keys()) == keys
    assert storage.copies.path(keys[0]).stat().st_mtime > time.time() - 60


def test_copies_that_were_not_used_for_longest_make_room(storage: BucketStorage) -> None:
    keys = [f"parts/0a1b/photos/{number}.jpg" for number in range(4)]
    for number, key in enumerate(keys):
        storage.put(key, bytes(400_000))
        copy = storage.path(key)
        os.utime(copy, (0, time.time() - 7200 + number) if number < 3 else None)

    storage.discard_leftovers()

    assert sorted(storage.copies.keys()) == keys[2:]
    assert sorted(storage.keys()) == keys


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PreparedServer, BucketStorage]]:
    """A bucket whose server answers what the test prepares."""
    monkeypatch.setattr(bucket, "_RETRIES", 0)
    with prepared_server(Contract()) as server:
        for name, value in s3.environ(server.base).items():
            monkeypatch.setenv(name, value)
        yield server, BucketStorage(BUCKET, tmp_path / "copies", room=1 << 20)


def test_a_file_that_ends_early_is_a_sentence_and_leaves_nothing(
    broken: tuple[PreparedServer, BucketStorage],
) -> None:
    server, storage = broken
    server.answers += [half_a_file, raw(500, b"")]

    for _answer in range(2):
        with pytest.raises(StorageError, match="cannot be read"):
            storage.path(KEY)
    with pytest.raises(StorageError, match="could not be stored"):
        storage.put(KEY, b"picture")  # the server knows no PUT

    assert list(storage.copies.keys()) == []
    assert list(storage.copies.incoming.iterdir()) == []


def half_a_file(handler: Handler) -> None:
    facts = {"content-length": "100", "etag": '"1"', "last-modified": "Mon, 30 Nov 2026 12:00:00 GMT"}
    handler.send(200, facts, bytes(50))
    handler.close_connection = True


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    return sqlite_config


@pytest.fixture
def app(make_app: Callable[..., Flask], storage: BucketStorage) -> Flask:
    return make_app(bucket=storage.location)


def test_the_app_keeps_its_files_in_the_bucket_and_moves_them(
    app: Flask, storage: BucketStorage, tmp_path: Path
) -> None:
    with app.app_context():
        part = make_part_with_photos()
        photo = images_of(part.id)[0]
    stored = sorted(storage.keys())
    assert photo.storage_path in stored

    customer, some = app.test_client(), {"Range": "bytes=2-5"}
    with customer.get(photo.image_url) as whole, customer.get(photo.image_url, headers=some) as piece:
        assert (whole.status_code, piece.status_code) == (200, 206)
        assert piece.data == whole.data[2:6]
    assert "Bucket: files can be written to s3://" in app.test_cli_runner().invoke(args=["doctor"]).output

    move = ["storage", "move", storage.location, f"file://{tmp_path / 'moved'}"]
    first, second = (app.test_cli_runner().invoke(args=move) for _time in range(2))

    assert f"Copied {len(stored)} file(s)" in first.output
    assert f"Copied 0 file(s), 0 kB; {len(stored)} were there already." in second.output
    moved = LocalStorage(tmp_path / "moved")
    assert sorted(moved.keys()) == stored
    assert moved.path(str(photo.storage_path)).read_bytes() == whole.data

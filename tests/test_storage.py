"""Blobs: whole or absent, under keys of our own making only."""

from __future__ import annotations

from pathlib import Path

import pytest

from acr3d.storage import LocalStorage, StorageError

KEY = "parts/0a1b/photos/2c-3d.jpg"


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "storage")


def test_what_is_put_is_read_again_until_it_is_deleted(storage: LocalStorage) -> None:
    storage.put(KEY, b"picture")
    with storage.open(KEY) as file:
        assert file.read() == b"picture"
    assert list(storage.keys()) == [KEY]

    storage.delete(KEY)
    storage.delete(KEY)

    with pytest.raises(StorageError, match="missing"):
        storage.open(KEY)


def test_a_file_is_moved_in_and_nothing_stays_behind(storage: LocalStorage) -> None:
    temporary = storage.temporary()
    temporary.write_bytes(b"model")

    storage.put("parts/0a1b/raw/4e.glb", temporary)

    assert list(storage.incoming.iterdir()) == []
    assert list(storage.keys()) == ["parts/0a1b/raw/4e.glb"]


@pytest.mark.parametrize(
    "key",
    [
        "../secret_key",
        "parts/../../secret_key.jpg",
        "/etc/passwd",
        "parts//x.jpg",
        "x.html",
        "",
        ".incoming/x.jpg",
        "parts/a.jpg/",
        "parts/A.jpg",
        "parts/a\0.jpg",
        "parts/a.jpg\n",
    ],
)
def test_any_other_key_is_nowhere(storage: LocalStorage, key: str) -> None:
    with pytest.raises(StorageError):
        storage.put(key, b"x")
    with pytest.raises(StorageError):
        storage.open(key)
    assert list(storage.keys()) == []


def test_a_full_disk_is_a_sentence_and_leaves_no_half_file(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "storage")
    (tmp_path / "storage" / "parts").write_text("a file stands where the folder should be")

    with pytest.raises(StorageError, match="could not be stored"):
        storage.put(KEY, b"picture")

    assert list(storage.incoming.iterdir()) == []


def test_leftovers_of_processes_that_are_gone_are_removed(storage: LocalStorage) -> None:
    (storage.incoming / "999999999-abc").write_bytes(b"left")
    (storage.incoming / "1-abc").write_bytes(b"another process still writes this")

    storage.discard_leftovers()

    assert [path.name for path in storage.incoming.iterdir()] == ["1-abc"]

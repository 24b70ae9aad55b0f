"""Blobs: whole or absent, and under keys that we made only."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acr3d.storage.blobs import StorageError
from acr3d.storage.local import LocalStorage

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
    (tmp_path / "storage" / "parts").write_text("a file where the folder should be")

    with pytest.raises(StorageError, match="could not be stored"):
        storage.put(KEY, b"picture")

    assert list(storage.incoming.iterdir()) == []


def test_a_stored_blob_survives_a_power_cut(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes are on disk before its name appears, and the names in all folders above it after that."""
    events: list[int | str] = []
    fsync, replace = os.fsync, Path.replace

    def noting_fsync(handle: int) -> None:
        events.append(os.fstat(handle).st_ino)
        fsync(handle)

    def noting_replace(path: Path, target: Path) -> Path:
        events.append("named")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    storage.put(KEY, b"picture")

    file = storage.path(KEY)
    folders = [file.parent, *file.parents[1:4]]
    assert folders[-1] == storage.folder
    assert events == [file.stat().st_ino, "named", *(folder.stat().st_ino for folder in folders)]


def test_leftovers_of_processes_that_are_gone_are_removed(storage: LocalStorage) -> None:
    ours = storage.temporary()
    gone = temporary_of_a_process_that_ended(storage)
    for path in (ours, gone):
        path.write_bytes(b"half an upload")

    storage.discard_leftovers()

    assert list(storage.incoming.iterdir()) == [ours]


def test_a_process_that_is_dead_but_not_collected_does_not_keep_its_file(storage: LocalStorage) -> None:
    with begun_upload(storage) as process:
        assert process.stdout is not None
        Path(process.stdout.read().strip()).write_bytes(b"half an upload")
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        storage.discard_leftovers()

        assert list(storage.incoming.iterdir()) == []


def temporary_of_a_process_that_ended(storage: LocalStorage) -> Path:
    with begun_upload(storage) as process:
        return Path(process.communicate()[0].strip())


def begun_upload(storage: LocalStorage) -> subprocess.Popen[str]:
    """A process that says where it would write and ends."""
    script = (
        "import sys; from pathlib import Path; from acr3d.storage.local import LocalStorage;"
        "print(LocalStorage(Path(sys.argv[1])).temporary())"
    )
    command = [sys.executable, "-c", script, str(storage.folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_process_that_got_the_pid_of_a_dead_one_does_not_keep_its_file(storage: LocalStorage) -> None:
    ours = storage.temporary().name
    namespace, pid, started, rest = ours.split("-")
    (storage.incoming / f"{namespace}-{pid}-{int(started) - 1}-{rest}").write_bytes(b"left")

    storage.discard_leftovers()

    assert list(storage.incoming.iterdir()) == []


def test_an_upload_of_another_host_on_the_same_storage_is_left_alone_for_a_day(storage: LocalStorage) -> None:
    theirs = storage.incoming / "0123456789ab-7-1234-ffffffffffffffff"
    theirs.write_bytes(b"half an upload")

    storage.discard_leftovers()
    assert theirs.exists()

    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(theirs, (two_days_ago, two_days_ago))
    storage.discard_leftovers()
    assert not theirs.exists()

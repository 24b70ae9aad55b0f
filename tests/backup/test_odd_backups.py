"""A backup that somebody has tampered with is refused with a sentence, and soon."""

from __future__ import annotations

import io
import json
import math
import os
import sqlite3
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from acr3d.backup.errors import BackupError
from acr3d.backup.manifest import Manifest
from tests.support.backups import (
    POSTGRES_ONLY,
    SQLITE_ONLY,
    Elsewhere,
    Furnished,
    back_up,
    flask,
    is_refused,
    redescribed,
    rewritten,
)

ODD: list[Any] = [
    None,
    True,
    -1,
    1.5,
    10**400,
    math.nan,
    math.inf,
    "",
    "\0\ud800",
    "x" * 9,
    [],
    {},
    [[]],
    {"a": {}},
]
SOON = 20


def places(value: Any, *path: str | int) -> list[tuple[str | int, ...]]:
    """The path to every value in a decoded JSON object, itself included."""
    below: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        below = [one for name, each in value.items() for one in places(each, *path, name)]
    return [path, *below] if path else below


def replaced(manifest: Any, path: tuple[str | int, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(manifest))
    at = changed
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return changed


@SQLITE_ONLY
def test_a_manifest_of_any_shape_is_read_or_refused(app: Flask, furnished: Furnished, target: Path) -> None:
    back_up(app, target)
    with tarfile.open(target) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    odd_ones = [json.dumps(one).encode() for one in ODD]
    for path in places(manifest):
        odd_ones += [json.dumps(replaced(manifest, path, value)).encode() for value in ODD]
    odd_ones += [b"[" * 100_000, b"\xff\xfe", b"", b'{"format": 1e999}', b'{"format": %s}' % (b"9" * 5000)]

    refused = 0
    for data in odd_ones:
        try:
            read = Manifest.from_json(data)
        except BackupError:
            refused += 1
        else:
            assert all(isinstance(count, int) for count in read.rows.values())
            assert all(len(one.sha256) == 64 for one in read.files.values())
            assert read.to_json()
    assert refused > 0.8 * len(odd_ones)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": [1]}, "manifest.json cannot be read"),
        ({"rows": {"parts": "two"}}, "manifest.json cannot be read"),
        ({"made_at": "0001-01-01T00:00:00+14:00"}, "manifest.json cannot be read"),
        ({"made_at": "2026-11-29T00:00:00"}, "manifest.json cannot be read"),
        ({"revision": {"a": 1}}, "manifest.json cannot be read"),
        ({"missing": 7}, "manifest.json cannot be read"),
        ({"format": math.inf}, "manifest.json cannot be read"),
        ({"database": ["sqlite"]}, "manifest.json cannot be read"),
        ({"rows": {}}, "other tables or rows than its manifest says"),
        ({"rows": {"parts": 2}}, "other tables or rows than its manifest says"),
        ({"revision": "old_parts"}, "other revision than its manifest says"),
    ],
)
def test_an_odd_manifest_changes_nothing(
    app: Flask,
    furnished: Furnished,
    elsewhere: Elsewhere,
    target: Path,
    changes: dict[str, Any],
    sentence: str,
) -> None:
    back_up(app, target)

    is_refused(elsewhere(True), rewritten(target, lambda files: redescribed(files, **changes)), sentence)


def test_a_row_that_the_manifest_does_not_count_is_noticed(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    back_up(app, target)

    def count_one_less(files: dict[str, bytes]) -> None:
        rows = json.loads(files["manifest.json"])["rows"]
        redescribed(files, rows=rows | {"parts": rows["parts"] - 1})

    is_refused(elsewhere(), rewritten(target, count_one_less), "other tables or rows")


def with_sql(target: Path, script: str) -> Path:
    """The backup with a database in which `script` has run."""

    def change(files: dict[str, bytes]) -> None:
        if "database.sql" in files:
            files["database.sql"] += f"\n{script}\n".encode()
        else:
            copy = target.with_name("copy.sqlite")
            copy.write_bytes(files["database.sqlite"])
            with closing(sqlite3.connect(copy)) as database:
                database.executescript(script)
            files["database.sqlite"] = copy.read_bytes()
        redescribed(files)

    return rewritten(target, change)


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("CREATE TRIGGER spy AFTER UPDATE ON parts BEGIN DELETE FROM users; END;", "trigger “spy”"),
        ("CREATE VIEW everything AS SELECT * FROM users;", "view “everything”"),
        ("CREATE VIRTUAL TABLE found USING fts5(x);", "table “found”"),
        ("DROP TABLE part_fts; CREATE VIRTUAL TABLE part_fts USING fts5(tokens);", "table “part_fts”"),
        (
            "DROP TRIGGER part_fts_insert; CREATE TRIGGER part_fts_insert AFTER INSERT ON part_search "
            "BEGIN DELETE FROM users; END;",
            "trigger “part_fts_insert”",
        ),
    ],
)
def test_what_runs_by_itself_is_not_restored(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path, script: str, named: str
) -> None:
    back_up(app, target)

    is_refused(elsewhere(True), with_sql(target, script), f"contains a {named}")


@SQLITE_ONLY
def test_the_search_index_is_made_from_the_restored_parts(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path
) -> None:
    back_up(app, target)
    emptied = with_sql(target, "INSERT INTO part_fts (part_fts) VALUES ('delete-all');")
    other = elsewhere(True)

    restored = flask(other, "restore", emptied)

    assert restored.exit_code == 0, restored.output
    assert "Bracket BR-100" in other.test_client().get("/?q=brakcet").text


FUNCTION = "CREATE FUNCTION public.spy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"


@POSTGRES_ONLY
@pytest.mark.parametrize(
    ("script", "named"),
    [
        (f"{FUNCTION} CREATE TRIGGER spy AFTER UPDATE ON public.parts EXECUTE FUNCTION public.spy();", "spy"),
        ("CREATE VIEW public.everything AS SELECT * FROM public.users;", "view “everything”"),
        ("CREATE RULE spy AS ON UPDATE TO public.parts DO ALSO DELETE FROM public.users;", "rule “spy”"),
        (FUNCTION, "function “spy”"),
    ],
)
def test_what_runs_by_itself_is_not_restored_into_postgres(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path, script: str, named: str
) -> None:
    back_up(app, target)
    other = elsewhere(True)

    is_refused(other, with_sql(target, script), named)

    assert "which acr3d never makes" in flask(other, "restore", target.with_name("rewritten.tar")).output


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def hollow(target: Path) -> None:
    """A file of 200 GB that takes no room on the disk."""
    size = 200 << 30
    with target.open("wb") as file:
        file.write(header("storage/parts/x.jpg", size))
        file.truncate(512 + size)
        file.seek(0, os.SEEK_END)
        file.write(header("manifest.json", 2) + b"{}".ljust(512, b"\0") + bytes(1024))


def sparse(target: Path) -> None:
    """A member that says it has 200 GB, and is stored in 512 bytes."""
    buffer = bytearray(header("storage/parts/x.jpg", 512, tarfile.GNUTYPE_SPARSE))
    buffer[386:410] = b"%011o\0%011o\0" % (0, 512)
    buffer[483:495] = b"\x80" + (200 << 30).to_bytes(11, "big")
    buffer[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(buffer))[0]
    target.write_bytes(bytes(buffer) + bytes(512 + 1024))


def sparse_by_pax(target: Path) -> None:
    info = tarfile.TarInfo("x.jpg")
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "storage/parts/x.jpg",
        "GNU.sparse.realsize": str(200 << 30),
    }
    info.size = 1024
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info, io.BytesIO(b"1\n0\n512\n".ljust(1024, b"\0")))


def backwards(target: Path) -> None:
    """A size below zero would make a reader go round in circles."""
    target.write_bytes(header("storage/parts/x.jpg", -1024) + bytes(2048))


def endless_name(target: Path) -> None:
    target.write_bytes(header("x", 1 << 33, tarfile.GNUTYPE_LONGNAME))
    os.truncate(target, 1 << 33)


def nested(target: Path) -> None:
    """Headers about headers, without end."""
    target.write_bytes(header("x", 0, tarfile.XHDTYPE) * 20_000)


def link(target: Path) -> None:
    info = tarfile.TarInfo("storage/parts/x.jpg")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    target.write_bytes(info.tobuf())


@SQLITE_ONLY
@pytest.mark.parametrize(
    "make",
    [hollow, sparse, sparse_by_pax, backwards, endless_name, nested, link],
    ids=lambda make: make.__name__,
)
def test_an_odd_file_is_refused_at_once(app: Flask, target: Path, make: Callable[[Path], None]) -> None:
    make(target)
    began = time.monotonic()

    is_refused(app, target, "The backup is damaged")

    assert time.monotonic() - began < SOON


@SQLITE_ONLY
def test_a_backup_that_the_disk_cannot_hold_is_not_begun(
    app: Flask, furnished: Furnished, elsewhere: Elsewhere, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(app, target)
    other = elsewhere()
    usage = type("Usage", (), {"free": 1000})()
    monkeypatch.setattr("acr3d.backup.restore.shutil.disk_usage", lambda _folder: usage)

    is_refused(other, target, "has only 1 kB free")

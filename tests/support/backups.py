"""Backing up, restoring, and looking at what a restore changed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import inspect, text

from acr3d.db.extensions import db
from acr3d.storage.blobs import storage
from tests.support.databases import BOTH

Elsewhere = Callable[..., Flask]

SQLITE_ONLY = pytest.mark.parametrize("config", ["sqlite"], indirect=True)
POSTGRES_ONLY = pytest.mark.parametrize("config", BOTH[1:], indirect=True)


@dataclass(frozen=True)
class Furnished:
    """A place with a published part and its model, and somebody who may log in."""

    part_id: str
    urls: list[str]
    email: str
    token: dict[str, str]


def flask(app: Flask, *words: object) -> Result:
    result = app.test_cli_runner().invoke(args=[str(word) for word in words])
    assert isinstance(result.exception, SystemExit | None), result.exception  # no traceback for anybody
    return result


def back_up(app: Flask, target: Path) -> Path:
    result = flask(app, "backup", target)
    assert result.exit_code == 0, result.output
    return target


def restore(app: Flask, target: Path) -> Result:
    result = flask(app, "restore", target)
    assert result.exit_code == 0, result.output
    return result


def seen(app: Flask, urls: list[str]) -> list[tuple[int, bytes]]:
    """What a customer gets at these addresses."""
    client = app.test_client()
    answers = [client.get(url, buffered=True) for url in urls]
    return [(answer.status_code, answer.data) for answer in answers]


def everything_in(app: Flask) -> dict[str, object]:
    """All that a restore could change: each table's rows, each stored file, and what is left lying about."""
    with app.app_context():
        with db.engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            found: dict[str, object] = {
                name: sorted(map(str, connection.execute(text(f"SELECT * FROM {name}")))) for name in tables
            }
        found |= {key: storage().path(key).read_bytes() for key in sorted(storage().keys())}
        found["incoming"] = list(storage().incoming.iterdir())
    return found


def is_refused(app: Flask, target: Path, sentence: str) -> None:
    """The restore says `sentence` and changes nothing."""
    before = everything_in(app)

    result = flask(app, "restore", target)

    assert result.exit_code == 1, result.output
    assert sentence in result.output
    assert everything_in(app) == before


def rewritten(target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A backup with other contents; the manifest stays as `change` leaves it."""
    with tarfile.open(target) as tar:
        files = {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar}
    change(files)
    other = target.with_name("rewritten.tar")
    with tarfile.open(other, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return other


def redescribed(files: dict[str, bytes], **changes: object) -> None:
    """Let the manifest say what the files now are, and `changes`."""
    described = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
        if name != "manifest.json"
    }
    manifest = json.loads(files["manifest.json"]) | {"files": described} | changes
    files["manifest.json"] = json.dumps(manifest).encode()

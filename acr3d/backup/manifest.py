"""The manifest: what a backup contains and where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, inspect, select, table

from acr3d.backup.errors import BackupError
from acr3d.db.full_text import SQLITE_TABLES

NAME = "manifest.json"
FORMAT = 1
_TABLE = re.compile(r"[a-z][a-z0-9_]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """One file of a backup."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`missing` and `damaged` list stored files that the database refers to but the backup lacks."""

    made_at: datetime
    app_version: str
    database: str  # "sqlite" or "postgresql"
    revision: str
    rows: dict[str, int]  # by table
    files: dict[str, Entry]
    missing: list[str]
    damaged: list[str]

    def to_json(self) -> bytes:
        said = {"format": FORMAT} | asdict(self) | {"made_at": self.made_at.isoformat()}
        return json.dumps(said, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Raises BackupError if this version cannot read it."""
        try:
            said = json.loads(data)
            if _count(said["format"]) > FORMAT:
                raise BackupError(
                    "This backup was made by a newer version of acr3d. Install that version to restore it."
                )
            return cls._read(said)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise BackupError(
                f"The backup is damaged: its {NAME} cannot be read. Restore a different one."
            ) from error

    @classmethod
    def _read(cls, said: Mapping[str, Any]) -> Manifest:
        """Every value is of the type that it must have, or a ValueError, TypeError or the like is raised."""
        return cls(
            made_at=_moment(_text(said["made_at"])),
            app_version=_text(said["app_version"]),
            database=_text(said["database"]),
            revision=_text(said["revision"]),
            rows={_matching(_TABLE, name): _count(rows) for name, rows in said["rows"].items()},
            files={
                _text(name): Entry(_count(one["size"]), _matching(_SHA256, one["sha256"]))
                for name, one in said["files"].items()
            },
            missing=[_text(key) for key in said["missing"]],
            damaged=[_text(key) for key in said["damaged"]],
        )


def row_counts(connection: Connection) -> dict[str, int]:
    """The number of rows in each table but those of an index, as a manifest says it."""
    names = [name for name in inspect(connection).get_table_names() if name not in SQLITE_TABLES]
    return {name: connection.scalar(select(func.count()).select_from(table(name))) or 0 for name in names}


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("a manifest holds plain text")
    return value


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not pattern.fullmatch(_text(value)):
        raise ValueError("a manifest holds names of tables, and hashes")
    return str(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
        raise ValueError("a manifest counts rows and bytes")
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 2000 < moment.year < 2200:
        raise ValueError("a backup has a time")
    return moment

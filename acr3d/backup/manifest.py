"""The manifest: what a backup contains and where it comes from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from acr3d.backup.errors import BackupError

NAME = "manifest.json"
FORMAT = 1


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
            form = int(said.pop("format"))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable() from error
        if form > FORMAT:
            raise BackupError(
                "This backup was made by a newer version of acr3d. Install that version to restore it."
            )
        try:
            said["made_at"] = datetime.fromisoformat(said["made_at"])
            said["files"] = {
                name: Entry(int(one["size"]), str(one["sha256"])) for name, one in said["files"].items()
            }
            return cls(**said)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unreadable() from error


def _unreadable() -> BackupError:
    return BackupError(f"The backup is damaged: its {NAME} cannot be read. Restore a different one.")

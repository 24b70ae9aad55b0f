"""What the child that reads a capture is asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Upload:
    """A file of the capture, and the name that its owner gave it."""

    path: Path
    name: str


def read_request(path: Path) -> list[Upload]:
    """The uploads that the request names. Raises OSError, ValueError or KeyError."""
    return [Upload(Path(one["path"]), one["name"]) for one in json.loads(path.read_text())["files"]]

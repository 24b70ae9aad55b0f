"""The child that reads a capture, started as the server does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acr3d import sandbox
from acr3d.spin.request import Upload


def read_in_a_child(uploads: Sequence[Upload], folder: Path) -> dict[str, Any]:
    """The child's report, as the server gets it."""
    request = folder / "request.json"
    request.write_text(json.dumps({"files": [{"path": str(one.path), "name": one.name} for one in uploads]}))
    return sandbox.run(
        "acr3d.spin",
        ["read", str(request), str(folder)],
        sandbox.Limits(seconds=120, memory_mb=500),
        reads=[one.path for one in uploads],
        folder=folder,
        lock=None,
    )

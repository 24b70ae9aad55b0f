"""Serve the built-in engine with faults: `python -m tests.support.faults FOLDER` on a free port.

A stand-in carves, so that a model takes no longer than its child's start: all are `model.glb` in FOLDER.
"""

from __future__ import annotations

import sys
from pathlib import Path

from acr3d.engine_server.app import serve
from tests.support.faults.engine import FaultyEngine
from tests.support.stand_in_engine import stand_in_engine


def main(folder: Path) -> None:
    app = stand_in_engine(folder, folder / "heavy.lock")
    serve(FaultyEngine(app), 0)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""python -m acr3d.spin read REQUEST.json FOLDER

REQUEST.json: `{"files": [{"path": "0", "name": "spin.mp4"}, …]}`, videos and photos (JPEG) of one position of
the part. FOLDER gets `frames/000.jpg`, … and `capture.json` (`acr3d.spin.capture_file`).

python -m acr3d.spin build REQUEST.json OUT.glb

REQUEST.json: `{"positions": ["FOLDER"], "target_polycount": 30000, "should_texture": true,
"texture_size": 2048, "guess_hollows": true}`, the folder that `read` wrote. Everything but `positions` is
optional. `"guess_hollows": false` returns the bare visual hull.
OUT.glb is in metres: its origin is the sheet's centre, +Y is up from the sheet.

Runs in a child process (acr3d.sandbox) and prints JSON lines: its progress, then its report or its refusal.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from acr3d.messages.refusal import written
from acr3d.spin.errors import SpinError
from acr3d.spin.request import read_request

REFUSED_EXIT = 3  # what acr3d.sandbox expects


def main(argv: list[str]) -> int:
    """Return 0 after a report, 3 after a refusal, 2 for an unknown command."""
    _program, command, request, target = argv
    try:
        if command == "read":
            from acr3d.spin import reading

            report = reading.read(read_request(Path(request)), Path(target))
        elif command == "build":
            from acr3d.spin import building

            report = building.build(building.read_request(Path(request)), Path(target))
        else:
            return 2
    except SpinError as refusal:
        print(written(refusal.message, refusal.code), flush=True)
        return REFUSED_EXIT
    print(json.dumps({"report": report}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

"""python -m acr3d.carving REQUEST.json OUT.glb

REQUEST.json:

    {"images": [{"path": "front.jpg", "angle": "front", "outline": "front.png"}, …],
     "target_polycount": 30000, "should_texture": true, "grid": 160, "guesses": true}

`outline` is a picture of the photo's proportions that is white on the part; without such a file the part is
looked for in front of a plain backdrop.
`grid` is the number of voxels along the longest side. `"guesses": false` turns the shape priors off and
returns the bare visual hull. Everything but `images` is optional.

Runs in a child process (acr3d.sandbox) and prints JSON lines: its progress, then its report or its refusal.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from acr3d.carving.errors import CarvingError
from acr3d.carving.pipeline import carve, read_request
from acr3d.messages.refusal import written

REFUSED_EXIT = 3  # what acr3d.sandbox expects


def main(argv: list[str]) -> int:
    """Return 0 after a report, 3 after a refusal."""
    try:
        report = carve(read_request(Path(argv[1])), Path(argv[2]))
    except CarvingError as refusal:
        print(written(refusal.message, refusal.code), flush=True)
        return REFUSED_EXIT
    print(json.dumps({"report": report}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

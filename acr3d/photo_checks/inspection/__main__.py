"""python -m acr3d.photo_checks.inspection [--outlines=JSON] ANGLE=PHOTO…

    python -m acr3d.photo_checks.inspection front=one.jpg right=two.jpg =not-labelled-yet.jpg

JSON is a list with what is known about each photo's outline, or null; then it is looked for by colour:

    {"mask": "outline.png" or null, "refusal": word or null, "sides": [], "left_out": [], "marks": [],
     "by_colour": false}

Runs in a child process (acr3d.sandbox) and prints its report as one JSON line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from acr3d.photo_checks.inspection.check_photos import check_photos
from acr3d.photo_checks.inspection.known_outline import read_known


def main(argv: list[str]) -> int:
    """Print a report and return 0, even for unreadable photos."""
    known, arguments = [], argv[1:]
    if arguments and arguments[0].startswith("--outlines="):
        known = json.loads(arguments.pop(0).partition("=")[2])
    labelled = [argument.partition("=") for argument in arguments]
    photos = [(Path(path), angle or None) for angle, _, path in labelled]
    print(json.dumps({"report": check_photos(photos, [read_known(one) for one in known])}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

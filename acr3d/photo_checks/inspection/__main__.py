"""python -m acr3d.photo_checks.inspection ANGLE=PHOTO…

    python -m acr3d.photo_checks.inspection front=one.jpg right=two.jpg =not-labelled-yet.jpg

Runs in a child process (acr3d.sandbox) and prints its report as one JSON line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from acr3d.photo_checks.inspection.check_photos import check_photos


def main(argv: list[str]) -> int:
    """Print a report and return 0, even for unreadable photos."""
    labelled = [argument.partition("=") for argument in argv[1:]]
    photos = [(Path(path), angle or None) for angle, _, path in labelled]
    print(json.dumps({"report": check_photos(photos)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

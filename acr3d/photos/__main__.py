"""python -m acr3d.photos FILE FOLDER SECONDS: convert one upload in at most so much processor time.

Runs in a child process (acr3d.sandbox), leaves `photo.jpg` and `thumbnail.jpg` in FOLDER, and prints its
report as one JSON line: the photo's `width_px` and `height_px`, or why it was `refused`, or the error number
of what was `not_written`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from acr3d.photos import sanitize


def main(argv: list[str]) -> int:
    """Print a report and return 0, also for a refused file."""
    file, folder, seconds = argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    print(json.dumps({"report": _converted(Path(file), Path(folder))}), flush=True)
    return 0


def _converted(file: Path, folder: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            photo = sanitize.clean(stream)
    except sanitize.PhotoRefused as refusal:
        params = refusal.message.stored_params()
        return {"refused": {"code": refusal.code, "params": params, "text": str(refusal)}}
    try:
        (folder / "photo.jpg").write_bytes(photo.jpeg)
        (folder / "thumbnail.jpg").write_bytes(photo.thumbnail)
    except OSError as error:
        return {"not_written": error.errno}
    return {"width_px": photo.width_px, "height_px": photo.height_px}


if __name__ == "__main__":
    sys.exit(main(sys.argv))

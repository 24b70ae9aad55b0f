"""python -m acr3d.photos FILE FOLDER SECONDS: convert one upload in at most so much processor time.

Runs in a child process (acr3d.sandbox), leaves `photo.jpg`, `thumbnail.jpg`, `<width>.webp` and, of a
cut-out, `outline.png` in FOLDER, and prints one JSON line: a report with the photo's facts, or with the error
number of what was `not_written`; or why the file is refused.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from acr3d.messages.refusal import written
from acr3d.photos import sanitize, webp_files
from acr3d.sandbox import REFUSED_EXIT


def main(argv: list[str]) -> int:
    """Print a report and return 0, or a refusal and REFUSED_EXIT."""
    file, folder, seconds = argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    try:
        with Path(file).open("rb") as stream:
            photo = sanitize.clean(stream)
    except sanitize.PhotoRefused as refusal:
        print(written(refusal.message, refusal.code), flush=True)
        return REFUSED_EXIT
    print(json.dumps({"report": _stored(photo, Path(folder))}), flush=True)
    return 0


def _stored(photo: sanitize.Photo, folder: Path) -> dict[str, Any]:
    try:
        (folder / "photo.jpg").write_bytes(photo.jpeg)
        (folder / "thumbnail.jpg").write_bytes(photo.thumbnail)
        webp_files.store(photo.webp, folder)
        if photo.outline:
            (folder / "outline.png").write_bytes(photo.outline)
    except OSError as error:
        return {"not_written": error.errno}
    facts = {"width_px": photo.width_px, "height_px": photo.height_px, "look": photo.look}
    return facts | {"webp": sorted(photo.webp)}


if __name__ == "__main__":
    sys.exit(main(sys.argv))

"""python -m acr3d.photos SECONDS FOLDER…: convert the file `upload` of each, in so much processor time.

Runs in a child process (acr3d.sandbox), leaves `photo.jpg`, `thumbnail.jpg`, `<width>.webp` and, of a
cut-out, `outline.png` beside each upload, and prints one JSON line: a report whose `photos` has, for each
folder, the photo's facts, why the upload is refused, or the error number of what was `not_written`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from acr3d.messages.refusal import as_json
from acr3d.photos import sanitize, webp_files


def main(argv: list[str]) -> int:
    """Print a report and return 0."""
    seconds, *folders = argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    print(json.dumps({"report": {"photos": [_converted(Path(one)) for one in folders]}}), flush=True)
    return 0


def _converted(folder: Path) -> dict[str, Any]:
    try:
        with (folder / "upload").open("rb") as stream:
            photo = sanitize.clean(stream)
    except sanitize.PhotoRefused as refusal:
        return {"refused": as_json(refusal.message, refusal.code)}
    return _stored(photo, folder)


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

"""python -m acr3d.clean_photos.drawing REQUEST.json

REQUEST.json: a list with, for each photo of one part,

    {"photo": "a.jpg", "outline": "a.png", "angle": "front", "folder": "a"}

`outline` is white on the part. Leaves `photo.jpg`, `thumbnail.jpg` and `<width>.webp` in each `folder`. Runs
in a child process (acr3d.sandbox) and prints JSON lines; the report's `photos` has the `side` and the `webp`
widths of each picture in order, and null for a photo that cannot be drawn.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from acr3d.carving.errors import CarvingError
from acr3d.carving.photo_input import read_mask, read_photo
from acr3d.clean_photos.drawing.cut_out import box_of, drawn_on_white
from acr3d.clean_photos.drawing.layout import FILL, Extent, scales, side_px
from acr3d.photos import webp_files
from acr3d.photos.photo import THUMBNAIL_SIDE
from acr3d.photos.widths import as_webp, in_widths

_JPEG_QUALITY, _THUMBNAIL_QUALITY = 90, 80


def main(argv: list[str]) -> int:
    """Print a report and return 0, even for unreadable photos."""
    requests = json.loads(Path(argv[1]).read_text())
    extents = [_extent(request) for request in requests]
    known = [extent for extent in extents if extent is not None]
    factors = scales(known)
    side = side_px(known, factors)
    of_known = iter(factors)
    report = [
        _drawn(request, next(of_known) * FILL * side, side) if extent is not None else None
        for request, extent in zip(requests, extents, strict=True)
    ]
    print(json.dumps({"report": {"photos": report}}), flush=True)
    return 0


def _extent(request: dict[str, Any]) -> Extent | None:
    """The part's box in the photo's pixels; None if photo or outline cannot be read."""
    try:
        with Image.open(request["photo"], formats=("JPEG",)) as photo:
            width = photo.width
        mask = read_mask(Path(request["outline"]))
    except (OSError, ValueError, SyntaxError):
        return None
    if not mask.any():
        return None
    left, top, right, bottom = box_of(mask)
    finer = width / mask.shape[1]
    return Extent((right - left) * finer, (bottom - top) * finer, request["angle"])


def _drawn(request: dict[str, Any], factor: float, side: int) -> dict[str, Any] | None:
    try:
        photo = read_photo(Path(request["photo"]), request["angle"])
    except CarvingError:
        return None
    mask = read_mask(Path(request["outline"]))
    picture = drawn_on_white(photo.pixels, mask, request["angle"], factor, side)
    folder = Path(request["folder"])
    folder.mkdir()
    picture.save(folder / "photo.jpg", "JPEG", quality=_JPEG_QUALITY, optimize=True)
    pictures = in_widths(picture)
    small = pictures[min(pictures)].copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    small.save(folder / "thumbnail.jpg", "JPEG", quality=_THUMBNAIL_QUALITY, optimize=True)
    webp_files.store({width: as_webp(one) for width, one in pictures.items()}, folder)
    return {"side": side, "webp": sorted(pictures)}


if __name__ == "__main__":
    sys.exit(main(sys.argv))

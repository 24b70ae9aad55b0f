"""A photo in the widths that pages ask for, as WebP; run as a module, of a stored photo.

python -m acr3d.photos.widths PHOTO FOLDER runs in a child process, leaves FOLDER/<width>.webp, and prints one
JSON line with the report.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from PIL import Image

from acr3d.photos.webp_files import store

WIDTHS = (480, 960, 1600)
_QUALITY = 80
_METHOD = 2  # libwebp's 4 takes 2.5 times as long, for 4 % fewer bytes
_NEARLY = 1.1  # a photo that is hardly wider than one of them needs no further one


def widths_of(width_px: int) -> list[int]:
    """The widths in which a photo of `width_px` is kept: never enlarged, the largest within 1600 pixels."""
    largest = min(width_px, WIDTHS[-1])
    return [width for width in WIDTHS if width * _NEARLY < largest] + [largest]


def in_widths(image: Image.Image) -> dict[int, Image.Image]:
    """The picture by width in pixels, the narrowest first; each is made of the next wider one."""
    found = {}
    for width in reversed(widths_of(image.width)):
        size = width, max(1, round(image.height * width / image.width))
        found[width] = image = image.resize(size, Image.Resampling.LANCZOS)
    return dict(sorted(found.items()))


def as_webp(image: Image.Image) -> bytes:
    """Without metadata."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=_QUALITY, method=_METHOD)
    return out.getvalue()


def main(argv: list[str]) -> int:
    with Image.open(argv[1]) as opened:
        pictures = in_widths(opened.convert("RGB"))
    files = {width: as_webp(picture) for width, picture in pictures.items()}
    store(files, Path(argv[2]))
    print(json.dumps({"report": {"widths": sorted(files)}}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

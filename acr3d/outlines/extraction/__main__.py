"""python -m acr3d.outlines.extraction REQUEST.json

REQUEST.json: a list with, for each photo,

    {"photo": "a.jpg", "alpha": "a.png", "out": "outline.png"}

`alpha` is the network's; without such a file the backdrop's colour decides alone. Writes each outline that is
found to `out`: white on the part, at most 1024 × 1024. Runs in a child process (acr3d.sandbox) and prints
JSON lines; the report has `refusal`, `sides`, `left_out` and `marks` of each photo in order.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from acr3d.carving.errors import CarvingError
from acr3d.carving.photo_input import read_photo
from acr3d.carving.silhouette import downscaled
from acr3d.outlines.extraction.combine import Alpha
from acr3d.outlines.extraction.find_outline import Outline, find_outline


def main(argv: list[str]) -> int:
    """Print a report and return 0, even for unreadable photos."""
    report = [_written(request) for request in json.loads(Path(argv[1]).read_text())]
    print(json.dumps({"report": {"photos": report}}), flush=True)
    return 0


def _written(request: dict[str, Any]) -> dict[str, Any]:
    try:
        pixels = downscaled(read_photo(Path(request["photo"]), "").pixels)
    except CarvingError:
        found = Outline(None, "unreadable")
    else:
        found = find_outline(pixels, _read_alpha(Path(request["alpha"]), (pixels.shape[1], pixels.shape[0])))
    if found.mask is not None:
        Image.fromarray(found.mask).save(request["out"], optimize=True)
    return {
        "refusal": found.refusal,
        "sides": found.sides,
        "left_out": found.left_out,
        "marks": found.marks,
    }


def _read_alpha(path: Path, size: tuple[int, int]) -> Alpha | None:
    """The alpha in `path` from 0 to 1, at `size` (width, height); None if there is none."""
    if not path.exists():
        return None
    with Image.open(path, formats=("PNG",)) as image:
        scaled = np.asarray(image.convert("L").resize(size, Image.Resampling.BILINEAR), np.float32)
    return scaled / np.float32(255)


if __name__ == "__main__":
    sys.exit(main(sys.argv))

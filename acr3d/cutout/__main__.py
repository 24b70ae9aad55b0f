"""python -m acr3d.cutout MODEL.onnx SIDE FOLDER PHOTO…

Writes each photo's alpha to FOLDER/0.png, FOLDER/1.png, …: grey, at most 1024 × 1024. SIDE is the longest
side at which the network looks at a photo. Runs in a child process (acr3d.sandbox) and prints JSON lines.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from acr3d.carving.errors import CarvingError
from acr3d.carving.photo_input import read_photo
from acr3d.cutout.network import BadNetwork, Network
from acr3d.messages.message import Message
from acr3d.messages.refusal import written

REFUSED_EXIT = 3
_STORED_SIDE = 1024


def main(argv: list[str]) -> int:
    """Return 0 after a report, 3 if the network cannot be used. A photo that cannot be read has no alpha."""
    model, side, folder, *photos = argv[1:]
    try:
        network = Network(Path(model), int(os.environ.get("ACR3D_THREADS", "1")))
    except BadNetwork as refusal:
        print(written(Message.plain(str(refusal)), "bad_network"), flush=True)
        return REFUSED_EXIT
    done = [
        write_alpha(network, int(side), Path(photo), Path(folder) / f"{number}.png")
        for number, photo in enumerate(photos)
    ]
    print(json.dumps({"report": {"written": done}}), flush=True)
    return 0


def write_alpha(network: Network, side: int, photo: Path, out: Path) -> bool:
    """Write the photo's alpha to `out`; returns whether the photo could be read."""
    try:
        image = Image.fromarray(read_photo(photo, "").pixels)
    except CarvingError:
        return False
    image.thumbnail((_STORED_SIDE, _STORED_SIDE), Image.Resampling.BOX)
    alpha = network.alpha(np.asarray(image), side)
    Image.fromarray((alpha * 255).round().astype(np.uint8)).save(out)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv))

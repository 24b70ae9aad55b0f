"""The strip: a model seen from several sides, square by square in one picture, to lie beside its photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from acr3d.render.cameras import FILL, side_camera
from acr3d.render.draw import draw
from acr3d.render.scene import Scene

SQUARE = 320
"""Width and height of one side's picture, in pixels."""
_QUALITY = 82


def make_strip(scene: Scene, sides: Sequence[str], target: Path) -> dict[str, Any]:
    """Draw the scene from each of `sides` into `target` (WebP, transparent), from left to right."""
    strip = Image.new("RGBA", (SQUARE * len(sides), SQUARE))
    for place, side in enumerate(sides):
        camera = side_camera(side, *scene.box, SQUARE)
        strip.paste(draw(scene, camera, SQUARE, SQUARE), (place * SQUARE, 0))
    strip.save(target, "WEBP", quality=_QUALITY, method=4)
    return {"sides": list(sides), "square": SQUARE, "fill": FILL}

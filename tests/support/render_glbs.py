"""Small models whose pictures are known, for the tests of acr3d.render."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.support.optimize_glbs import Builder

UNLIT: dict[str, Any] = {"extensions": {"KHR_materials_unlit": {}}}
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
YELLOW, CYAN, PINK = (255, 255, 0), (0, 255, 255), (255, 0, 255)
COLOURS = {"front": RED, "back": GREEN, "left": BLUE, "right": YELLOW, "top": CYAN, "bottom": PINK}
# Each face's middle, right and up as seen from outside.
_FACES = {
    "front": ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    "back": ((0, 0, -1), (-1, 0, 0), (0, 1, 0)),
    "left": ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    "right": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "top": ((0, 1, 0), (1, 0, 0), (0, 0, -1)),
    "bottom": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
}


def builder(material: dict[str, Any] | None = None) -> Builder:
    made = Builder()
    made.data["extensionsUsed"] = ["KHR_materials_unlit"]
    made.data["materials"] = [UNLIT | (material or {})]
    return made


def add_box(
    made: Builder,
    middle: tuple[float, float, float] = (0, 0, 0),
    half: tuple[float, float, float] = (1, 1, 1),
    colours: dict[str, tuple[int, int, int]] = COLOURS,
) -> None:
    """A box, each of its faces in the colour of its side."""
    points, shades, corners = [], [], []
    for side, (out, right, up) in _FACES.items():
        start = len(points)
        for across, along in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            place = np.array(out) + across * np.array(right) + along * np.array(up)
            points.append(place * np.array(half) + np.array(middle))
            shades.append(colours[side])
        corners += [start, start + 1, start + 2, start, start + 2, start + 3]
    primitive = {
        "attributes": {
            "POSITION": made.positions(np.array(points)),
            "COLOR_0": made.accessor(np.array(shades, np.uint8), normalized=True),
        },
        "indices": made.accessor(np.array(corners, np.uint16)),
        "material": 0,
    }
    made.data["meshes"][0]["primitives"].append(primitive)


def add_sheet(made: Builder, height: float = 0.0, material: int = 0, turned: bool = False) -> None:
    """A square that faces the front, two wide, its picture upright; `turned`: it faces the back."""
    points = np.array([(-1, -1, height), (1, -1, height), (1, 1, height), (-1, 1, height)])
    corners = [0, 2, 1, 0, 3, 2] if turned else [0, 1, 2, 0, 2, 3]
    primitive = {
        "attributes": {
            "POSITION": made.positions(points),
            "TEXCOORD_0": made.accessor(np.array([(0, 1), (1, 1), (1, 0), (0, 0)], np.float32)),
        },
        "indices": made.accessor(np.array(corners, np.uint16)),
        "material": material,
    }
    made.data["meshes"][0]["primitives"].append(primitive)


def save(made: Builder, folder: Path, name: str = "model.glb") -> Path:
    path = folder / name
    path.write_bytes(made.glb())
    return path

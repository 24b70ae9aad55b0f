"""Small parts, and photos of them with perspective, slightly off-centre and tilted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acr3d.render.cameras import SIDES, RenderCamera
from acr3d.render.draw import draw, flatten_on_white
from acr3d.render.scene import Scene, read_scene
from tests.support.render_glbs import COLOURS, add_box, builder, save

PIXELS = 480
FOUR = ("front", "right", "back", "top")


def make_model(folder: Path, name: str = "model.glb", rotation: list[float] | None = None) -> Path:
    """A bracket: no two of its sides have the same outline, rotated or not."""
    made = builder()
    add_box(made, (0, 0, 0), (1.0, 0.5, 0.7))
    add_box(made, (-0.7, 0.8, 0.4), (0.3, 0.4, 0.3))
    add_box(made, (1.2, -0.3, -0.3), (0.3, 0.2, 0.2))
    if rotation:
        made.data["nodes"][0]["rotation"] = rotation
    return save(made, folder, name)


def make_other(folder: Path) -> Path:
    """Another part: a rod with a foot."""
    made = builder()
    add_box(made, (0, 0, 0), (0.15, 1.0, 0.15))
    add_box(made, (0.2, -0.9, 0.1), (0.4, 0.1, 0.3))
    return save(made, folder, "other.glb")


def make_post(
    folder: Path,
    name: str,
    rotation: list[float] | None = None,
    *,
    plain: bool = False,
    bump: bool = False,
) -> Path:
    """A square post whose four sides have the same outline.

    Only their colours differ; with `plain` not even those. `bump` adds a small bump to one side.
    """
    made = builder()
    add_box(made, half=(0.5, 1, 0.5), colours=dict.fromkeys(COLOURS, (90, 90, 90)) if plain else COLOURS)
    if bump:
        add_box(made, (0.53, 0.7, 0.2), (0.03, 0.1, 0.1))
    if rotation:
        made.data["nodes"][0]["rotation"] = rotation
    return save(made, folder, name)


def photograph(model: Path, folder: Path, sides: tuple[str, ...] = FOUR) -> dict[str, Path]:
    """A photo from each side on a white sheet, as a careful person would take it by hand."""
    scene, photos = read_scene(model), {}
    for number, side in enumerate(sides):
        photos[side] = folder / f"{side}.png"
        flatten_on_white(draw(scene, _held_by_hand(scene, side, number), PIXELS, PIXELS)).save(photos[side])
    return photos


def _held_by_hand(scene: Scene, side: str, number: int) -> RenderCamera:
    low, high = scene.box
    reach = float(np.linalg.norm(high - low)) / 2
    tilt = 0.03 * (-1) ** number
    right, up, towards = SIDES[side]
    turn = np.array([right + tilt * up, up - tilt * right, towards])
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    return RenderCamera(
        turn, (low + high) / 2, 0.33 * PIXELS / reach, 0.25 / reach, (9.0 * (number - 1), -7.0)
    )

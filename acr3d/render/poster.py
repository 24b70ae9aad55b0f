"""The picture that stands in for a model until it is loaded, from where the viewer then shows it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from acr3d.render.cameras import Orbit
from acr3d.render.draw import draw
from acr3d.render.scene import Scene, read_scene

SIDE = 800
_THETA, _PHI, _LENS = 30.0, 75.0, 30.0  # front and right side and a little from above
_ROOM = 1.05  # <model-viewer>'s own default: 105 % of the distance that shows all at every turn
_QUALITY = 82


def make_poster(source: Path, target: Path, side: int = SIDE) -> dict[str, Any]:
    """Draw `source` into `target` (WebP, transparent ground); return the viewer's camera. Raises BadModel."""
    scene = read_scene(source)
    orbit, breadth = starting_view(scene)
    seen = replace(orbit, lens=_widened(orbit.lens, breadth))
    draw(scene, seen.camera(side), side, side).save(target, "WEBP", quality=_QUALITY, method=4)
    return {"camera": as_attributes(orbit), "width": side, "height": side}


def starting_view(scene: Scene) -> tuple[Orbit, float]:
    """The camera that the viewer is told to start with, and the breadth that it makes room for.

    <model-viewer> 4 (ModelScene.updateFraming): the distance shows a ball around the target whole; where the
    picture is narrower than the turning model (its "ideal aspect"), the lens is widened until it fits.
    """
    low, high = scene.box
    target = (low + high) / 2
    used = scene.points[np.unique(scene.triangles)] - target
    ball = float(np.sqrt((used**2).sum(1).max()))
    half = math.radians(_LENS) / 2
    distance = ball / math.sin(half)
    around = np.hypot(used[:, 0], used[:, 2]) / (distance - np.abs(used[:, 1]))
    breadth = float(around.max()) / math.tan(half)
    x, y, z = (float(at) for at in target)
    return Orbit(_THETA, _PHI, _ROOM * distance, (x, y, z), _LENS), breadth


def as_attributes(orbit: Orbit) -> dict[str, str]:
    """The camera in <model-viewer>'s words."""
    return {
        "camera-orbit": f"{orbit.theta:g}deg {orbit.phi:g}deg {orbit.radius:.6g}m",
        "camera-target": " ".join(f"{at:.6g}m" for at in orbit.target),
        "field-of-view": f"{orbit.lens:g}deg",
    }


def _widened(lens: float, breadth: float) -> float:
    """The lens that a square viewer takes for a model of this breadth (ModelScene.adjustedFoV)."""
    return 2 * math.degrees(math.atan(math.tan(math.radians(lens) / 2) * max(1.0, breadth)))

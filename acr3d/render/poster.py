"""The poster: the picture shown until a model is loaded, with the camera of the viewer's first frame."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from acr3d.render.cameras import Orbit
from acr3d.render.draw import draw
from acr3d.render.scene import Scene

SIDE = 800
_THETA, _PHI, _FIELD_OF_VIEW = 30.0, 75.0, 30.0  # shows the front and right side from a little above
_DISTANCE_FACTOR = (
    1.05  # <model-viewer>'s default: 105 % of the distance that shows the whole model at any angle
)
_QUALITY = 82


def make_poster(scene: Scene, target: Path, side: int = SIDE) -> dict[str, Any]:
    """Draw the scene into `target` (WebP, transparent); return the viewer's camera."""
    orbit, breadth = starting_view(scene)
    seen = replace(orbit, field_of_view=_widened(orbit.field_of_view, breadth))
    draw(scene, seen.camera(side), side, side).save(target, "WEBP", quality=_QUALITY, method=4)
    return {"camera": as_attributes(orbit), "width": side, "height": side}


def starting_view(scene: Scene) -> tuple[Orbit, float]:
    """The camera with which the viewer starts, and the breadth that the model needs while it turns.

    As in <model-viewer> 4 (ModelScene.updateFraming): the distance shows a sphere around the target; if the
    picture is narrower than the turning model (its "ideal aspect"), the field of view is widened to fit it.
    """
    low, high = scene.box
    target = (low + high) / 2
    used = scene.points[np.unique(scene.triangles)] - target
    radius = float(np.sqrt((used**2).sum(1).max()))
    half = math.radians(_FIELD_OF_VIEW) / 2
    distance = radius / math.sin(half)
    around = np.hypot(used[:, 0], used[:, 2]) / (distance - np.abs(used[:, 1]))
    breadth = float(around.max()) / math.tan(half)
    x, y, z = (float(at) for at in target)
    return Orbit(_THETA, _PHI, _DISTANCE_FACTOR * distance, (x, y, z), _FIELD_OF_VIEW), breadth


def as_attributes(orbit: Orbit) -> dict[str, str]:
    """The camera as attributes of <model-viewer>."""
    return {
        "camera-orbit": f"{orbit.theta:g}deg {orbit.phi:g}deg {orbit.radius:.6g}m",
        "camera-target": " ".join(f"{at:.6g}m" for at in orbit.target),
        "field-of-view": f"{orbit.field_of_view:g}deg",
    }


def _widened(field_of_view: float, breadth: float) -> float:
    """The field of view of a square viewer for a model of this breadth (ModelScene.adjustedFoV)."""
    return 2 * math.degrees(math.atan(math.tan(math.radians(field_of_view) / 2) * max(1.0, breadth)))

"""What the carving tells of itself: what was seen, what was guessed, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from acr3d.carving.calibration import Calibration
from acr3d.carving.cameras import AXIS_NAMES, SIDES, viewing_axis
from acr3d.carving.confidence import confidence_score
from acr3d.carving.initial_size import Proportions
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.visual_hull import TriangleMesh

MATERIAL = {"metallicFactor": 0.2, "roughnessFactor": 0.6}
"""Guessed plainly: between paint and worn metal, as photos in one light do not tell."""


def make_report(
    calibration: Calibration, proportions: Proportions, silhouettes: Sequence[Silhouette], mesh: TriangleMesh
) -> dict[str, Any]:
    """The report's figures about the shape and the photos."""
    axes = {viewing_axis(silhouette.angle) for silhouette in silhouettes}
    return {
        "triangles": len(mesh.triangles),
        "size": [round(float(side), 4) for side in mesh.vertices.max(0) - mesh.vertices.min(0)],
        "axes_seen": [name for axis, name in enumerate(AXIS_NAMES) if axis in axes],
        "guessed": list(proportions.assumptions),
        "material": {"metallic": MATERIAL["metallicFactor"], "roughness": MATERIAL["roughnessFactor"]},
        "sureness": confidence_score(calibration.cameras, calibration.misfit, proportions.disagreement),
        "photos": _photo_reports(calibration, proportions, silhouettes),
    }


def _photo_reports(
    calibration: Calibration, proportions: Proportions, silhouettes: Sequence[Silhouette]
) -> list[dict[str, Any]]:
    return [
        {
            "angle": silhouette.angle,
            "outline_box": list(silhouette.box),
            "outline_share": round(float(silhouette.mask.mean()), 4),
            "disagreement": round(float(disagreement), 4),
            "misfit": round(misfit, 5),
            "tilt_degrees": [round(float(np.degrees(turn)), 2) for turn in camera.tilt],
            "nearness": round(float(camera.inverse_distance), 4),
        }
        for silhouette, camera, disagreement, misfit in zip(
            silhouettes, calibration.cameras, proportions.disagreement, calibration.misfit, strict=True
        )
    ]


def unseen_sides_note(silhouettes: Sequence[Silhouette]) -> list[str]:
    """A sentence about the sides whose colours no photo shows, if there are any."""
    unseen = [side for side in SIDES if side not in {silhouette.angle for silhouette in silhouettes}]
    if not unseen:
        return []
    sides = " and ".join([", ".join(unseen[:-1]), unseen[-1]] if unseen[:-1] else unseen)
    return [f"No photo shows the {sides}; colours there were carried on from what the photos show."]

"""The carving's report: what the photos showed, what was assumed, and the confidence score.

Reports are stored with jobs and models, so their keys stay as they are: "sureness" is the confidence score,
"guessed" lists assumptions as sentences, "guesses" the shape priors used, "nearness" the inverse distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from acr3d.carving.cameras import AXIS_NAMES, SIDES, viewing_axis
from acr3d.carving.confidence import confidence_score
from acr3d.carving.fitting import Fit
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.visual_hull import TriangleMesh

MATERIAL = {"metallicFactor": 0.2, "roughnessFactor": 0.6}
"""A fixed assumption between paint and worn metal: photos in one light do not show the material."""


def make_report(fit: Fit, mesh: TriangleMesh) -> dict[str, Any]:
    """The report's entries about the shape and the photos."""
    axes = {viewing_axis(silhouette.angle) for silhouette in fit.silhouettes}
    return {
        "triangles": len(mesh.triangles),
        "size": [round(float(side), 4) for side in mesh.vertices.max(0) - mesh.vertices.min(0)],
        "axes_seen": [name for axis, name in enumerate(AXIS_NAMES) if axis in axes],
        "guessed": list(fit.proportions.assumptions),
        "material": {"metallic": MATERIAL["metallicFactor"], "roughness": MATERIAL["roughnessFactor"]},
        "sureness": _confidence(fit),
        "doubts": [doubt.as_json() for doubt in fit.doubts],
        "photos": _photo_reports(fit),
    }


def _confidence(fit: Fit) -> float:
    calibration = fit.calibration
    return confidence_score(
        calibration.cameras,
        calibration.misfit,
        fit.proportions.disagreement,
        fit.likeness,
    )


def _photo_reports(fit: Fit) -> list[dict[str, Any]]:
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
        | ({"likeness": round(fit.likeness[number], 3)} if fit.likeness else {})
        for number, (silhouette, camera, disagreement, misfit) in enumerate(
            zip(
                fit.silhouettes,
                fit.calibration.cameras,
                fit.proportions.disagreement,
                fit.calibration.misfit,
                strict=True,
            )
        )
    ]


def unseen_sides_note(silhouettes: Sequence[Silhouette]) -> list[str]:
    """A list with one sentence naming the sides that no photo shows; empty if there are none."""
    unseen = [side for side in SIDES if side not in {silhouette.angle for silhouette in silhouettes}]
    if not unseen:
        return []
    sides = " and ".join([", ".join(unseen[:-1]), unseen[-1]] if unseen[:-1] else unseen)
    return [f"No photo shows the {sides}. Their colours were extended from the neighbouring sides."]

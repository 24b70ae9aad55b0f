"""What is told about a spin model: the keys of the carving's report, and true sizes in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from acr3d.carving.report import MATERIAL
from acr3d.carving.texture import ProjectedTexture
from acr3d.carving.visual_hull import TriangleMesh
from acr3d.spin.hull import Outline

_CHECKED_POINTS = 20_000
_TOLERATED_MM = 1.5  # by which an outline may miss the solid; several pixels at a usual distance


def agreement(outlines: Sequence[Outline], solid: TriangleMesh) -> float:
    """The share of the solid's surface that the outlines hold, in the mean over the outlines.

    The hull lies in all outlines but the few that are doubted, and touches each; so what an outline leaves
    out, others contradict.
    """
    vertices = solid.vertices[:: max(1, len(solid.vertices) // _CHECKED_POINTS)]
    return float(np.mean([(one.depth_of(vertices) > -_TOLERATED_MM).mean() for one in outlines]))


def make_report(
    frames: int, mesh: TriangleMesh, agreed: float, cut_mm: float, texture: ProjectedTexture | None
) -> dict[str, Any]:
    """The report's entries: `size_mm` is width, height and depth as glTF has them."""
    x, y, z = (float(side) for side in mesh.vertices.max(0) - mesh.vertices.min(0))
    size = [x, z, y]
    confidence = round(max(0.0, 1 - 10 * (1 - agreed)), 2)
    report: dict[str, Any] = {
        "size_mm": [round(side, 2) for side in size],
        "size": [round(side / max(size), 4) for side in size],
        "triangles": len(mesh.triangles),
        "axes_seen": ["width", "height", "depth"],
        "material": {"metallic": MATERIAL["metallicFactor"], "roughness": MATERIAL["roughnessFactor"]},
        "sureness": confidence,
        "confidence": confidence,
        "frames_used": frames,
        "guessed": ["The part's underside was not filmed. Its colours were extended from the sides."],
        "guesses": [],
        "doubts": [],
        "notes": [],
    }
    if cut_mm:
        report["guessed"].append(
            f"The top's height is from its texture; outlines alone would leave it {cut_mm:.1f} mm higher."
        )
    if texture:
        report["texture_seen"] = round(texture.seen_share, 3)
    return report

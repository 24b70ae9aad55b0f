"""The built-in engine's heavy work: labelled photos in, one textured GLB out.

    python -m acr3d.engine.carve REQUEST.json OUT.glb

REQUEST.json: {"images": [{"path": "…", "angle": "front"}, …], "target_polycount": 30000,
"should_texture": true} and optionally "grid", the number of cells along the largest side. Runs in a
child (acr3d.children) and prints its progress and its report, or its refusal, as JSON lines.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acr3d.engine.calibration import Calibration, calibrate
from acr3d.engine.charts import lay_out
from acr3d.engine.corners import make_corners
from acr3d.engine.fields import DistanceField, distance_field
from acr3d.engine.glb import write_glb
from acr3d.engine.hull import Mesh, drop_crumbs, hull_field, make_grid, surface
from acr3d.engine.outline import Outline, find_outline
from acr3d.engine.photos import open_photo
from acr3d.engine.proportions import Proportions, find_proportions, first_cameras
from acr3d.engine.refusal import Refused
from acr3d.engine.simplify import simplify
from acr3d.engine.texture import paint
from acr3d.engine.views import AXIS_NAMES, SIDES, axis_towards

REFUSED_EXIT = 3  # acr3d.children's agreement; the carving imports nothing outside its own room
_CELLS = 160
_FEWEST_TRIANGLES, _MOST_TRIANGLES = 500, 100_000
_LARGEST_DISAGREEMENT = 0.2  # of a side; a wide lens close by explains less
_LARGEST_MISFIT = (
    0.002  # of the part's largest side, once the cameras are refined; honest photos stay under 0.0003
)


@dataclass(frozen=True)
class Request:
    """What to carve: photos as (path, angle), how many triangles, with or without texture, how fine."""

    photos: list[tuple[Path, str]]
    triangles: int
    textured: bool
    cells: int


def read_request(path: Path) -> Request:
    """Read and check REQUEST.json. Raises Refused."""
    body = json.loads(path.read_text())
    photos = [(Path(image["path"]), str(image["angle"])) for image in body["images"]]
    angles = [angle for _, angle in photos]
    unknown = sorted(set(angles) - SIDES.keys())
    if unknown:
        raise Refused(
            f"No side is called {', '.join(unknown)}; there are {', '.join(SIDES)}.", "unknown_angle"
        )
    if len(set(angles)) != len(angles):
        raise Refused("Two photos carry the same label. Give each photo its own side.", "same_angle")
    if not 2 <= len(photos) <= len(SIDES):
        raise Refused(f"A model needs two to six photos; {len(photos)} came.", "photo_count")
    triangles = int(np.clip(int(body.get("target_polycount") or 30_000), _FEWEST_TRIANGLES, _MOST_TRIANGLES))
    return Request(photos, triangles, bool(body.get("should_texture", True)), int(body.get("grid") or _CELLS))


def carve(request: Request, out: Path) -> dict[str, Any]:
    """Carve the model, write it to `out` and return the report. Raises Refused."""
    started = time.monotonic()
    outlines = _outlines(request)
    proportions = find_proportions(outlines)
    _check_agreement(proportions.disagreement, _LARGEST_DISAGREEMENT, outlines)
    _progress(35)
    fields = [distance_field(outline.mask) for outline in outlines]
    calibration = calibrate(first_cameras(outlines, proportions), outlines, fields, proportions.size)
    _check_agreement(calibration.misfit, _LARGEST_MISFIT, outlines)
    _progress(50)
    mesh = simplify(_solid(calibration, fields, request.cells), request.triangles)
    _progress(75)
    atlas = lay_out(mesh, max(camera.zoom for camera in calibration.cameras))
    texture = paint(mesh, atlas, outlines, calibration.cameras) if request.textured else None
    _progress(95)
    scaled = _centred(mesh)
    material = {"metallicFactor": 0.2, "roughnessFactor": 0.6}
    write_glb(out, make_corners(scaled, atlas), texture.pixels if texture else None, material)
    report = _report(calibration, proportions, outlines, scaled)
    if texture:
        report["texture_seen"] = round(texture.seen, 3)
        report["guessed"] += _unseen_sides(outlines)
    return report | {"seconds": round(time.monotonic() - started, 2)}


def _report(
    calibration: Calibration, proportions: Proportions, outlines: list[Outline], mesh: Mesh
) -> dict[str, Any]:
    axes = {axis_towards(outline.angle) for outline in outlines}
    return {
        "triangles": len(mesh.triangles),
        "size": [round(float(side), 4) for side in mesh.vertices.max(0) - mesh.vertices.min(0)],
        "axes_seen": [name for axis, name in enumerate(AXIS_NAMES) if axis in axes],
        "guessed": list(proportions.guessed),
        "photos": [
            {
                "angle": outline.angle,
                "outline_box": list(outline.box),
                "outline_share": round(float(outline.mask.mean()), 4),
                "disagreement": round(disagreement, 4),
                "misfit": round(misfit, 5),
                "tilt_degrees": [round(float(np.degrees(turn)), 2) for turn in camera.tilt],
                "nearness": round(float(camera.nearness), 4),
            }
            for outline, camera, disagreement, misfit in zip(
                outlines, calibration.cameras, proportions.disagreement, calibration.misfit, strict=True
            )
        ],
    }


def _unseen_sides(outlines: list[Outline]) -> list[str]:
    unseen = [side for side in SIDES if side not in {outline.angle for outline in outlines}]
    if not unseen:
        return []
    sides = " and ".join([", ".join(unseen[:-1]), unseen[-1]] if unseen[:-1] else unseen)
    return [f"No photo shows the {sides}; colours there were carried on from what the photos show."]


def _outlines(request: Request) -> list[Outline]:
    outlines = []
    for number, (path, angle) in enumerate(request.photos):
        outlines.append(find_outline(open_photo(path, angle)))
        _progress(5 + 25 * (number + 1) // len(request.photos))
    return outlines


def _solid(calibration: Calibration, fields: list[DistanceField], cells: int) -> Mesh:
    grid = make_grid(calibration.box, cells)
    depth = drop_crumbs(hull_field(calibration.cameras, fields, calibration.box, grid))
    return surface(depth, grid)


def _check_agreement(shares: tuple[float, ...], limit: float, outlines: list[Outline]) -> None:
    """Refuse when one photo's share of disagreement is beyond the limit, naming that photo."""
    worst = int(np.argmax(shares))
    if shares[worst] <= limit:
        return
    angle = outlines[worst].angle
    raise Refused(
        f"The {angle} photo contradicts the others: its outline does not fit what they show. Check that it "
        f"is labelled rightly, shows the same part, and stands upright as seen from the {angle}.",
        "contradiction",
    )


def _centred(mesh: Mesh) -> Mesh:
    """The mesh about the origin, its largest side 1."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    return Mesh((mesh.vertices - (low + high) / 2) / (high - low).max(), mesh.triangles)


def _progress(percent: int) -> None:
    print(json.dumps({"progress": percent}), flush=True)


def main(argv: list[str]) -> int:
    """The command line: 0 with a report, 3 with a refusal."""
    try:
        report = carve(read_request(Path(argv[1])), Path(argv[2]))
    except Refused as refusal:
        print(json.dumps({"error": str(refusal), "code": refusal.code}), flush=True)
        return REFUSED_EXIT
    print(json.dumps({"report": report}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

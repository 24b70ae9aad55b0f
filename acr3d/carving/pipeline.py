"""The built-in engine's heavy work: labelled photos in, one textured GLB out.

    python -m acr3d.carving.pipeline REQUEST.json OUT.glb

REQUEST.json: {"images": [{"path": "…", "angle": "front"}, …], "target_polycount": 30000,
"should_texture": true} and optionally "grid", the number of cells along the largest side, and
"guesses": false for the bare hull of the outlines. Runs in a child (acr3d.sandbox) and prints its progress
and its report, or its refusal, as JSON lines.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.calibration import Calibration, calibrate
from acr3d.carving.cameras import SIDES, Camera
from acr3d.carving.consistency import check_cameras, check_proportions
from acr3d.carving.distance_field import DistanceField, distance_field
from acr3d.carving.edge_collapse import simplify
from acr3d.carving.edge_flips import turn_edges
from acr3d.carving.errors import CarvingError
from acr3d.carving.glb_writer import write_glb
from acr3d.carving.initial_size import Proportions, find_proportions, first_cameras
from acr3d.carving.photo_input import open_photo
from acr3d.carving.plane_fit import flatten
from acr3d.carving.report import MATERIAL, make_report, unseen_sides
from acr3d.carving.shape_priors import Evidence, Guess, find_guesses
from acr3d.carving.silhouette import Outline, find_outline
from acr3d.carving.texture import paint
from acr3d.carving.uv_atlas import lay_out
from acr3d.carving.vertex_split import make_corners
from acr3d.carving.visual_hull import Mesh, drop_crumbs, hull_field, make_grid, surface

Vector = NDArray[np.float64]

REFUSED_EXIT = 3  # acr3d.sandbox's agreement; the carving imports nothing outside its own room
_CELLS = 160
_FEWEST_TRIANGLES, _MOST_TRIANGLES = 500, 100_000


@dataclass(frozen=True)
class Request:
    """What to carve: photos as (path, angle), how many triangles, with or without texture, how fine."""

    photos: list[tuple[Path, str]]
    triangles: int
    textured: bool
    cells: int
    guessing: bool


def read_request(path: Path) -> Request:
    """Read and check REQUEST.json. Raises Refused."""
    body = json.loads(path.read_text())
    photos = [(Path(image["path"]), str(image["angle"])) for image in body["images"]]
    angles = [angle for _, angle in photos]
    unknown = sorted(set(angles) - SIDES.keys())
    if unknown:
        raise CarvingError(
            f"No side is called {', '.join(unknown)}; there are {', '.join(SIDES)}.", "unknown_angle"
        )
    if len(set(angles)) != len(angles):
        raise CarvingError("Two photos carry the same label. Give each photo its own side.", "same_angle")
    if not 2 <= len(photos) <= len(SIDES):
        raise CarvingError(f"A model needs two to six photos; {len(photos)} came.", "photo_count")
    triangles = int(np.clip(int(body.get("target_polycount") or 30_000), _FEWEST_TRIANGLES, _MOST_TRIANGLES))
    return Request(
        photos,
        triangles,
        bool(body.get("should_texture", True)),
        int(body.get("grid") or _CELLS),
        bool(body.get("guesses", True)),
    )


@dataclass(frozen=True)
class _Shape:
    """The mesh and what is known of it, without the large fields it was carved from."""

    mesh: Mesh
    calibration: Calibration
    proportions: Proportions
    guesses: list[dict[str, Any]]


def carve(request: Request, out: Path) -> dict[str, Any]:
    """Carve the model, write it to `out` and return the report. Raises Refused."""
    started = time.monotonic()
    outlines = _outlines(request)
    shape = _shape(request, outlines)
    _progress(75)
    atlas = lay_out(shape.mesh, max(camera.zoom for camera in shape.calibration.cameras))
    texture = paint(shape.mesh, atlas, outlines, shape.calibration.cameras) if request.textured else None
    _progress(95)
    scaled = _centred(shape.mesh)
    report = make_report(shape.calibration, shape.proportions, outlines, scaled)
    report["guesses"] = shape.guesses
    if texture:
        report["texture_seen"] = round(texture.seen, 3)
        report["guessed"] += unseen_sides(outlines)
    outlines.clear()  # the photos are no longer needed, and memory is short
    write_glb(out, make_corners(scaled, atlas), texture.pixels if texture else None, MATERIAL)
    return report | {"seconds": round(time.monotonic() - started, 2)}


def _shape(request: Request, outlines: list[Outline]) -> _Shape:
    """The solid that the outlines allow. Raises Refused."""
    proportions = find_proportions(outlines)
    check_proportions(proportions.disagreement, outlines)
    _progress(35)
    fields = [distance_field(outline.mask) for outline in outlines]
    calibration = calibrate(first_cameras(outlines, proportions), outlines, fields, proportions.size)
    check_cameras(
        calibration.cameras,
        calibration.misfit,
        outlines,
        lambda angle: _nearness_without(angle, outlines, fields),
    )
    _progress(50)
    guesses = _guesses(calibration, outlines, fields) if request.guessing else []
    box = calibration.box
    for guess in guesses:
        box = guess.room(box)
    solid = flatten(_solid(calibration.cameras, fields, box, request.cells, guesses))
    mesh = turn_edges(simplify(solid, request.triangles))
    return _Shape(mesh, calibration, proportions, [guess.facts for guess in guesses])


def _outlines(request: Request) -> list[Outline]:
    outlines = []
    for number, (path, angle) in enumerate(request.photos):
        outlines.append(find_outline(open_photo(path, angle)))
        _progress(5 + 25 * (number + 1) // len(request.photos))
    return outlines


def _nearness_without(angle: str, outlines: list[Outline], fields: list[DistanceField]) -> float:
    """The nearness that the photos ask for when this one is left out."""
    kept = [number for number, outline in enumerate(outlines) if outline.angle != angle]
    others = [outlines[number] for number in kept]
    proportions = find_proportions(others)
    cameras = first_cameras(others, proportions)
    found = calibrate(cameras, others, [fields[number] for number in kept], proportions.size)
    return max(camera.nearness for camera in found.cameras)


def _guesses(calibration: Calibration, outlines: list[Outline], fields: list[DistanceField]) -> list[Guess]:
    evidence = Evidence(calibration.cameras, outlines, fields, calibration.box)
    return find_guesses(evidence, calibration.coherence)


def _solid(
    cameras: list[Camera], fields: list[DistanceField], box: Vector, cells: int, guesses: list[Guess]
) -> Mesh:
    grid = make_grid(box, cells)
    return surface(drop_crumbs(hull_field(cameras, fields, box, grid, guesses)), grid)


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
    except CarvingError as refusal:
        print(json.dumps({"error": str(refusal), "code": refusal.code}), flush=True)
        return REFUSED_EXIT
    print(json.dumps({"report": report}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

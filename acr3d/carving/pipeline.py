"""The built-in engine's pipeline: labelled photos in, one textured GLB out.

Silhouettes → cameras → visual hull with shape priors → mesh → texture. docs/engine.md explains the steps.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.calibration import Calibration, calibrate
from acr3d.carving.cameras import SIDES, PinholeCamera
from acr3d.carving.consistency import check_cameras, check_proportions
from acr3d.carving.distance_field import DistanceField, distance_field
from acr3d.carving.edge_collapse import simplify
from acr3d.carving.edge_flips import flip_edges
from acr3d.carving.errors import CarvingError, together
from acr3d.carving.glb_writer import write_glb
from acr3d.carving.initial_size import Proportions, estimate_proportions, initial_cameras
from acr3d.carving.photo_input import read_photo
from acr3d.carving.plane_fit import flatten_faces
from acr3d.carving.report import MATERIAL, make_report, unseen_sides_note
from acr3d.carving.shape_priors import Evidence, ShapePrior, find_shape_priors
from acr3d.carving.silhouette import Silhouette, extract_silhouette
from acr3d.carving.texture import project_photos
from acr3d.carving.uv_atlas import unwrap
from acr3d.carving.vertex_split import split_vertices
from acr3d.carving.visual_hull import TriangleMesh, drop_small_pieces, extract_surface, hull_depth, make_grid

Vector = NDArray[np.float64]

_DEFAULT_CELLS = 160
_MIN_TRIANGLES, _MAX_TRIANGLES = 500, 100_000


@dataclass(frozen=True)
class CarvingRequest:
    """What to carve. `photos`: (path, angle, known outline's path); `cells`: voxels on the longest side."""

    photos: list[tuple[Path, str, Path | None]]
    triangles: int
    textured: bool
    cells: int
    use_priors: bool


def read_request(path: Path) -> CarvingRequest:
    """Read and check REQUEST.json (see __main__.py). Raises CarvingError."""
    body = json.loads(path.read_text())
    photos = [(Path(image["path"]), str(image["angle"]), _outline(image)) for image in body["images"]]
    angles = [angle for _, angle, _ in photos]
    unknown = sorted(set(angles) - SIDES.keys())
    if unknown:
        raise CarvingError(
            f"Unknown side: {', '.join(unknown)}. Use one of {', '.join(SIDES)}.", "unknown_angle"
        )
    if len(set(angles)) != len(angles):
        raise CarvingError("Two photos have the same label. Give each photo its own side.", "same_angle")
    if not 2 <= len(photos) <= len(SIDES):
        raise CarvingError(f"A model needs two to six photos, not {len(photos)}.", "photo_count")
    triangles = int(np.clip(int(body.get("target_polycount") or 30_000), _MIN_TRIANGLES, _MAX_TRIANGLES))
    return CarvingRequest(
        photos,
        triangles,
        bool(body.get("should_texture", True)),
        int(body.get("grid") or _DEFAULT_CELLS),
        bool(body.get("guesses", True)),
    )


def _outline(image: dict[str, Any]) -> Path | None:
    path = image.get("outline")
    return Path(path) if path and Path(path).exists() else None


@dataclass(frozen=True)
class _CarvedShape:
    """The mesh and what the report needs, without the large arrays it was carved from."""

    mesh: TriangleMesh
    calibration: Calibration
    proportions: Proportions
    priors: list[dict[str, Any]]


def carve(request: CarvingRequest, out: Path) -> dict[str, Any]:
    """Carve the model, write it to `out` and return the report. Raises CarvingError."""
    started = time.monotonic()
    silhouettes = _extract_silhouettes(request)
    shape = _carve_shape(request, silhouettes)
    _print_progress(75)
    atlas = unwrap(shape.mesh, max(camera.zoom for camera in shape.calibration.cameras))
    texture = (
        project_photos(shape.mesh, atlas, silhouettes, shape.calibration.cameras)
        if request.textured
        else None
    )
    _print_progress(95)
    scaled = _normalized(shape.mesh)
    report = make_report(shape.calibration, shape.proportions, silhouettes, scaled)
    report["guesses"] = shape.priors
    if texture:
        report["texture_seen"] = round(texture.seen_share, 3)
        report["guessed"] += unseen_sides_note(silhouettes)
    silhouettes.clear()  # frees the photos, because memory is short
    write_glb(out, split_vertices(scaled, atlas), texture.pixels if texture else None, MATERIAL)
    return report | {"seconds": round(time.monotonic() - started, 2)}


def _carve_shape(request: CarvingRequest, silhouettes: list[Silhouette]) -> _CarvedShape:
    """The solid that the silhouettes allow. Raises CarvingError."""
    proportions = estimate_proportions(silhouettes)
    check_proportions(proportions.disagreement, silhouettes)
    _print_progress(35)
    fields = [distance_field(silhouette.mask) for silhouette in silhouettes]
    calibration = calibrate(initial_cameras(silhouettes, proportions), silhouettes, fields, proportions.size)
    check_cameras(
        calibration.cameras,
        calibration.misfit,
        silhouettes,
        lambda angle: _inverse_distance_without(angle, silhouettes, fields),
    )
    _print_progress(50)
    priors = _find_priors(calibration, silhouettes, fields) if request.use_priors else []
    box = calibration.box
    for prior in priors:
        box = prior.expanded_box(box)
    solid = flatten_faces(_extract_solid(calibration.cameras, fields, box, request.cells, priors))
    mesh = flip_edges(simplify(solid, request.triangles))
    return _CarvedShape(mesh, calibration, proportions, [prior.facts for prior in priors])


def _extract_silhouettes(request: CarvingRequest) -> list[Silhouette]:
    """The part's silhouettes. Raises CarvingError, which names every photo that has none."""
    silhouettes, errors = [], []
    for number, (path, angle, outline) in enumerate(request.photos):
        try:
            silhouettes.append(extract_silhouette(read_photo(path, angle, outline)))
        except CarvingError as error:
            errors.append(error)
        _print_progress(5 + 25 * (number + 1) // len(request.photos))
    if errors:
        raise together(errors)
    return silhouettes


def _inverse_distance_without(
    angle: str, silhouettes: list[Silhouette], fields: list[DistanceField]
) -> float:
    """The camera's inverse distance that the photos imply without this one."""
    kept = [number for number, silhouette in enumerate(silhouettes) if silhouette.angle != angle]
    others = [silhouettes[number] for number in kept]
    proportions = estimate_proportions(others)
    cameras = initial_cameras(others, proportions)
    found = calibrate(cameras, others, [fields[number] for number in kept], proportions.size)
    return max(camera.inverse_distance for camera in found.cameras)


def _find_priors(
    calibration: Calibration, silhouettes: list[Silhouette], fields: list[DistanceField]
) -> list[ShapePrior]:
    evidence = Evidence(calibration.cameras, silhouettes, fields, calibration.box)
    return find_shape_priors(evidence, calibration.coherence)


def _extract_solid(
    cameras: list[PinholeCamera],
    fields: list[DistanceField],
    box: Vector,
    cells: int,
    priors: list[ShapePrior],
) -> TriangleMesh:
    grid = make_grid(box, cells)
    return extract_surface(drop_small_pieces(hull_depth(cameras, fields, box, grid, priors)), grid)


def _normalized(mesh: TriangleMesh) -> TriangleMesh:
    """The mesh centred on the origin, its largest side 1."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    return TriangleMesh((mesh.vertices - (low + high) / 2) / (high - low).max(), mesh.triangles)


def _print_progress(percent: int) -> None:
    print(json.dumps({"progress": percent}), flush=True)

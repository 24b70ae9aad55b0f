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

from acr3d.carving.cameras import SIDES, PinholeCamera
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.edge_collapse import simplify
from acr3d.carving.edge_flips import flip_edges
from acr3d.carving.errors import CarvingError, together
from acr3d.carving.fitting import Fit, fit_photos
from acr3d.carving.glb_writer import write_glb
from acr3d.carving.loose_pieces import drop_loose_pieces
from acr3d.carving.photo_input import read_photo
from acr3d.carving.plane_fit import flatten_faces
from acr3d.carving.report import MATERIAL, make_report, unseen_sides_note
from acr3d.carving.shape_priors import Evidence, ShapePrior, find_shape_priors
from acr3d.carving.silhouette import Silhouette, extract_silhouette
from acr3d.carving.texture import project_photos
from acr3d.carving.uv_atlas import unwrap
from acr3d.carving.vertex_split import split_vertices
from acr3d.carving.visual_hull import TriangleMesh, extract_surface, hull_depth, make_grid

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
    fit: Fit
    priors: list[dict[str, Any]]


def carve(request: CarvingRequest, out: Path) -> dict[str, Any]:
    """Carve the model, write it to `out` and return the report. Raises CarvingError."""
    started = time.monotonic()
    shape = _carve_shape(request, _extract_silhouettes(request))
    _print_progress(75)
    silhouettes, cameras = shape.fit.silhouettes, shape.fit.calibration.cameras
    atlas = unwrap(shape.mesh, max(camera.zoom for camera in cameras))
    texture = project_photos(shape.mesh, atlas, silhouettes, cameras) if request.textured else None
    _print_progress(95)
    scaled = _normalized(shape.mesh)
    report = make_report(shape.fit, scaled)
    report["guesses"] = shape.priors
    if texture:
        report["texture_seen"] = round(texture.seen_share, 3)
        report["guessed"] += unseen_sides_note(silhouettes)
    silhouettes.clear()  # frees the photos, because memory is short
    write_glb(out, split_vertices(scaled, atlas), texture.pixels if texture else None, MATERIAL)
    return report | {"seconds": round(time.monotonic() - started, 2)}


def _carve_shape(request: CarvingRequest, silhouettes: list[Silhouette]) -> _CarvedShape:
    """The solid that the silhouettes allow. Raises CarvingError."""
    _print_progress(35)
    fit = fit_photos(silhouettes)
    silhouettes.clear()  # what is used is in `fit`
    _print_progress(50)
    priors = _find_priors(fit) if request.use_priors else []
    box = fit.calibration.box
    for prior in priors:
        box = prior.expanded_box(box)
    solid = flatten_faces(_extract_solid(fit.calibration.cameras, fit.fields, box, request.cells, priors))
    mesh = flip_edges(simplify(solid, request.triangles))
    fit.fields.clear()
    return _CarvedShape(mesh, fit, [prior.facts for prior in priors])


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


def _find_priors(fit: Fit) -> list[ShapePrior]:
    calibration = fit.calibration
    evidence = Evidence(calibration.cameras, fit.silhouettes, fit.fields, calibration.box)
    return find_shape_priors(evidence, calibration.coherence)


def _extract_solid(
    cameras: list[PinholeCamera],
    fields: list[DistanceField],
    box: Vector,
    cells: int,
    priors: list[ShapePrior],
) -> TriangleMesh:
    grid = make_grid(box, cells)
    depth = hull_depth(cameras, fields, box, grid, priors)
    return extract_surface(drop_loose_pieces(depth, grid, cameras), grid)


def _normalized(mesh: TriangleMesh) -> TriangleMesh:
    """The mesh centred on the origin, its largest side 1."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    return TriangleMesh((mesh.vertices - (low + high) / 2) / (high - low).max(), mesh.triangles)


def _print_progress(percent: int) -> None:
    print(json.dumps({"progress": percent}), flush=True)

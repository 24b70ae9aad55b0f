"""Build a model from read captures: outlines, solid, mesh, colours, one GLB in true metres.

docs/spin-capture.md explains the steps.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acr3d.capture_sheet.layout import SHEETS
from acr3d.carving.edge_collapse import simplify
from acr3d.carving.edge_flips import flip_edges
from acr3d.carving.errors import CarvingError
from acr3d.carving.glb_writer import write_glb
from acr3d.carving.report import MATERIAL
from acr3d.carving.uv_atlas import unwrap
from acr3d.carving.vertex_split import split_vertices
from acr3d.carving.visual_hull import TriangleMesh
from acr3d.spin.build_report import agreement, make_report
from acr3d.spin.camera import SHEET_TO_GLTF
from acr3d.spin.capture_file import Capture, read_capture
from acr3d.spin.colours import colour, scaled
from acr3d.spin.errors import SpinError
from acr3d.spin.hull import outline
from acr3d.spin.outlines import find_outlines
from acr3d.spin.solid import carve, surface
from acr3d.spin.top_height import cut_hill
from acr3d.spin.views import Mask, View, read_views

_FEWEST_TRIANGLES, _MOST_TRIANGLES = 500, 100_000
_FEWEST_VIEWS = 6
_FEWEST_TEXELS, _MOST_TEXELS = 512, 4096


@dataclass(frozen=True)
class BuildRequest:
    """What to build. `texture_size`: texels along the largest atlas's side.

    `left_out`: how many further positions were given, which are not used.
    `guess_hollows`: whether colours may cut what outlines leave full.
    """

    position: Path
    left_out: int
    triangles: int
    textured: bool
    texture_size: int
    guess_hollows: bool


def read_request(path: Path) -> BuildRequest:
    """Read REQUEST.json (see __main__.py)."""
    body = json.loads(path.read_text())
    return BuildRequest(
        Path(body["positions"][0]),
        len(body["positions"]) - 1,
        int(np.clip(int(body.get("target_polycount") or 30_000), _FEWEST_TRIANGLES, _MOST_TRIANGLES)),
        bool(body.get("should_texture", True)),
        int(np.clip(int(body.get("texture_size") or 2048), _FEWEST_TEXELS, _MOST_TEXELS)),
        bool(body.get("guess_hollows", True)),
    )


def build(request: BuildRequest, out: Path) -> dict[str, Any]:
    """Build the model, write it to `out` and return the report. Raises SpinError."""
    started = time.monotonic()
    capture = _capture(request.position)
    sheet = SHEETS[capture.sheet]
    views = read_views(capture)
    _progress(5)
    masks = find_outlines(views, sheet)
    views, masks = _whole(views, masks)
    _progress(45)
    outlines = [outline(mask, view.camera) for mask, view in zip(masks, views, strict=True)]
    depth, grid = carve(outlines, (sheet.width, sheet.height))
    _progress(60)
    cut = cut_hill(depth, grid, views, masks) if request.guess_hollows else 0.0
    _progress(65)
    solid = surface(depth, grid)
    agreed = agreement(outlines, solid)
    del depth, outlines
    try:
        mesh = flip_edges(simplify(solid, request.triangles))
        size = float((mesh.vertices.max(0) - mesh.vertices.min(0)).max())
        density = max(scaled(view.camera, mesh, size).zoom for view in views) / size
        atlas = unwrap(mesh, density, request.texture_size)
    except CarvingError as refusal:
        raise SpinError("spin.too_ragged") from refusal
    _progress(75)
    texture = colour(mesh, atlas, views, masks) if request.textured else None
    _progress(95)
    report = make_report(len(views), mesh, agreed, cut, texture)
    if request.left_out:
        report["guessed"].append("Only the part's first position was used.")
    placed = TriangleMesh((mesh.vertices @ SHEET_TO_GLTF.T).astype(np.float32), mesh.triangles)
    write_glb(out, split_vertices(placed, atlas), texture.pixels if texture else None, MATERIAL)
    return report | {"seconds": round(time.monotonic() - started, 2)}


def _whole(views: list[View], masks: list[Mask]) -> tuple[list[View], list[Mask]]:
    """Those views whose picture holds the whole part. Raises SpinError if they are too few."""
    whole = [
        number
        for number, mask in enumerate(masks)
        if mask.any() and not (mask[[0, -1]].any() or mask[:, [0, -1]].any())
    ]
    if len(whole) < max(_FEWEST_VIEWS, len(views) / 3):
        raise SpinError("spin.runs_out")
    return [views[number] for number in whole], [masks[number] for number in whole]


def _capture(folder: Path) -> Capture:
    try:
        return read_capture(folder)
    except (OSError, ValueError, KeyError) as error:
        raise SpinError("spin.no_frames") from error


def _progress(percent: int) -> None:
    print(json.dumps({"progress": percent}), flush=True)

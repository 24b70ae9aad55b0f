"""Measure the silhouettes that are found in photos against those of the true model from the true cameras.

    python -m bench.silhouette_extraction SAMPLES_FOLDER [--parts NAME …] [--cutout]

By colour, as the engine does alone; with `--cutout`, by colour and the learned cut-out of `make cutout`.

SAMPLES_FOLDER as for bench/engine.py. Prints for each photo the IoU of the two silhouettes and what is extra
and missing, relative to the true one; then mean and minimum per set of photos. The true silhouette is drawn
with Pillow, whose triangles are up to half a pixel too large.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from acr3d import sandbox
from acr3d.carving.cameras import SIDES, PinholeCamera
from acr3d.carving.morphology import Mask
from acr3d.carving.photo_input import read_photo
from acr3d.carving.silhouette import downscaled, extract_silhouette
from acr3d.outlines import method
from acr3d.outlines.extraction.find_outline import find_outline

if TYPE_CHECKING:
    from acr3d.cutout.network import Network

NETWORK_SIDE = 640
_FRAME = 1.163  # a studio picture's side over the part's largest side; a snapshot's height is its square
_FINER = 2  # samples per pixel and direction for drawing the truth


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--parts", nargs="*", help="only these parts")
    parser.add_argument("--cutout", action="store_true", help="with the learned cut-out")
    options = parser.parse_args()
    if options.cutout:
        from acr3d.cutout.network import Network

        network = Network(method.GRAPH, sandbox.default_threads())
        find = partial(by_network, network)
    else:
        find = by_colour
    found: dict[str, list[float]] = {}
    print(f"{'part':16} {'set':8} {'side':6}    IoU     extra  missing")
    for description in sorted(options.samples.glob("*/part.json")):
        part = description.parent
        if options.parts and part.name not in options.parts:
            continue
        mesh = trimesh.load(part / "truth.glb", force="mesh", process=False)
        for kind, folder in (("studio", part), ("snapshot", part / "snapshot")):
            if (folder / "front.jpg").exists():
                facts = json.loads(description.read_text())[kind]
                found.setdefault(kind, []).extend(measure(part.name, kind, folder, facts, mesh, find))
    for kind, values in found.items():
        print(f"{kind}: mean {statistics.mean(values):.4f}, min {min(values):.4f}")


def by_colour(photo: Path, side: str) -> Mask:
    return extract_silhouette(read_photo(photo, side)).mask


def by_network(network: Network, photo: Path, side: str) -> Mask:
    pixels = downscaled(read_photo(photo, side).pixels)
    outline = find_outline(pixels, network.alpha(pixels, NETWORK_SIDE))
    return np.zeros(pixels.shape[:2], bool) if outline.mask is None else outline.mask


def measure(
    name: str,
    kind: str,
    folder: Path,
    facts: Mapping[str, Any],
    mesh: trimesh.Trimesh,
    find: Callable[[Path, str], Mask],
) -> list[float]:
    likenesses = []
    for side in SIDES:
        mask = find(folder / f"{side}.jpg", side)
        true = drawn(mesh, true_camera(side, mask.shape, kind, facts, 1000 * mesh.extents.max()), mask.shape)
        likeness = float((mask & true).sum() / (mask | true).sum())
        extra, missing = ((one & ~other).sum() / true.sum() for one, other in ((mask, true), (true, mask)))
        print(f"{name:16} {kind:8} {side:6} {likeness:.4f}   {extra:.4f}   {missing:.4f}", flush=True)
        likenesses.append(likeness)
    return likenesses


def true_camera(
    side: str, shape: tuple[int, ...], kind: str, facts: Mapping[str, Any], largest: float
) -> PinholeCamera:
    """The camera that took a sample's photo, in millimetres; `largest` is the part's largest side."""
    height, width = shape
    centre = (width / 2 - 0.5, height / 2 - 0.5)
    if kind == "studio":
        zoom = facts["px_per_mm_at_centre"] * width / facts["image_px"][0]
        return PinholeCamera(side, zoom, (0.0, 0.0), centre, inverse_distance=1 / facts["distance_mm"])
    view = facts["views"][side]
    frame = _FRAME**2 * largest
    zoom, distance = height / frame, frame / 2 / math.tan(math.radians(facts["fov_deg"] / 2))
    right, up = (-offset * frame / 2 for offset in view["offset"])
    tilt = np.radians([view["pitch_deg"], -view["yaw_deg"], -view["roll_deg"]])
    return PinholeCamera(side, zoom, (right, up), centre, (tilt[0], tilt[1], tilt[2]), 1 / distance)


def drawn(mesh: trimesh.Trimesh, camera: PinholeCamera, shape: tuple[int, ...]) -> Mask:
    column, row, _ = camera.project(1000 * np.asarray(mesh.vertices))
    corners = (np.column_stack([column, row])[mesh.faces] + 0.5) * _FINER - 0.5
    picture = Image.new("L", (shape[1] * _FINER, shape[0] * _FINER))
    draw = ImageDraw.Draw(picture)
    for triangle in corners:
        draw.polygon([tuple(corner) for corner in triangle], fill=255)
    small: NDArray[np.uint8] = np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BOX))
    mask: Mask = small > 127
    return mask


if __name__ == "__main__":
    main()

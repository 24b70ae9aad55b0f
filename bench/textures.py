"""Measure how well a carved model's texture matches its photos: SSIM of each labelled side.

    python -m bench.textures SAMPLES_FOLDER [--set studio|snapshot] [--parts NAME …]

Each watertight part is carved from front, right, top and back. Each of these sides is rendered without light
with the camera that took the photo, at 512 px across its larger extent. The photo is scaled to the model's
box and to its mean brightness, and SSIM is averaged where both show the part.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.metrics import structural_similarity

from acr3d.carving.cameras import PinholeCamera
from acr3d.carving.photo_input import read_photo
from acr3d.carving.silhouette import Silhouette, extract_silhouette
from bench.engine import AXES, carve, watertight_parts
from bench.silhouette_extraction import true_camera

_PIXELS = 512
_RIM = 3  # pixels along the contour that are left out, because SSIM's window would include the backdrop
Grey = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--set", choices=("studio", "snapshot"), default="studio")
    parser.add_argument("--parts", nargs="*", help="only these parts")
    options = parser.parse_args()
    options.grid, options.bare, options.triangles = None, False, 30_000
    means = []
    print("part             " + "  ".join(f"{side:>6}" for side in AXES["three"]) + "    mean")
    for part in watertight_parts(options.samples):
        photos = part / "snapshot" if options.set == "snapshot" else part
        if (options.parts and part.name not in options.parts) or not (photos / "front.jpg").exists():
            continue
        values = measure(part, photos, options)
        means.append(statistics.mean(values))
        print(
            f"{part.name:16} " + "  ".join(f"{value:6.3f}" for value in values) + f"  {means[-1]:6.3f}",
            flush=True,
        )
    print(f"mean {statistics.mean(means):.3f}, least {min(means):.3f}")


def measure(part: Path, photos: Path, options: argparse.Namespace) -> list[float]:
    facts = json.loads((part / "part.json").read_text())[options.set]
    truth: Any = trimesh.load(part / "truth.glb", force="mesh", process=False)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.glb"
        carve(photos, AXES["three"], out, options)
        mesh: Any = trimesh.load(out, force="mesh", process=False)
    largest = 1000 * truth.extents.max()
    mesh.apply_scale(largest / mesh.extents.max())
    likenesses = []
    for side in AXES["three"]:
        silhouette = extract_silhouette(read_photo(photos / f"{side}.jpg", side))
        camera = true_camera(side, silhouette.mask.shape, options.set, facts, largest)
        likenesses.append(likeness(mesh, silhouette, camera))
    return likenesses


def likeness(mesh: Any, silhouette: Silhouette, camera: PinholeCamera) -> float:
    """Mean SSIM where both the model and the photo show the part."""
    model, covered = drawn(mesh, *_smaller(silhouette, camera))
    photo, shown = laid_over(silhouette, covered)
    both = ndimage.binary_erosion(covered & shown, iterations=_RIM)
    photo = photo * model[both].mean() / max(1.0, photo[both].mean())
    model, photo = np.where(covered & shown, model, 0), np.where(covered & shown, photo, 0)
    _, each = structural_similarity(  # type: ignore[no-untyped-call]
        model, photo, data_range=255, full=True
    )
    return float(each[both].mean())


def _smaller(silhouette: Silhouette, camera: PinholeCamera) -> tuple[PinholeCamera, tuple[int, int]]:
    """The camera and its picture's (rows, columns), scaled down so that the part is _PIXELS large."""
    left, top, right, bottom = silhouette.box
    share = _PIXELS / max(right - left, bottom - top)
    rows, columns = (round(size * share) for size in silhouette.mask.shape)
    centre = (columns / 2 - 0.5, rows / 2 - 0.5)
    return camera.with_changes(zoom=camera.zoom * share, principal_point=centre), (rows, columns)


def drawn(mesh: Any, camera: PinholeCamera, shape: tuple[int, int]) -> tuple[Grey, NDArray[np.bool_]]:
    """(brightness, mask of the part) of the model's texture in that camera's picture."""
    row, column = (places.ravel().astype(float) for places in np.indices(shape))
    reach = np.full(len(row), float(mesh.extents.max()))
    start, end = (camera.unproject(column, row, depth) for depth in (reach, -reach))
    places, rays, faces = mesh.ray.intersects_location(start, end - start, multiple_hits=False)
    weights = trimesh.triangles.points_to_barycentric(  # type: ignore[no-untyped-call]
        mesh.triangles[faces], places
    )
    uv = np.einsum("kc,kcj->kj", weights, mesh.visual.uv[mesh.faces[faces]])
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("L"), np.float64)
    spots = np.stack([(1 - uv[:, 1]) * texture.shape[0] - 0.5, uv[:, 0] * texture.shape[1] - 0.5])
    picture, covered = np.zeros(shape), np.zeros(shape, bool)
    picture.flat[rays] = ndimage.map_coordinates(texture, spots, order=1, mode="nearest")
    covered.flat[rays] = True
    return picture, covered


def laid_over(silhouette: Silhouette, covered: NDArray[np.bool_]) -> tuple[Grey, NDArray[np.bool_]]:
    """The photo and its silhouette, scaled to the model's box."""
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
    left, top, right, bottom = silhouette.box
    photo, shown = np.zeros(covered.shape), np.zeros(covered.shape, bool)
    picture = Image.fromarray(silhouette.pixels[top:bottom, left:right]).convert("L")
    mask = Image.fromarray(silhouette.mask[top:bottom, left:right])
    photo[box] = np.asarray(picture.resize(size, Image.Resampling.BOX), float)
    shown[box] = np.asarray(mask.resize(size, Image.Resampling.NEAREST))
    return photo, shown


if __name__ == "__main__":
    main()

"""Measure how well agreement tells correct models from wrong and turned ones, on parts of known shape.

    python bench/agreement.py SAMPLES_FOLDER [--set studio|snapshot] [--turns 3]

SAMPLES_FOLDER has one folder per part with `truth.glb`, the labelled photos and, for some parts, `snapshot/`.
Prints for each part: the score of its own model, the highest score of all other parts' models, and how many
models that lie on another side are turned back (a seeded choice of the 23 turns).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from acr3d.gltf.orientation import Turn, orientations
from acr3d.optimize.pipeline import optimize
from acr3d.render.scene import read_scene
from acr3d.silhouettes.__main__ import measure
from acr3d.silhouettes.decimate import decimate
from acr3d.silhouettes.orientation_search import look_alike, side_masks

SIDES = ("front", "right", "back", "top")


def main() -> None:
    options = parse()
    parts = sorted(path.parent for path in options.samples.glob("*/truth.glb"))
    folders = {part: part / "snapshot" if options.set == "snapshot" else part for part in parts}
    print(f"{'part':16}  own    least  highest other       turned back  seconds")
    for part, folder in folders.items():
        photos = {side: folder / f"{side}.jpg" for side in SIDES if (folder / f"{side}.jpg").exists()}
        if photos:
            measure_part(part, photos, [other for other in parts if other != part], options.turns)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--set", choices=("studio", "snapshot"), default="studio")
    parser.add_argument("--turns", type=int, default=3, help="how many of the 23 turns to try")
    return parser.parse_args()


def measure_part(part: Path, photos: dict[str, Path], others: list[Path], count: int) -> None:
    started = time.process_time()
    own = measure(part / "truth.glb", photos)
    seconds = time.process_time() - started
    figures = {other.name: measure(other / "truth.glb", photos)["all"] for other in others}
    highest = max(figures, key=lambda name: figures[name])
    chosen = random.Random(part.name).sample(list(orientations())[1:], count)
    back = sum(is_turned_back(part, photos, turn) for turn in chosen)
    print(
        f"{part.name:16}  {own['all']:.3f}  {min(own['sides'].values()):.3f}  "
        f"{figures[highest]:.3f} {highest:14}  {back} of {count}       {seconds:5.1f}",
        flush=True,
    )


def is_turned_back(part: Path, photos: dict[str, Path], turn: str) -> bool:
    """Whether the model is turned back after `turn`; a turn that makes the part look the same counts too."""
    with tempfile.TemporaryDirectory() as folder:
        turned = Path(folder) / "turned.glb"
        optimize(part / "truth.glb", turned, turn=Turn.parse(turn))
        report = measure(turned, photos, turn=None)
    outlines = side_masks(decimate(read_scene(part / "truth.glb", 0)))
    return look_alike(outlines, orientations()[report["turn"]] @ orientations()[turn], np.eye(3))


if __name__ == "__main__":
    main()

"""Measure the accuracy of the built-in engine on parts whose true shape is known.

    python -m bench.engine SAMPLES_FOLDER [--set studio|snapshot] [--axes three two six] [--bare]
        [--triangles N] [--parts NAME …] [--meter FILE]

SAMPLES_FOLDER has one folder per part with `truth.glb`, `part.json`, the labelled photos and, for some parts,
`snapshot/`. Each part is carved from three axes, from two, and from all six photos, in its own process. The
columns: the volume's IoU with the truth; `bare`, the IoU without shape priors; `ceiling`, the IoU that
silhouettes alone can reach (the visual hull of the true shape), and `ratio`, IoU over ceiling. For an open
mesh only the box is compared. `errors` are gltf-validator's (NODE_DIR is the folder that has it; -1 without).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AXES = {
    "three": ("front", "right", "top", "back"),
    "two": ("front", "back", "left", "right"),
    "six": ("front", "back", "left", "right", "top", "bottom"),
}
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Carved:
    """What one carving needed, and its report."""

    seconds: float
    peak_mb: float
    report: dict[str, Any]


def main() -> None:
    options = parse()
    print(f"{'part':16} axes    IoU    bare  ceiling ratio  box W/H/D           seconds  peak MB  errors")
    ratios: dict[str, list[float]] = {axes: [] for axes in options.axes}
    for part in parts(options.samples):
        photos = part / "snapshot" if options.set == "snapshot" else part
        if (options.parts and part.name not in options.parts) or not (photos / "front.jpg").exists():
            continue
        for axes in options.axes:
            if is_watertight(part):
                ratios[axes].append(measure(options, part, photos, axes))
            else:
                measure_box(options, part, photos, axes)
    for axes, values in ratios.items():
        if values:
            print(f"{axes} axes: mean {statistics.mean(values):.3f}, least {min(values):.3f}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--set", choices=("studio", "snapshot"), default="studio")
    parser.add_argument("--meter", type=Path, default=ROOT / "../shared/tools/meter.py")
    parser.add_argument(
        "--axes", nargs="*", choices=AXES, default=list(AXES), help="only these sets of photos"
    )
    parser.add_argument("--triangles", type=int, default=30_000)
    parser.add_argument("--bare", action="store_true", help="without shape priors: silhouettes only")
    parser.add_argument("--parts", nargs="*", help="only these parts")
    parser.add_argument("--grid", type=int, help="voxels along the longest side (default: the engine's)")
    return parser.parse_args()


def parts(samples: Path) -> list[Path]:
    return [file.parent for file in sorted(samples.glob("*/part.json"))]


def watertight_parts(samples: Path) -> list[Path]:
    return [part for part in parts(samples) if is_watertight(part)]


def is_watertight(part: Path) -> bool:
    return bool(json.loads((part / "part.json").read_text())["truth"].get("watertight_parts"))


def measure(options: argparse.Namespace, part: Path, photos: Path, axes: str) -> float:
    """Print one part's line; return its IoU over the ceiling (six photos show three axes)."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.glb"
        carved = carve(photos, AXES[axes], out, options)
        result = metered(options, out, part)
        bare = result["iou"]
        if carved.report["guesses"]:
            carve(photos, AXES[axes], out, argparse.Namespace(**vars(options) | {"bare": True}))
            bare = metered(options, out, part)["iou"]
    ceiling = "two" if axes == "two" else "three"
    ratio = float(result[f"of_{ceiling}"])
    print(
        f"{part.name:16} {axes:6} {result['iou']:.3f}  {bare:.3f}  {result['ceiling'][ceiling]:.3f}  "
        f"{ratio:.3f}  {numbers(result['box_ratio']):18}  {carved.seconds:6.1f}  {carved.peak_mb:7.0f}  "
        f"{result['valid']['errors']:6}",
        flush=True,
    )
    return ratio


def measure_box(options: argparse.Namespace, part: Path, photos: Path, axes: str) -> None:
    """Print the line of a part whose true mesh is open: its proportions over the true ones."""
    with tempfile.TemporaryDirectory() as folder:
        carved = carve(photos, AXES[axes], Path(folder) / "out.glb", options)
    true = json.loads((part / "part.json").read_text())["size_mm"]
    sides = [true[name] for name in ("width", "height", "depth")] if isinstance(true, dict) else true
    box = [side * max(sides) / one for side, one in zip(carved.report["size"], sides, strict=True)]
    blank = " " * 27
    print(
        f"{part.name:16} {axes:6} {blank} {numbers(box):18}  {carved.seconds:6.1f}  {carved.peak_mb:7.0f}",
        flush=True,
    )


def numbers(values: list[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def metered(options: argparse.Namespace, model: Path, part: Path) -> dict[str, Any]:
    command = [sys.executable, str(options.meter), "glb", str(model), "--truth", str(part / "truth.glb")]
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return result


def carve(photos: Path, sides: tuple[str, ...], out: Path, options: argparse.Namespace) -> Carved:
    """Carve in a separate process."""
    images = [{"path": str((photos / f"{side}.jpg").resolve()), "angle": side} for side in sides]
    request = out.with_name("request.json")
    order = {"images": images, "guesses": not options.bare, "grid": options.grid}
    request.write_text(json.dumps(order | {"target_polycount": options.triangles}))
    log = out.with_name("output.txt")
    command = [sys.executable, "-m", "acr3d.carving", str(request), str(out)]
    started = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"Carving {photos} failed.")
    report = json.loads(log.read_text().splitlines()[-1])["report"]
    return Carved(time.monotonic() - started, used.ru_maxrss / 1024, report)


if __name__ == "__main__":
    main()

"""Measure the built-in engine on parts whose true shape is known.

    python bench/engine.py SAMPLES_FOLDER [--set studio|snapshot] [--meter ../shared/tools/meter.py]

SAMPLES_FOLDER holds one folder per part: `truth.glb`, `part.json`, the labelled photos, perhaps `snapshot/`.
Each watertight part is carved from three axes and from two, in a process of its own. The volume's likeness to
the truth (IoU) is set against what outlines alone can give (the visual hull's ceiling), both as the meter
measures them. `errors` are gltf-validator's (NODE_DIR names the folder that has it; without, -1).
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
from pathlib import Path

AXES = {"three": ("front", "right", "top", "back"), "two": ("front", "back", "left", "right")}
HOUSE = Path(__file__).parent.parent


def main() -> None:
    options = parse()
    print(f"{'part':16} axes    IoU   ceiling ratio  box W/H/D           seconds  peak MB  errors")
    ratios: dict[str, list[float]] = {axes: [] for axes in AXES}
    for part in watertight_parts(options.samples):
        photos = part / "snapshot" if options.set == "snapshot" else part
        for axes in AXES:
            if (photos / "front.jpg").exists():
                ratios[axes].append(measure(options, part, photos, axes))
    for axes, values in ratios.items():
        if values:
            print(f"{axes} axes: mean {statistics.mean(values):.3f}, least {min(values):.3f}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path)
    parser.add_argument("--set", choices=("studio", "snapshot"), default="studio")
    parser.add_argument("--meter", type=Path, default=HOUSE / "../shared/tools/meter.py")
    parser.add_argument("--grid", type=int, help="cells along the largest side (default: the engine's own)")
    return parser.parse_args()


def watertight_parts(samples: Path) -> list[Path]:
    described = sorted(samples.glob("*/part.json"))
    return [
        file.parent for file in described if json.loads(file.read_text())["truth"].get("watertight_parts")
    ]


def measure(options: argparse.Namespace, part: Path, photos: Path, axes: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.glb"
        seconds, peak = carve(photos, AXES[axes], out, options.grid)
        command = [sys.executable, str(options.meter), "glb", str(out), "--truth", str(part / "truth.glb")]
        result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    ratio = float(result[f"of_{axes}"])
    box = " ".join(f"{side:.3f}" for side in result["box_ratio"])
    print(
        f"{part.name:16} {axes:6} {result['iou']:.3f}  {result['ceiling'][axes]:.3f}  {ratio:.3f}  "
        f"{box:18}  {seconds:6.1f}  {peak:7.0f}  {result['valid']['errors']:6}",
        flush=True,
    )
    return ratio


def carve(photos: Path, sides: tuple[str, ...], out: Path, grid: int | None) -> tuple[float, float]:
    """Carve in a process of its own; (wall seconds, peak resident MB)."""
    images = [{"path": str((photos / f"{side}.jpg").resolve()), "angle": side} for side in sides]
    request = out.with_name("request.json")
    request.write_text(json.dumps({"images": images} | ({"grid": grid} if grid else {})))
    command = [sys.executable, "-m", "acr3d.engine.carve", str(request), str(out)]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"Carving {photos} broke off.")
    return time.monotonic() - started, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()

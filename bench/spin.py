"""How near a spin capture's model comes to the truth: python -m bench.spin CLIPS SAMPLES [PART…]

CLIPS holds clips of known parts (`<part>/truth.json`, its video and photos), `ceilings.jsonl` and
`spin_meter.py`, which wants METER_DIR in the environment; SAMPLES holds `<part>/truth.glb`. Each clip is read
and built as a user's capture is, from photos and from video, with the cameras that reading finds. Prints a
table for docs/spin-capture.md. After the slash stands the ceiling: what perfect outlines allow.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from acr3d.capture_sheet.layout import SHEETS
from acr3d.spin.capture_file import read_capture
from acr3d.spin.outlines import find_outlines
from acr3d.spin.views import Mask, View, read_views

_ROOT = Path(__file__).parent.parent
_HEADINGS = (
    "clip", "from", "frames", "outlines, IoU", "box less the part's, mm", "unseen at 10°", "unseen at 40°",
    "processor, s", "memory, MB",
)  # fmt: skip
_SOURCES = {"photos": "jpegs", "video": "all"}  # and their cameras' name in ceilings.jsonl


@dataclass(frozen=True)
class Clip:
    """A capture of a part, and its truth."""

    folder: Path
    truth: dict[str, Any]
    solid: Path

    @property
    def laid(self) -> bool:
        return bool(self.truth["clip"] == "laid")

    def files(self, source: str) -> list[Path]:
        names = self.truth["jpegs"] if source == "photos" else [self.truth["video"]]
        return [self.folder / name for name in names]


def main(argv: list[str]) -> int:
    clips, samples, wanted = Path(argv[1]), Path(argv[2]), set(argv[3:])
    ceilings = [json.loads(line) for line in (clips / "ceilings.jsonl").read_text().splitlines()]
    best = {(one["part"], one["clip"]): one for one in ceilings}
    print("|", " | ".join(_HEADINGS), "|")
    print("|" + "---|" * len(_HEADINGS))
    for path in sorted(clips.glob("*/*truth.json")):
        truth = json.loads(path.read_text())
        part = path.parent.name
        if wanted and part not in wanted:
            continue
        clip = Clip(path.parent, truth, samples / part / "truth.glb")
        for source, cameras in _SOURCES.items():
            ceiling = best[part, truth["clip"]][cameras]["silhouette_iou"]
            figures = _figures(clip, source, ceiling)
            print("|", " | ".join([f"{part} {truth['clip']}", source, *figures]), "|", flush=True)
    return 0


def _figures(clip: Clip, source: str, ceiling: dict[str, float]) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [{"path": str(path.absolute()), "name": path.name} for path in clip.files(source)]
        _run(folder, "read", {"files": files}, folder)
        model = folder / "out.glb"
        seconds, peak = _run(folder, "build", {"positions": [name]}, model)
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:  # a child's peak is at least its parent's
            told, outlines = apart.submit(_against_truth, clip, folder, model).result()
    unseen = told["silhouette_iou"]
    return [
        str(len(outlines)),
        f"{np.mean(outlines):.3f} (least {min(outlines):.3f})",
        ", ".join(f"{miss:+.1f}" for miss in told["bbox_error_mm"]),
        f"{unseen['el10']:.3f} / {ceiling['el10']:.3f}",
        f"{unseen['el40']:.3f} / {ceiling['el40']:.3f}",
        f"{seconds:.0f}",
        f"{peak:.0f}",
    ]


def _run(folder: Path, command: str, request: dict[str, Any], target: Path) -> tuple[float, float]:
    """Run acr3d.spin's command; its processor seconds and peak megabytes."""
    path = folder / f"{command}.json"
    path.write_text(json.dumps(request))
    told = folder / "told"
    with told.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "acr3d.spin", command, str(path), str(target)], cwd=_ROOT, stdout=output
        )
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not wait for it again
    if status:
        raise SystemExit(f"{command} failed: {told.read_text().splitlines()[-1:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _against_truth(clip: Clip, folder: Path, model: Path) -> tuple[dict[str, Any], list[float]]:
    """What spin_meter.py says about the model, and each outline's IoU with the true one."""
    sys.path.insert(0, str(clip.folder.parent))
    meter = importlib.import_module("spin_meter")
    told = meter.measure(str(model), str(clip.folder), clip.laid, str(clip.solid), "sheet")
    capture = read_capture(folder)
    views = read_views(capture)
    found = find_outlines(views, SHEETS[capture.sheet])
    scene = _scene(meter, clip)
    return told, [_iou(mask, _true_outline(scene, view)) for mask, view in zip(found, views, strict=True)]


def _scene(meter: Any, clip: Clip) -> Any:
    """The true part on the sheet, in mm, for rays."""
    parts = meter.meter.triangles(str(clip.solid))[0]
    return meter.scene(meter.to_sheet(parts, np.array(clip.truth["part_to_sheet"])))


def _true_outline(scene: Any, view: View) -> Mask:
    """The true part as the view's camera sees it."""
    height, width = view.pixels.shape[:2]
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    lens, camera = view.camera.lens, view.camera
    flat = np.stack([across, down], -1).reshape(-1, 2) - np.array(lens.centre)
    rays = cv2.convertPointsToHomogeneous(flat / lens.focal)[:, 0] @ camera.rotation
    rays = (rays / np.linalg.norm(rays, axis=1, keepdims=True)).astype(np.float32)
    origins = np.tile(camera.place.astype(np.float32), (len(rays), 1))
    outline: Mask = (scene.run(origins, rays, query="INTERSECT") >= 0).reshape(height, width)
    return outline


def _iou(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


if __name__ == "__main__":
    sys.exit(main(sys.argv))

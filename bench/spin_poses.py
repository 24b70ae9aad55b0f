"""How near lens and cameras come to the truth: python -m bench.spin_poses CLIPS_FOLDER [PART…]

CLIPS_FOLDER holds clips with known cameras (`<part>/truth.json`, its video and photos). The child that the
server starts reads each clip twice, from photos and from video. Prints a table for docs/spin-capture.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acr3d import sandbox
from acr3d.spin.capture_file import Capture, Frame, read_capture

_LIMITS = sandbox.Limits(seconds=600, memory_mb=700)
_HEADINGS = ("clip", "from", "frames", "place, mm", "turn, °", "focal, %", "k1", "seconds")


@dataclass(frozen=True)
class Clip:
    """A capture and its truth."""

    folder: Path
    name: str
    truth: dict[str, Any]

    def number(self, frame: Frame) -> int:
        """Which of the clip's frames this is."""
        if frame.source == self.truth["video"]:
            return round(frame.seconds * self.truth["fps"])
        return int(self.truth["jpegs"][frame.source])


def main(argv: list[str]) -> int:
    folder, wanted = Path(argv[1]), set(argv[2:])
    print("|", " | ".join(_HEADINGS), "|")
    print("|" + "---|" * len(_HEADINGS))
    for clip in _clips(folder):
        if not wanted or clip.folder.name in wanted:
            for source, files in (("photos", list(clip.truth["jpegs"])), ("video", [clip.truth["video"]])):
                print("|", " | ".join([clip.name, source, *_figures(clip, files)]), "|", flush=True)
    return 0


def _clips(folder: Path) -> Iterator[Clip]:
    for path in sorted(folder.glob("*/*truth.json")):
        truth = json.loads(path.read_text())
        yield Clip(path.parent, f"{path.parent.name} {truth['clip']}", truth)


def _figures(clip: Clip, files: list[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name), time.monotonic()
        paths = [clip.folder / file for file in files]
        request = {"files": [{"path": str(p), "name": f} for p, f in zip(paths, files, strict=True)]}
        (folder / "request.json").write_text(json.dumps(request))
        arguments = ["read", str(folder / "request.json"), name]
        sandbox.run("acr3d.spin", arguments, _LIMITS, reads=paths, folder=folder, lock=None)
        seconds = time.monotonic() - began
        return [*_against_truth(clip, read_capture(folder)), f"{seconds:.0f}"]


def _against_truth(clip: Clip, capture: Capture) -> list[str]:
    lens, true = capture.frames[0].camera.lens, clip.truth["intrinsics"]
    misses, turns = [], []
    for frame in capture.frames:
        to_sheet = np.array(clip.truth["camera_to_sheet"][clip.number(frame)])
        misses.append(np.linalg.norm(frame.camera.place - to_sheet[:3, 3]))
        cosine = (np.trace(frame.camera.rotation @ to_sheet[:3, :3]) - 1) / 2
        turns.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return [
        str(len(capture.frames)),
        f"{np.median(misses):.2f} ({max(misses):.2f})",
        f"{np.median(turns):.3f} ({max(turns):.3f})",
        f"{100 * (lens.focal / true['fx'] - 1):+.2f}",
        f"{lens.k1 - true['dist'][0]:+.4f}",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv))

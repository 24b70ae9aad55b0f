"""capture.json: what reading a capture found, for the child that builds from it.

The file lies beside `frames/`. Lengths are millimetres on the sheet, as in `acr3d.spin.camera`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from acr3d.spin.camera import Camera, Lens

FILE, FRAMES = "capture.json", "frames"


@dataclass(frozen=True)
class Frame:
    """A kept frame, as it was taken (not undistorted).

    `file`: its name in `frames/`. `residual_px`: the median distance of its markers' corners from where the
    camera draws them. `markers`: how many count. `sharpness`: see `acr3d.spin.sharpness`. `source`: the name
    of the upload that it is from; `seconds`: when in that video, 0 for a photo.
    """

    file: str
    camera: Camera
    residual_px: float
    markers: int
    sharpness: float
    source: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Capture:
    """One position of the part. `sheet` is "A4" or "A3"; `folder` holds the frames' pictures."""

    sheet: str
    frames: tuple[Frame, ...]
    folder: Path

    def picture(self, frame: Frame) -> Path:
        """The frame's JPEG, of its lens's size."""
        return self.folder / FRAMES / frame.file


def write_capture(capture: Capture) -> None:
    """Write `capture.json` into the capture's folder."""
    lenses = list(dict.fromkeys(frame.camera.lens for frame in capture.frames))
    frames = [_written(frame, lenses.index(frame.camera.lens)) for frame in capture.frames]
    content = {"sheet": capture.sheet, "lenses": [asdict(lens) for lens in lenses], "frames": frames}
    (capture.folder / FILE).write_text(json.dumps(content))


def read_capture(folder: Path) -> Capture:
    """The capture in `folder`, as `write_capture` wrote it. Raises OSError, ValueError or KeyError."""
    content = json.loads((folder / FILE).read_text())
    lenses = [Lens(**(lens | {"centre": tuple(lens["centre"])})) for lens in content["lenses"]]
    frames = tuple(_frame(frame, lenses[frame["lens"]]) for frame in content["frames"])
    return Capture(content["sheet"], frames, folder)


def _written(frame: Frame, lens: int) -> dict[str, object]:
    return {
        "file": frame.file,
        "lens": lens,
        "rotation": frame.camera.rotation.tolist(),
        "shift": frame.camera.shift.tolist(),
        "residual_px": round(frame.residual_px, 3),
        "markers": frame.markers,
        "sharpness": round(frame.sharpness, 3),
        "source": frame.source,
        "seconds": round(frame.seconds, 3),
    }


def _frame(stored: dict[str, object], lens: Lens) -> Frame:
    pose = np.array(stored.pop("rotation"), np.float64), np.array(stored.pop("shift"), np.float64)
    del stored["lens"]
    return Frame(camera=Camera(lens, *pose), **stored)  # type: ignore[arg-type]

"""A capture is read: pictures are chosen, and lens and cameras are found from the printed sheet alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acr3d.spin.camera import Camera, Lens
from acr3d.spin.capture_file import Capture, read_capture
from tests.support.sheet_capture import LENS, as_photos, as_video, laps, photograph, plain_table, smeared
from tests.support.spin_child import read_in_a_child

pytestmark = pytest.mark.needs("spin")


def errors(capture: Capture, cameras: list[Camera], number_of) -> tuple[float, float]:
    """The largest distance of a camera from the true one, mm, and the largest angle between them, degrees."""
    misses, angles = [], []
    for frame in capture.frames:
        true = cameras[number_of(frame)]
        misses.append(np.linalg.norm(frame.camera.place - true.place))
        turned = np.trace(frame.camera.rotation @ true.rotation.T)
        angles.append(np.degrees(np.arccos(np.clip((turned - 1) / 2, -1, 1))))
    return max(misses), max(angles)


def test_photos_become_frames_with_their_cameras(tmp_path: Path, cameras, pictures) -> None:
    blurred = [*pictures]
    blurred[5] = smeared(pictures[5], 8)

    report = read_in_a_child(as_photos(blurred, tmp_path), tmp_path)

    capture = read_capture(tmp_path)
    assert (report["sheet"], report["frames_seen"], report["frames_kept"]) == ("A4", 24, 23)
    assert (report["blurred"], report["without_sheet"], report["cut_off"]) == (1, 0, 0)
    assert report["coverage"] == 1
    assert [round(ring["elevation"] / 10) for ring in report["rings"]] == [3, 6]
    assert {note["code"] for note in report["notes"]} == {"spin.not_from_above", "spin.trust_the_print"}
    assert "5.jpg" not in {frame.source for frame in capture.frames}
    assert capture.frames[0].camera.lens.focal == pytest.approx(LENS.focal, rel=0.002)
    assert errors(capture, cameras, lambda frame: int(Path(frame.source).stem)) < (0.6, 0.15)
    assert [capture.picture(frame).read_bytes()[:2] for frame in capture.frames] == [b"\xff\xd8"] * 23
    assert set(report["best"]) < {frame.file for frame in capture.frames}
    assert len(report["best"]) == 4
    assert report["pose_error_mm"] < 0.5


def test_an_upright_video_is_turned_as_its_tag_says(tmp_path: Path) -> None:
    upright = Lens(540, 960, 780.0, (272.0, 484.0))
    seen = [Camera(upright, one.rotation, one.shift) for one in laps(20)]
    table = plain_table()
    lying = [np.rot90(photograph(camera, table), -1).copy() for camera in seen]

    report = read_in_a_child([as_video(lying, tmp_path / "0.mp4", turned=90)], tmp_path)

    capture = read_capture(tmp_path)
    assert (report["frames_seen"], report["frames_kept"]) == (20, 20)
    lens = capture.frames[0].camera.lens
    assert (lens.width, lens.height) == (540, 960)
    assert errors(capture, seen, lambda frame: round(frame.seconds * 12)) < (0.8, 0.2)

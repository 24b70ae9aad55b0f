"""What reading a capture found reaches the child that builds from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acr3d.spin.camera import Camera, Lens
from acr3d.spin.capture_file import Capture, Frame, read_capture, write_capture


def camera(lens: Lens, height: float) -> Camera:
    """A camera that looks straight down from `height` mm over the sheet's centre."""
    return Camera(lens, np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, height]))


def test_a_capture_is_read_as_it_was_written(tmp_path: Path) -> None:
    upright, wide = (
        Lens(720, 1280, 1000.5, (360.25, 640.5), 0.03),
        Lens(1920, 1080, 1500.0, (960.0, 540.0), -0.01),
    )
    frames = tuple(
        Frame(f"00{number}.jpg", camera(lens, 400.0), 0.21, 17, 2.5, source, seconds)
        for number, (lens, source, seconds) in enumerate(
            [(upright, "spin.mp4", 1.25), (wide, "IMG_1.jpg", 0.0), (upright, "spin.mp4", 2.5)]
        )
    )
    write_capture(Capture("A3", frames, tmp_path))

    read = read_capture(tmp_path)

    assert (read.sheet, read.folder) == ("A3", tmp_path)
    assert [frame.camera.lens for frame in read.frames] == [upright, wide, upright]
    assert [read.picture(frame) for frame in read.frames] == [
        tmp_path / "frames" / f"00{number}.jpg" for number in range(3)
    ]
    for before, after in zip(frames, read.frames, strict=True):
        assert np.allclose(after.camera.place, before.camera.place)
        assert (after.residual_px, after.markers, after.sharpness) == (0.21, 17, 2.5)
        assert (after.source, after.seconds) == (before.source, before.seconds)

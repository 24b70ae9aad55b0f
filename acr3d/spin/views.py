"""Frames made straight: pictures without the lens's distortion, with cameras that are plain pinholes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from acr3d.spin.camera import Camera, Lens
from acr3d.spin.capture_file import Capture, Frame

Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

LONGEST_SIDE = 1280
"""Pixels of a straightened picture; more would cost memory, and outlines hardly get better."""


@dataclass(frozen=True)
class View:
    """A straightened frame: `pixels` (height, width, 3) RGB, seen by `camera`, whose lens has no k1."""

    name: str
    pixels: Pixels
    camera: Camera

    @property
    def ground(self) -> NDArray[np.float64]:
        """The (3, 3) homography from the sheet's plane (x, y, 1) in mm to pixels."""
        rotation, shift = self.camera.rotation, self.camera.shift
        flat: NDArray[np.float64] = self.camera.lens.matrix @ np.column_stack([rotation[:, :2], shift])
        return flat

    def scaled(self, factor: float) -> View:
        """The same view in a smaller picture."""
        lens = self.camera.lens.scaled(factor)
        pixels = cv2.resize(self.pixels, (lens.width, lens.height), interpolation=cv2.INTER_AREA)
        return View(self.name, pixels, replace(self.camera, lens=lens))


def read_views(capture: Capture) -> list[View]:
    """The capture's frames, straightened. Raises OSError for a picture that cannot be read."""
    return [straighten(capture, frame) for frame in capture.frames]


def straighten(capture: Capture, frame: Frame) -> View:
    """One frame, without distortion and at most LONGEST_SIDE large."""
    picture = cv2.imread(str(capture.picture(frame)), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise OSError(f"{frame.file} cannot be read.")
    lens = frame.camera.lens
    factor = min(1.0, LONGEST_SIDE / max(lens.width, lens.height))
    if factor < 1:
        lens = lens.scaled(factor)
        picture = cv2.resize(picture, (lens.width, lens.height), interpolation=cv2.INTER_AREA)
    straight = cv2.undistort(picture, lens.matrix, np.array([lens.k1, 0, 0, 0, 0]))
    pinhole = Lens(lens.width, lens.height, lens.focal, lens.centre)
    return View(frame.file, straight, Camera(pinhole, frame.camera.rotation, frame.camera.shift))
